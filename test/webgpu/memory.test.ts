/** What training leaves on the device: nothing, whoever gives it back. */

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { fluxion } from "fluxion/esbuild";
import { expect, test } from "vitest";
import { arrayType, type Value } from "../../compiler/ir/types.ts";
import { type Tensor, tensor } from "../../runtime/tensor.ts";
import { webgpu } from "../../runtime/webgpu/gpu.ts";
import { loadWebgpu } from "../../runtime/webgpu/program.ts";
import { fnOf, graphOf } from "../kernel/support.ts";
import { shippedFor } from "./support.ts";

/** All of them in `npm run test:long`. */
const isLong = process.env["FLUXION_RUNS"] !== undefined;

interface Found {
  readonly done: number;
  readonly loss: number;
  readonly pieces: number;
  /** By kind, what the device has made and not destroyed. */
  readonly live: Readonly<Record<string, number>>;
}

/** Each step on WebGL is a few messages to a browser. */
const cases = [
  { target: "webgpu", steps: isLong ? 10_000 : 1_000 },
  { target: "webgl", steps: isLong ? 10_000 : 500 },
] as const;

test.each(cases)(
  "$target: $steps steps leave as much as 50",
  { timeout: isLong ? 1_200_000 : 120_000 },
  async ({ target, steps }) => {
    const outfile = path.join(import.meta.dirname, `out/training-${target}.js`);
    await build({
      entryPoints: [path.join(import.meta.dirname, "training.app.ts")],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2022",
      plugins: [fluxion({ target })],
    });
    const provider = new URL("countedWebgl.ts", import.meta.url).href;
    const flags = ["--expose-gc", ...(target === "webgl" ? ["--import", provider] : [])];
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [...flags, outfile, String(steps), target]);
    const { found, most } = JSON.parse(stdout) as { found: readonly [Found, Found]; most: number };
    const [early, late] = found;
    expect([early.done, late.done]).toEqual([50, steps]);
    expect(late.loss).toBeLessThan(0.1 * early.loss);
    expect(early.pieces).toBeGreaterThan(0);
    expect({ ...late, loss: 0, done: 0 }).toEqual({ ...early, loss: 0, done: 0 });
    // What WebGL goes on needs; nothing is read any more, so nothing waits to be.
    if (target === "webgl") {
      expect(early.live).toMatchObject({ Buffer: 0, Sync: 0 });
      for (const kind of ["Texture", "Framebuffer", "Program", "Shader"]) {
        expect(early.live[kind]).toBeGreaterThan(0);
      }
    }
    // With all that was waiting for the collector at any time.
    expect(most).toBeLessThan(2 ** 21);
  },
);

test("the collector sees what is on the device", async () => {
  const fn = fnOf([arrayType("f32", [500, 1000])], (b, [x]) => [b.one("neg", [x as Value])]);
  const { manifest, code } = await shippedFor(graphOf(fn));
  const program = loadWebgpu(manifest, code);
  const { memory } = await webgpu.open();
  let x = tensor(new Float32Array(500_000).fill(1), [500, 1000]);
  let most = 0;
  for (let k = 0; k < 150; k++) {
    [x] = program(x) as readonly [Tensor];
    most = Math.max(most, memory.extent);
    await new Promise((next) => setTimeout(next));
  }
  expect((await x.data())[0]).toBe(1);
  // All steps have made 286 MiB.
  expect(most).toBeLessThan(150 * 2 ** 20);
});
