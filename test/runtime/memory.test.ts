/** The shared memory: blocks given out, given back, joined; tensors that outlive their use. */

import { describe, expect, it } from "vitest";
import { Memory } from "../../runtime/memory.ts";
import { arrayType, type Value } from "../../compiler/ir/types.ts";
import { pool } from "../../runtime/storage.ts";
import { tensor } from "../../runtime/tensor.ts";
import { compileFn, fnOf } from "../kernel/support.ts";

describe("Memory", () => {
  it("gives out blocks that do not overlap, at multiples of 16", () => {
    const memory = new Memory();
    const blocks = [1, 16, 17, 100, 65536 * 3].map((bytes) => [memory.allocate(bytes), bytes]);
    const sorted = blocks.toSorted(([a = 0], [b = 0]) => a - b);
    sorted.forEach(([at = 0, bytes = 0], k) => {
      expect(at % 16).toBe(0);
      const next = sorted[k + 1]?.[0] ?? Infinity;
      expect(at + bytes).toBeLessThanOrEqual(next);
    });
  });

  it("uses freed neighbours as one block", () => {
    const memory = new Memory();
    const [a, b, c] = [memory.allocate(64), memory.allocate(64), memory.allocate(64)];
    memory.allocate(64);
    memory.release(b);
    memory.release(a);
    memory.release(c);
    expect(memory.allocate(192)).toBe(a);
  });

  it("refuses to free what is not allocated", () => {
    expect(() => new Memory().release(4096)).toThrow("nothing is allocated");
  });

  it("keeps contents when it grows", () => {
    const memory = new Memory();
    const at = memory.allocate(8);
    memory.views.f64[at / 8] = 1.5;
    memory.allocate(100 * 65536);
    expect(memory.views.f64[at / 8]).toBe(1.5);
  });
});

describe("tensors in a synchronous loop", () => {
  it("do not grow the memory without bound, and stay right", { timeout: 60_000 }, async () => {
    const type = arrayType("f32", [512, 512]);
    const fn = fnOf([type], (b, [x]) => [b.add(x as Value, 1)]);
    const program = await compileFn(fn, "wasm");
    let value = tensor(new Float32Array(512 * 512), [512, 512]);
    const [first] = program(value);
    for (let k = 0; k < 20_000; k++) {
      const [next] = program(value);
      value = next ?? value;
    }
    expect(value.dataSync()[1234]).toBe(20_000);
    expect(first?.dataSync()[99]).toBe(1);
    expect(pool.memory.extent).toBeLessThan(400 * 2 ** 20);
  });
});

describe("dispose", () => {
  it("gives memory back at the end of a `using` scope", async () => {
    const type = arrayType("f64", [1000]);
    const fn = fnOf([type], (b, [x]) => [b.mul(x as Value, 2)]);
    const program = await compileFn(fn, "js");
    const x = tensor(new Float64Array(1000).fill(3), [1000], "f64");
    program(x);
    const before = pool.tensorBytes;
    {
      using result = program(x)[0] as NonNullable<ReturnType<typeof program>[0]>;
      expect(result.dataSync()[0]).toBe(6);
      expect(pool.tensorBytes).toBe(before + 8000);
    }
    expect(pool.tensorBytes).toBe(before);
  });

  it("makes later uses an error", () => {
    const x = tensor([1, 2]);
    x[Symbol.dispose]();
    expect(() => x.dataSync()).toThrow("disposed");
  });
});

describe("tensors that a program takes over", () => {
  const type = arrayType("f32", [3]);
  const fn = fnOf([type, type], (b, [x, y]) => [b.add(x as Value, y as Value)]);
  const program = () => compileFn(fn, "wasm", { donated: [0] });

  it("give their memory to the result", async () => {
    const add = await program();
    const [start, one] = [tensor([1, 2, 3]), tensor([1, 1, 1])];
    const [first] = add(start, one);
    const before = pool.tensorBytes;
    const [second] = add(first as typeof start, one);
    expect(pool.tensorBytes).toBe(before);
    expect([...(second?.dataSync() ?? [])]).toEqual([3, 4, 5]);
    expect([...one.dataSync()]).toEqual([1, 1, 1]);
    expect(() => start.dataSync()).toThrow("was donated to `f`: go on with what that returned");
    expect(() => add(first as typeof start, one)).toThrow("was donated to `f`");
  });

  it("are read in full where they are another argument too", async () => {
    const add = await program();
    const x = tensor([1, 2, 3]);
    const [sum] = add(x, x);
    expect([...(sum?.dataSync() ?? [])]).toEqual([2, 4, 6]);
    expect(() => x.dataSync()).toThrow("was donated");
  });

  it("stay where a call is refused before it starts", async () => {
    const add = await program();
    const x = tensor([1, 2, 3]);
    expect(() => add(x, tensor([1, 2]))).toThrow("expected [3]");
    expect([...x.dataSync()]).toEqual([1, 2, 3]);
  });
});
