/** Asynchronous roots do, compiled, what they do as plain TypeScript: results, and effects in order. */

import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { pool } from "../../runtime/storage.ts";
import { type Tensor, tensor } from "../../runtime/tensor.ts";
import { difference, folder, moduleWith, plainModule } from "../programs/harness.ts";
import type { TargetName } from "../../transformer/plan.ts";
import { choosers } from "./choose.ts";
import { halfHostProgram, header, Host } from "./halfHost.ts";
import { runs } from "./runs.ts";

type Root = (...args: readonly unknown[]) => Promise<unknown> | AsyncGenerator<unknown, unknown>;
type Module = Readonly<Record<string, (host: Host) => Root>>;

/** Programs of one file: to make a project of TypeScript takes longer than all else. */
const batch = 25;
const { numRuns, seed } = runs(75, 61);
const batches = Array.from({ length: Math.ceil(numRuns / batch) }, (_, k) => k);
const all = fc.sample(choosers, { numRuns, seed }).map(halfHostProgram);

async function outcome(module: Module, name: string): Promise<unknown> {
  const host = new Host((data) => tensor([...data]));
  const given = [
    tensor([0.5, -1.25, 0.75]),
    tensor([-0.3, 0.2, 0.9]),
    { w: tensor([0.1, -0.4, 0.6]), b: tensor(0.2) },
    0.375,
    Float64Array.of(0.5, -0.25, 1.5),
    [tensor([0.1, 0.2, 0.3]), tensor([-0.5, 0.4, 0.8])],
  ];
  const result = await finished((module[name] as Module[string])(host)(...given));
  return { result, seen: host.seen, given };
}

async function finished(running: ReturnType<Root>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it hangs")), 20_000);
  });
  try {
    return await Promise.race([drained(running), late]);
  } catch (error) {
    const { message } = error as Error;
    // What a fault says, the two sides say in their own words.
    return { threw: /^(at risk|asked too often)$/.test(message) ? message : kindOf(message) };
  } finally {
    clearTimeout(timer);
  }
}

function kindOf(message: string): string {
  return /\[2\]|expected \[|shape/.test(message) ? "shapes" : message;
}

/** What a generator gives, in turn, and what it returns. */
async function drained(running: ReturnType<Root>): Promise<unknown> {
  if (!("next" in running)) return running;
  const given: unknown[] = [];
  for (let k = 0; ; k++) {
    const { done, value } = await running.next(...([k % 2 === 0] as unknown as []));
    given.push(value);
    if (done === true) return given;
    if (k === 40) return [given, await running.return(undefined)];
  }
}

test.each(batches)("random programs, part %i", { timeout: 600_000 }, async (part) => {
  const texts = all.slice(part * batch, (part + 1) * batch);
  const text = `${header}\n${texts.map((one, k) => `export const f${k} = ${one};\n`).join("\n")}`;
  const file = join(folder, "out", "half-host", "main.ts");
  const plain = await plainModule<Module>(file, text);
  const targets: readonly TargetName[] = part % 3 === 0 ? ["js", "wasm"] : ["js"];
  for (const target of targets) {
    const module = (await moduleWith<Module>(file, {
      ...{ target, version: target, compile, text },
    })) as Module;
    for (const [k, own] of texts.entries()) {
      const expected = await outcome(plain, `f${k}`);
      let found: string | undefined;
      try {
        found = difference(await outcome(module, `f${k}`), expected, 1e-4);
      } catch (error) {
        found = String(error);
      }
      if (found !== undefined) expect(`${target}, program ${part}.${k}: ${found}\n${own}`).toBe("");
    }
  }
});

/** A loop that carries a megabyte on, and the bytes that tensors take in each round. */
const carrying = `${header}
type Large = Tensor<[262144]>;
export const f = (bytes: () => number) =>
  compile(async (start: Large, rounds: number, keeps: boolean) => {
    let p = start;
    const seen: number[] = [];
    const kept: Large[] = [];
    for (let k = 0; k < rounds; k++) {
      p = p.mul(0.5).add(1);
      const s = p.mean();
      if (s.item() > 1e6) return { p, seen, kept };
      if (keeps && k % 4 === 0) kept.push(p);
      seen.push(bytes());
    }
    return { p, seen, kept };
  });
`;

test.each(["js", "wasm"] as const)(
  "tensors that are carried on take no new memory, on %s",
  async (target) => {
    type Carrying = Readonly<
      Record<"f", (bytes: () => number) => (...args: readonly unknown[]) => Promise<Carried>>
    >;
    interface Carried {
      readonly p: Tensor;
      readonly seen: readonly number[];
      readonly kept: readonly Tensor[];
    }
    const file = join(folder, "out", "half-host", "main.ts");
    const { f } = await moduleWith<Carrying>(file, {
      ...{ target, version: `carrying-${target}`, compile, text: carrying },
    });
    const megabyte = 2 ** 20;
    const run = f(() => pool.tensorBytes);
    const start = tensor(new Float32Array(2 ** 18));
    const before = pool.tensorBytes;
    const { seen, p } = await run(start, 40, false);
    // `start` moves there, and `p` takes a megabyte.
    expect(Math.max(...seen) - before).toBeLessThan(2.1 * megabyte);
    const kept = await run(start, 40, true);
    expect(Math.max(...kept.seen) - before).toBeGreaterThan(8 * megabyte);
    expect(kept.kept).toHaveLength(10);
    expect(kept.p.dataSync()[5]).toBe(p.dataSync()[5]);
    expect(start.dataSync()[7]).toBe(0);
  },
);

test("many calls leave no tensors behind", { timeout: 120_000 }, async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const settled = async (): Promise<number> => {
    for (let k = 0; k < 5; k++) {
      collect();
      await new Promise((next) => setTimeout(next, 5));
    }
    return pool.tensorBytes;
  };
  const file = join(folder, "out", "half-host", "main.ts");
  const texts = all.slice(0, 10);
  const text = `${header}\n${texts.map((one, k) => `export const f${k} = ${one};\n`).join("\n")}`;
  const module = (await moduleWith<Module>(file, {
    ...{ target: "wasm", version: "calls", compile, text },
  })) as Module;
  const calls = async (count: number): Promise<number> => {
    for (let k = 0; k < count; k++) {
      for (const [one] of texts.entries()) await outcome(module, `f${one}`);
    }
    return settled();
  };
  const [early, late] = [await calls(3), await calls(60)];
  expect(early).toBeLessThan(100_000);
  expect(late).toBeLessThanOrEqual(early);
});
