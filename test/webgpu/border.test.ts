/** Values into programs on graphics devices and out of them, and what is said when they do not fit. */

import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { compile, type DeviceTargetName, type TargetName } from "../../compiler/compile.ts";
import { type Tensor, tensor } from "../../runtime/tensor.ts";
import { moduleWith } from "../programs/harness.ts";
import type * as Roots from "./border/main.ts";
import type * as Build from "./build/main.ts";
import { devices, queues } from "./devices.ts";

/** The roots as a caller without types has them: they take what they are given. */
type Loose = { readonly [K in keyof typeof Roots]: (...args: unknown[]) => unknown };

/** The roots of a file, where those for WebGPU are for that device. */
function rootsOn<T extends object>(
  name: string,
  target: DeviceTargetName,
  otherwise: TargetName,
): Promise<T> {
  return moduleWith<T>(join(import.meta.dirname, name, "main.ts"), {
    target: otherwise,
    version: `${name}-${target}`,
    compile: (graph, signature, options) => {
      const own = options.target === "webgpu" ? target : options.target;
      return compile(graph, signature, { ...options, target: own });
    },
  });
}

async function dataOf(value: unknown): Promise<readonly number[]> {
  return Array.from(await (value as Tensor).data());
}

function single(values: readonly number[]): Tensor {
  return tensor([...values], [values.length]);
}

/** Lets the engine collect what nobody has any more. */
async function collected(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  for (let k = 0; k < 3; k++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.each(devices)("%s", (target) => {
  let roots: Loose;
  beforeAll(async () => {
    roots = await rootsOn<Loose>("border", target, "wasm");
  });

  function call(name: keyof typeof Roots, ...args: readonly unknown[]): Tensor {
    return roots[name](...args) as Tensor;
  }

  /** Pieces of the device's memory that are given out, when all work is done. */
  async function pieces(): Promise<number> {
    const gpu = await queues[target].open();
    await gpu.read([]);
    return gpu.memory.count;
  }

  it("takes numbers and booleans and promises them", async () => {
    const later = roots.numbers(1.5, true);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(3);
    expect(await roots.numbers(1.5, false)).toBe(1.5);
    expect(await roots.isMore(2, 1)).toBe(true);
    expect(await roots.isMore(1, 2)).toBe(false);
  });

  it("takes and gives typed arrays and lists, in single precision", async () => {
    const x = Float64Array.of(0.5, 0.1, 1e300);
    const later = roots.doubles(x, 2);
    // The call has its own copy.
    x.fill(0);
    expect(await later).toEqual(Float64Array.of(1, Math.fround(0.2), Infinity));
    expect(await roots.doubles(new Float64Array(0), 2)).toEqual(new Float64Array(0));
    expect(await roots.list([1, 2.5])).toEqual([2, 3.5]);
    expect(await roots.list([])).toEqual([]);
  });

  it("takes and gives records, tuples and tables", async () => {
    const b = Float32Array.of(4, 5);
    const result = await roots.records({ a: 3, b });
    expect(result).toEqual({ sum: 12, isLarge: true, pair: [3, b], word: "same" });
    const rows = [
      { x: 1, ok: true },
      { x: -2.5, ok: false },
    ];
    const expected = [
      { x: -1, ok: false },
      { x: 2.5, ok: true },
    ];
    expect(await roots.table(rows)).toEqual(expected);
    expect(await roots.table([])).toEqual([]);
  });

  it("takes and gives bytes, words and halves", async () => {
    const b = Int32Array.of(-1, 2 ** 30);
    expect(await roots.words(Uint8Array.of(1, 6, 255), b)).toEqual({
      a: Uint8Array.of(251, 0, 249),
      b: Int32Array.of(-3, (3 * 2 ** 30) | 0),
    });
    const x = Float16Array.of(1, -2, 65504);
    expect(await roots.halves(x)).toEqual(x.map((v) => v / 3));
    const y = call("halfTensors", tensor(Float16Array.of(1.5, 300, -0.1)));
    expect(y.dtype).toBe("f16");
    expect(await y.data()).toEqual(Float16Array.of(2.25, Infinity, f16(-0.1) ** 2));
  });

  it("takes and gives tensors without axes", async () => {
    const x = call("rankZero", tensor(3), tensor(0.5));
    expect(x.shape).toEqual([]);
    expect(await x.toArray()).toBe(1.5);
    expect(await call("rankZero", x, x).toArray()).toBe(2.25);
  });

  it("serves every length with one program", async () => {
    for (const n of [3, 0, 1, 300, 70_000]) {
      const x = tensor(Float32Array.from({ length: n }, (_, k) => k % 7));
      const y = call("twice", x);
      expect(y.shape).toEqual([n]);
      expect(await y.data()).toEqual(x.dataSync().map((v) => 2 * v));
      const sum = Array.from(x.dataSync()).reduce((a, v) => a + v, 0);
      expect(await dataOf(roots.total(x))).toEqual([sum]);
      expect(await dataOf(roots.total(y))).toEqual([2 * sum]);
    }
  });

  it("promises what has a number beside its tensors", async () => {
    const later = roots.mixed(single([1, 2, 3]));
    expect(later).toBeInstanceOf(Promise);
    const { total, count } = (await later) as { readonly total: Tensor; readonly count: number };
    expect(count).toBe(3);
    expect(await dataOf(total)).toEqual([6]);
  });

  it("takes arguments over", async () => {
    const by = single([2, 4]);
    let p = single([1, 1]);
    for (let k = 0; k < 3; k++) {
      const before = p;
      p = call("donated", p, by);
      expect(() => before.dataSync()).toThrow("was donated to `donated`");
      expect(() => roots.twice(before)).toThrow("was donated to `donated`");
    }
    expect(await dataOf(p)).toEqual([-2, -5]);
    expect(await dataOf(by)).toEqual([2, 4]);
    // The same tensor twice cannot be written in place.
    const q = single([8, 4]);
    expect(await dataOf(roots.donated(q, q))).toEqual([4, 2]);
  });

  it("reuses the memory of what it takes over, or gives it back", async () => {
    const by = single([2, 4]);
    let p = call("donated", single([1, 1]), by);
    // Once the program is there.
    expect(await dataOf(p)).toEqual([0, -1]);
    const before = await pieces();
    for (let k = 0; k < 20; k++) p = call("donated", p, by);
    expect(await pieces()).toBe(before);
    const sum = call("consumed", p);
    expect(await dataOf(sum)).toEqual([2 - 21 * 1 - 21 * 2]);
    sum[Symbol.dispose]();
    expect(await pieces()).toBe(before - 1);
    by[Symbol.dispose]();
    expect(await pieces()).toBe(before - 2);
  });

  it("forgets copies of what another target has written", async () => {
    const by = single([2, 2]);
    const p = single([1, 1]);
    await dataOf(roots.twice(p));
    const next = call("donatedHere", p, by);
    expect(next.dataSync()).toEqual(Float32Array.of(0, 0));
    expect(await dataOf(roots.twice(next))).toEqual([0, 0]);
    // And the other way: here first, then there.
    expect(call("twiceHere", next).dataSync()).toEqual(Float32Array.of(0, 0));
    expect(await dataOf(roots.donated(next, by))).toEqual([-1, -1]);
  });

  it("reads what it captures at every call", async () => {
    const x = single([1, 2, 3]);
    roots.setScale(2, single([1, 1, 1]));
    const first = roots.captured(x);
    roots.setScale(-1, single([0, 0, 5]));
    expect(await dataOf(roots.captured(x))).toEqual([-1, -2, 2]);
    expect(await dataOf(first)).toEqual([3, 5, 7]);
  });

  it("says where an index is out of range, as wasm does", async () => {
    const x = Float32Array.of(1, 2, 3);
    const message = messageOf(() => roots.pickedHere(x, Int32Array.of(3)));
    const names = message.replaceAll("pickedHere", "picked");
    await expect(roots.picked(x, Int32Array.of(3))).rejects.toThrow(names);
    await expect(roots.picked(x, Int32Array.of(3))).rejects.toThrow(RangeError);
    expect(await roots.picked(x, Int32Array.of(2))).toBe(6);
    // The host knows this index, and says it later too.
    const here = messageOf(() => roots.pickedByHere(x, -1)).replaceAll("pickedByHere", "pickedBy");
    await expect(roots.pickedBy(x, -1)).rejects.toThrow(here);
    expect(await roots.pickedBy(x, 1)).toBe(4);
  });

  it("fails with the tensors that failed, and with no others", async () => {
    const x = single([1, 2, 3, 4]);
    const good = call("taken", x, tensor(Int32Array.of(0, 3)));
    const bad = call("taken", x, tensor(Int32Array.of(0, 7)));
    const after = call("twice", bad);
    const other = call("twice", good);
    const alsoBad = call("taken", x, tensor(Int32Array.of(-9, 0)));
    expect(await dataOf(other)).toEqual([2, 8]);
    expect(await dataOf(good)).toEqual([1, 4]);
    for (let k = 0; k < 2; k++) {
      await expect(bad.data()).rejects.toThrow("index 7 is out of range for length 4");
      await expect(after.data()).rejects.toThrow("index 7 is out of range for length 4");
    }
    await expect(alsoBad.data()).rejects.toThrow("index -9 is out of range for length 4");
    await expect(call("twice", bad).data()).rejects.toThrow("index 7");
    await expect(roots.mixed(after)).rejects.toThrow("index 7");
    expect(await dataOf(roots.twice(good))).toEqual([2, 8]);
  });

  it("knows what failed among very many calls", async () => {
    const x = single([1, 2, 3, 4]);
    const bad = call("taken", x, tensor(Int32Array.of(0, 7)));
    let y = call("twice", bad);
    for (let k = 0; k < 600; k++) {
      const next = call("twice", y);
      y[Symbol.dispose]();
      y = next;
    }
    const good = call("twice", x);
    expect(await dataOf(good)).toEqual([2, 4, 6, 8]);
    await expect(y.data()).rejects.toThrow("index 7");
    await expect(bad.data()).rejects.toThrow("index 7");
  });

  it("refuses arguments of a wrong type at once", () => {
    expect(() => roots.numbers("3", true)).toThrow("x: expected a number, got a string");
    expect(() => roots.twice([1, 2])).toThrow("x: expected");
    expect(() => roots.halfTensors(single([1, 2, 3]))).toThrow("x: ");
    expect(() => roots.rankZero(single([1]), tensor(1))).toThrow("x: ");
    expect(() => roots.donated(single([1, 2]), single([1]))).toThrow("by: ");
  });

  it("reads a result as often as one likes", async () => {
    const x = call("twice", single([1, 2]));
    const [one, two] = await Promise.all([x.data(), x.data()]);
    expect(one).toEqual(Float32Array.of(2, 4));
    expect(two).toEqual(one);
    one?.fill(0);
    expect(await x.data()).toEqual(two);
    expect(await x.toArray()).toEqual([2, 4]);
  });

  it("passes tensors of other targets to the device, and not back without waiting", async () => {
    const here = call("twiceHere", single([1, 2]));
    const there = call("twice", here);
    expect(await dataOf(there)).toEqual([4, 8]);
    expect(here.dataSync()).toEqual(Float32Array.of(2, 4));
    expect(() => roots.twiceHere(there)).toThrow("take its elements by `await x.data()`");
    expect(() => there.dataSync()).toThrow(
      `this tensor is on ${queues[target].name}, which answers later`,
    );
    expect(String(there)).toBe("tensor f32[2]");
    const back = tensor(await there.data());
    expect(call("twiceHere", back).dataSync()).toEqual(Float32Array.of(8, 16));
  });

  it("disposes of tensors", async () => {
    const x = call("twice", single([1, 2]));
    const y = call("twice", x);
    x[Symbol.dispose]();
    x[Symbol.dispose]();
    expect(() => roots.twice(x)).toThrow("this tensor was disposed of");
    await expect(x.data()).rejects.toThrow("this tensor was disposed of");
    expect(await dataOf(y)).toEqual([4, 8]);
  });

  it("gives all memory back that calls took", async () => {
    const x = single([1, 2, 3]);
    await dataOf(roots.twice(x));
    await collected();
    const before = await pieces();
    for (let k = 0; k < 1000; k++) {
      const y = call("twice", x);
      const sum = call("total", y);
      y[Symbol.dispose]();
      sum[Symbol.dispose]();
    }
    expect(await pieces()).toBe(before);
    for (let k = 0; k < 1000; k++) call("twice", call("twice", x));
    await roots.doubles(Float64Array.of(1), 2);
    for (let k = 0; k < 20 && (await pieces()) > before; k++) await collected();
    expect(await pieces()).toBe(before);
  });
});

describe.each(devices)("a build for %s", (target) => {
  it("runs there what gives tensors alone, and all else here", async () => {
    const built = await rootsOn<typeof Build>("build", target, target);
    const x = tensor([1, 2, 3]) as unknown as Parameters<typeof built.value<3>>[0];
    for (const there of [built.value(x), built.slope(x)]) {
      expect(() => there.dataSync()).toThrow(`this tensor is on ${queues[target].name}`);
    }
    expect(await dataOf(built.value(x))).toEqual([14]);
    expect(await dataOf(built.slope(x))).toEqual([2, 4, 6]);
    expect(built.number(2)).toBe(12);
    const { y, n } = built.mixed(x);
    expect([...y.dataSync(), n]).toEqual([-1, -2, -3, 3]);
    expect(built.rest(Float32Array.of(1, 2, 3), 1).dataSync()).toEqual(Float32Array.of(2, 3));
    expect(built.pattern(Float32Array.of(1, 2)).shape).toEqual([2, 2]);
    expect(built.here(x).dataSync()).toEqual(Float32Array.of(14));
  });
});

function f16(value: number): number {
  return Float16Array.of(value)[0] as number;
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}
