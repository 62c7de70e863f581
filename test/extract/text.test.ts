/** How asynchronous roots are divided, as `explain --stage split` shows it. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { placedText, splitText } from "../../transformer/extract/print.ts";
import { readFile, type TargetName } from "../../transformer/plan.ts";
import { ProjectCache, sourcePaths } from "../../transformer/project.ts";

const folder = join(import.meta.dirname, "out");
const tsconfig = join(import.meta.dirname, "../programs/tsconfig.json");
const projects = new ProjectCache({ tsconfig, paths: sourcePaths() });

let count = 0;

function rootOf(body: string, target: TargetName = "wasm") {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `root${count++}.ts`);
  writeFileSync(
    file,
    'import { compile, prefetch, type Tensor } from "fluxion";\n' +
      "declare function ask(...args: unknown[]): Promise<boolean>;\n" +
      `export const root = compile(${body});\n`,
  );
  const { world, program } = projects.projectOf(file);
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error("no file");
  const { roots, diagnostics } = readFile(world, source, { target });
  const extraction = roots[0]?.extraction;
  return { world, extraction, codes: diagnostics.map(({ code }) => code) };
}

function hostOf(body: string, target: TargetName = "wasm"): string {
  const { world, extraction, codes } = rootOf(body, target);
  if (extraction === undefined) throw new Error(`no root: ${codes.join()}`);
  const { placement, options } = extraction;
  const text = splitText(world, placement, options).split("\n\nprograms")[0] ?? "";
  return text.replaceAll(/\s+/g, " ").replace("host ", "");
}

beforeAll(() => mkdirSync(folder, { recursive: true }));

describe("regions", () => {
  test("are as long as they can be, and end where the host has something to do", () => {
    const text = hostOf(`async (x: Tensor<[3]>) => {
      const a = x.mul(2);
      const k = 3;
      const b = a.add(k);
      await ask(b.shape);
      const c = b.exp();
      return c;
    }`);
    expect(text).toBe(
      "async (x: Tensor<[3]>) => { const k = 3; const out_0 = device_0(x); const b = out_0[0]; " +
        "await ask(b.shape); const out_1 = device_1(b); const c = out_1[0]; return c; }",
    );
  });

  test("take along what stands between and depends on them", () => {
    const text = hostOf(`async (x: Tensor<[3]>) => {
      let n = 1;
      let y = x.mul(n);
      n = n + 1;
      y = y.mul(n);
      await ask(n);
      return y;
    }`);
    expect(text).toContain("device_0(n, x);");
    expect(text).toContain("n = out_0[0]; let y = out_0[1]; await ask(n);");
  });

  test("are expressions inside of what is the host's", () => {
    const text = hostOf(
      "async (x: Tensor<[3]>) => { if (await ask(x.sum(), x.mul(2).mean().item())) return x; return x.neg(); }",
    );
    expect(text).toContain("ask(device_0(x), device_1(x))");
    expect(text).toContain("return device_2(x);");
  });

  test("stand in braces where they are the only statement", () => {
    const text = hostOf(
      "async (x: Tensor<[3]>) => { let y = x; if (await ask()) y = y.mul(2); return y; }",
    );
    expect(text).toContain("if (await ask()) { const out_0 = device_0(y); y = out_0[0]; }");
  });

  test("are passed the fields that they need", () => {
    const text = hostOf(
      "async (b: { x: Tensor<[3]>; big: Float64Array; n: number }) => { await ask(); return b.x.mul(b.n); }",
    );
    expect(text).toContain('device_0({ "x": b.x, "n": b.n })');
  });

  test("do not begin with a parenthesis after a line without a semicolon", () => {
    const text = hostOf(
      "async (x: Tensor<[3]>) => {\n await ask()\n x.item()\n const a = 1\n x.sum().item()\n await ask(a) }",
      "webgpu",
    );
    expect(text).toContain("await ask() ;(await receive(x)) const a = 1 device_0(x);");
  });
});

describe("what the host keeps", () => {
  test("is marked where it takes hold of it, and no more often", () => {
    const text = hostOf(`async (start: Tensor<[3]>) => {
      let p = start;
      let best = p;
      for (let i = 0; i < 3; i++) {
        p = p.mul(2);
        if (await ask({ p }, p.shape)) best = p;
      }
      return best;
    }`);
    expect(text).toContain("let p = keep(start); let best = keep(p);");
    expect(text).toContain("ask({ p: keep(p) }, p.shape)) best = keep(p);");
    expect(text).toContain("return best;");
  });
});

describe("the ends of rounds", () => {
  const loop = (head: string, tail: string): string => `async (x: Tensor<[3]>) => {
    let y = x;
    let n = 0;
    ${head} {
      y = y.mul(0.5);
      const size = y.sum();
      ${tail}
    }
    return y;
  }`;
  const counted = "for (let i = 0; i < 9; i++)";
  const isLater = (head: string, tail: string, target: TargetName = "webgpu"): boolean =>
    hostOf(loop(head, tail), target).includes("tails");

  test("are done later where nothing before them can tell", () => {
    expect(isLater(counted, "console.log(i, size.item());")).toBe(true);
    expect(isLater(counted, "n += size.item(); await ask(n);")).toBe(true);
    expect(isLater("for (const i of prefetch([1, 2]))", "await ask(i, size.item());")).toBe(true);
  });

  test("are done at once on what answers at once", () => {
    expect(isLater(counted, "console.log(size.item());", "wasm")).toBe(false);
  });

  test("are done at once where something could tell", () => {
    // They leave the loop, look at what is carried on, or decide what comes next.
    expect(isLater(counted, "if (size.item() > 1) break;")).toBe(false);
    expect(isLater(counted, "await ask(y, size.item());")).toBe(false);
    expect(isLater("while (n < 3)", "n += size.item();")).toBe(false);
    // The items are asked for by the loop.
    expect(isLater("for await (const i of [ask()])", "await ask(i, size.item());")).toBe(false);
    // Nothing in it waits for the device.
    expect(isLater(counted, "console.log(i);")).toBe(false);
  });

  test("are done at once where a function of the host could change or see what rounds do", () => {
    const text = hostOf(
      `async (x: Tensor<[3]>) => {
        let y = x;
        const look = () => console.log(y.shape);
        for (let i = 0; i < 9; i++) {
          y = y.mul(0.5);
          const size = y.sum();
          look();
          console.log(size.item());
        }
        return y;
      }`,
      "webgpu",
    );
    expect(text).not.toContain("tails");
  });
});

test("each line has its side", () => {
  const { extraction } = rootOf(`async (x: Tensor<[3]>) => {
  const y = x.mul(2);
  await ask(y.sum());
  return y;
}`);
  if (extraction === undefined) throw new Error("no root");
  const lines = placedText(extraction.placement).split("\n");
  expect(lines.slice(0, 5).map((line) => line.slice(5, 24).trim().split(/ {2,}/)[0])).toEqual([
    "host",
    "device 0",
    "host, device 1",
    "host",
    "host",
  ]);
});
