/** Threads of this process: the same results to the last bit, whatever they are asked to do. */

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type Fn, type Value } from "../../compiler/ir/types.ts";
import { fuseRows } from "../../compiler/passes/rows.ts";
import { team } from "../../runtime/link.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import { tensor } from "../../runtime/tensor.ts";
import { useThreads } from "../../runtime/threads.ts";
import { arrayInputs, arrayPrograms } from "../kernel/arrayPrograms.ts";
import { compileFn, expectBits, fnOf, toArray, toTensor } from "../kernel/support.ts";
import { runs } from "../random/runs.ts";

afterEach(() => useThreads(1));

const product = fnOf([arrayType("f32", [130, 257]), arrayType("f32", [257, 65])], (b, [x, y]) => [
  b.dot(x as Value, y as Value, { contract: [[1], [0]] }),
]);
const sums = fnOf([arrayType("f32", [300, 70])], (b, [x]) => [
  b.sum(x as Value, [0]),
  b.sum(b.unary("exp", x as Value), [1]),
]);
const centred = fnOf([arrayType("f64", [200, 150])], (b, [x]) => {
  const total = b.sum(x as Value, [1]);
  return [b.sub(x as Value, b.broadcast(total, [200, 150], [0]))];
});
const rows: Fn = { ...centred, body: fuseRows(centred.body) };

function inputsOf({ body }: Fn): readonly Tensor[] {
  return body.parameters.map(({ type }) => {
    const shape = type.shape as readonly number[];
    const count = shape.reduce((product_, extent) => product_ * extent, 1);
    const data = Array.from({ length: count }, (_, k) => Math.sin(k));
    return toTensor(ndarray(type.dtype, shape, data));
  });
}

describe("threads", () => {
  it.each([
    ["a product", product],
    ["sums", sums],
    ["rows", rows],
  ])("give the results of one: %s", async (_, fn) => {
    const program = await compileFn(fn, "wasm", { forkAbove: 0 });
    const inputs = inputsOf(fn);
    const alone = program(...inputs).map(toArray);
    for (const count of [2, 3, 1, 4]) {
      expect(await useThreads(count)).toBe(count);
      for (let k = 0; k < 20; k++) {
        program(...inputs).forEach((result, place) => {
          expectBits(toArray(result), alone[place] as (typeof alone)[number], `${count} threads`);
        });
      }
    }
  });

  it("give the results of one: random programs", { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(arrayPrograms, async (fn) => {
      const program = await compileFn(fn, "wasm", { forkAbove: 0 });
      const call = () => program(...arrayInputs.map(toTensor)).map(toArray);
      await useThreads(1);
      const alone = call();
      await useThreads(2);
      for (let k = 0; k < 3; k++) {
        call().forEach((result, place) => {
          expectBits(result, alone[place] as (typeof alone)[number], "2 threads");
        });
      }
    });
    await fc.assert(property, runs(40, 13));
  });

  it("do a part of the work", async () => {
    await useThreads(2);
    const program = await compileFn(product, "wasm", { forkAbove: 0 });
    const linked = team.programs.at(-1)?.deref();
    const task = linked?.task;
    const own: number[] = [];
    if (linked !== undefined) {
      linked.task = (kernel, thread, part, parts) => {
        own.push(part);
        task?.(kernel, thread, part, parts);
      };
    }
    const inputs = inputsOf(product);
    const calls = 300;
    for (let k = 0; k < calls; k++) program(...inputs);
    expect(own.length).toBeGreaterThan(0);
    // It is quick only after it has been told of the program: some calls may be too early.
    await vi.waitFor(() => {
      own.length = 0;
      for (let k = 0; k < calls; k++) program(...inputs);
      expect(own.length).toBeLessThan(2 * calls);
    });
  });

  it("see memory that has grown, and tensors from before", async () => {
    const program = await compileFn(product, "wasm", { forkAbove: 0 });
    const inputs = inputsOf(product);
    const alone = program(...inputs).map(toArray);
    await useThreads(2);
    const large = await compileFn(
      fnOf([arrayType("f64", [3_000_000])], (b, [x]) => [b.unary("neg", x as Value)]),
      "wasm",
      { forkAbove: 0 },
    );
    const [negated] = large(tensor(new Float64Array(3_000_000).fill(2.5), [3_000_000], "f64"));
    expect(negated?.dataSync().every((x) => x === -2.5)).toBe(true);
    expectBits(toArray(program(...inputs)[0] as Tensor), alone[0] as never, "grown memory");
  });

  it("are not to be had without shared memory", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    try {
      expect(await useThreads(2)).toBe(1);
    } finally {
      vi.unstubAllGlobals();
    }
    vi.stubGlobal("crossOriginIsolated", false);
    try {
      expect(await useThreads(2)).toBe(1);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(team.crew).toBeUndefined();
  });

  it.each([0, -1, 1.5, NaN])("are a positive number: %s", async (count) => {
    await expect(useThreads(count)).rejects.toThrow(/no number of threads; pass 1 or more/);
  });

  it("come in the number asked for last", async () => {
    const asked = await Promise.all([useThreads(2), useThreads(3), useThreads(2)]);
    expect(asked).toEqual([2, 3, 2]);
    expect(team.crew?.count).toBe(2);
  });

  it("do not keep a process from ending", { timeout: 30_000 }, async () => {
    const module = path.resolve(import.meta.dirname, "../../dist/runtime/index.js");
    const code = `const { useThreads } = await import(${JSON.stringify(module)});
      console.log(await useThreads(3));`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code]);
    expect((await run).stdout).toBe("3\n");
  });
});
