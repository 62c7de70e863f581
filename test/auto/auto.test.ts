/** Programs for "auto" before a device is there, over the switch, on the device, and without one. */

import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, test, vi } from "vitest";
import type * as Runtime from "../../runtime/index.ts";
import { compile } from "../../compiler/compile.ts";
import { moduleWith } from "../programs/harness.ts";
import { runs } from "../random/runs.ts";
import type * as Main from "./programs/main.ts";
import { type Fresh, fresh, LateGpu, noGpu } from "./support.ts";

type Tensor = Runtime.Tensor;
type Numbers = readonly number[];
/** The roots as a caller without types has them. */
type Loose = { readonly [K in keyof typeof Main]: (...args: unknown[]) => unknown };

const file = join(import.meta.dirname, "programs/main.ts");

afterAll(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** What tests call of a fresh runtime. */
class Programs {
  readonly runtime: typeof Runtime;
  readonly roots: Loose;

  constructor({ runtime, roots }: Fresh<Loose>) {
    this.runtime = runtime;
    this.roots = roots;
  }

  call(name: keyof typeof Main, ...args: readonly unknown[]): Tensor {
    return this.roots[name](...args) as Tensor;
  }

  single(values: Numbers): Tensor {
    return this.runtime.tensor([...values], [values.length]);
  }

  ready(): Promise<Runtime.DeviceReport> {
    return new Promise(this.runtime.onReady);
  }

  whyNot(target: string): string {
    return this.runtime.device().others.find((other) => other.target === target)?.why ?? "";
  }
}

async function dataOf(value: unknown): Promise<Numbers> {
  return Array.from(await (value as Tensor).data());
}

const staying: readonly (keyof typeof Main)[] = [
  "scaled",
  "scaledDonated",
  "capturing",
  "precise",
  "preciser",
  "number",
  "takenBy",
  "recursive",
  "filled",
  "rest",
];

/** What is the same on wasm and on a device, whatever happens when. */
function behaves(programs: () => Programs): void {
  const call: Programs["call"] = (...args) => programs().call(...args);
  const single: Programs["single"] = (values) => programs().single(values);
  const integers = (...values: number[]): Tensor =>
    programs().runtime.tensor(Int32Array.from(values));

  it("gives tensors at once", async () => {
    const x = single([1, 2, 3]);
    const y = call("twice", call("twice", x));
    expect(y.shape).toEqual([3]);
    expect(await dataOf(y)).toEqual([4, 8, 12]);
    expect(await dataOf(call("total", y))).toEqual([24]);
    expect(await dataOf(x)).toEqual([1, 2, 3]);
  });

  it("promises plain results", async () => {
    const x = Float32Array.of(1, 3);
    const later = call("halved", x);
    expect(later).toBeInstanceOf(Promise);
    // The call has its own copy.
    x.fill(0);
    expect(await later).toEqual(Float32Array.of(0.5, 1.5));
    const isLong = call("isLong", Int32Array.of(1, 2, 3));
    expect(isLong).toBeInstanceOf(Promise);
    expect(await isLong).toBe(true);
    const worded = call("worded", single([1, 2, 3]));
    expect(worded).toBeInstanceOf(Promise);
    const { y, word } = (await worded) as unknown as { readonly y: Tensor; readonly word: string };
    expect([await dataOf(y), word]).toEqual([[-1, -2, -3], "same"]);
  });

  it("takes arguments over", async () => {
    let p = single([10, 10]);
    for (let k = 0; k < 4; k++) {
      const before = p;
      const next = call("donated", p, single([1, 2])) as unknown as { p: Tensor; change: Tensor };
      ({ p } = next);
      expect(await dataOf(next.change)).toEqual([3]);
      expect(() => call("twice", before)).toThrow("was donated to `donated`");
      await expect(before.data()).rejects.toThrow("was donated to `donated`");
    }
    expect(await dataOf(p)).toEqual([6, 2]);
  });

  it("keeps doubles, on wasm", async () => {
    const x = call("twice", single([1, 2]));
    expect(await dataOf(call("scaled", x, 0.5))).toEqual([1, 2]);
    expect(await dataOf(call("twice", call("scaled", x, 0.5)))).toEqual([2, 4]);
    expect(await dataOf(call("precise", x))).toEqual([2 / 3, 4 / 3]);
    const precise = call("preciser", call("precise", x));
    expect(await dataOf(precise)).toEqual([2 / 3 + 1e-12, 4 / 3 + 1e-12]);
    const later = call("number", 1);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(1 / 3);
    const taken = call("scaledDonated", x, 3) as unknown as { x: Tensor; sum: Tensor };
    expect(() => call("twice", x)).toThrow("was donated to `scaledDonated`");
    expect([await dataOf(taken.x), await dataOf(taken.sum)]).toEqual([[6, 12], [6]]);
  });

  it("runs what no device can", async () => {
    expect(await call("recursive", Float32Array.of(2, 3, 9), Int32Array.of(1, 1, 0))).toEqual(
      Float32Array.of(6),
    );
    expect(await call("filled", Int32Array.of(2))).toEqual(Float32Array.of(1, 1));
    const rest = call("rest", single([1, 2, 3]), Float32Array.of(4, 5), Int32Array.of(1));
    const { x, y } = rest as unknown as { readonly x: Tensor; readonly y: Tensor };
    expect([await dataOf(x), await dataOf(y)]).toEqual([[-1, -2, -3], [5]]);
  });

  it("reads what it captures at every call", async () => {
    const { setScale } = programs().roots;
    const x = call("twice", single([1, 2, 3]));
    setScale(2, single([1, 1, 1]));
    const first = [call("shifted", x), call("capturing", x)];
    setScale(-1, single([0, 0, 5]));
    expect(await dataOf(call("shifted", x))).toEqual([2, 4, 11]);
    expect(await dataOf(call("capturing", x))).toEqual([-2, -4, -6]);
    expect(await Promise.all(first.map(dataOf))).toEqual([
      [3, 5, 7],
      [4, 8, 12],
    ]);
  });

  it("fails where it is waited for, and nothing else does", async () => {
    const x = call("twice", single([1, 2, 3, 4]));
    const bad = call("taken", x, integers(0, 7));
    const alsoBad = call("takenBy", x, integers(0, 7), 2);
    const after = [
      call("twice", bad),
      call("scaled", bad, 2),
      call("twice", call("scaled", bad, 2)),
    ];
    const good = call("taken", x, integers(0, 3));
    for (const one of [bad, alsoBad, ...after, bad]) {
      await expect(one.data()).rejects.toThrow("index 7 is out of range for length 4");
    }
    expect(await dataOf(good)).toEqual([2, 8]);
    const picked = call("picked", Float32Array.of(1, 2), Int32Array.of(2));
    await expect(picked).rejects.toThrow("index 2 is out of range for length 2");
    await expect(picked).rejects.toThrow(RangeError);
    expect(await dataOf(call("twice", good))).toEqual([4, 16]);
  });

  it("refuses arguments that do not fit at once", async () => {
    expect(() => call("twice", [1, 2])).toThrow("x: expected");
    expect(() => call("halved", [1])).toThrow("x: expected a Float32Array");
    expect(() => call("number", "1")).toThrow("x: expected a number, got a string");
    expect(() => call("donated", single([1, 2]), single([1]))).toThrow("by: ");
    const gone = call("twice", single([1]));
    gone[Symbol.dispose]();
    expect(() => call("twice", gone)).toThrow("this tensor was disposed of");
    expect(() => call("scaled", gone, 1)).toThrow("this tensor was disposed of");
  });

  it("has taken what is disposed of after the call", async () => {
    const x = call("twice", single([1, 2]));
    const results = [call("scaled", x, 2), call("twice", x)];
    x[Symbol.dispose]();
    expect(await Promise.all(results.map(dataOf))).toEqual([
      [4, 8],
      [4, 8],
    ]);
  });

  it("says why some programs stay on wasm", () => {
    const { staying: said } = programs().runtime.device();
    expect(said.map(({ program }) => program).sort()).toEqual([...staying].sort());
    const whyOf = (name: string): string => said.find(({ program }) => program === name)?.why ?? "";
    for (const name of ["scaled", "capturing", "precise", "number"]) {
      expect(whyOf(name)).toBe(
        `\`${name}\` takes or gives doubles, and webgpu computes in single precision`,
      );
    }
    expect(whyOf("recursive")).toContain("a function in it calls itself");
    expect(whyOf("filled")).toContain("it asks for memory, and only the device knows how much");
    expect(whyOf("rest")).toContain("its length is known on webgpu only later");
  });
}

describe("while the device is being opened", () => {
  let programs: Programs;
  beforeAll(async () => {
    programs = new Programs(await fresh<Loose>(file, new LateGpu().gpu));
  });
  behaves(() => programs);

  it("runs on wasm", async () => {
    const later = programs.single([1, 2, 3]);
    expect(programs.call("twice", later).dataSync()).toEqual(Float32Array.of(2, 4, 6));
    expect(programs.call("here", programs.call("twice", later)).dataSync()[0]).toBe(4);
    expect(programs.runtime.device().inUse).toBe("wasm");
    expect(programs.whyNot("webgpu")).toBe("WebGPU is being opened");
    let told = 0;
    programs.runtime.onReady(() => told++);
    await new Promise((next) => setTimeout(next, 20));
    expect(told).toBe(0);
  });
});

describe("on the device", () => {
  let programs: Programs;
  const late = new LateGpu();
  beforeAll(async () => {
    programs = new Programs(await fresh<Loose>(file, late.gpu));
    late.open();
    await programs.ready();
  });
  behaves(() => programs);

  it("says so", async () => {
    expect(programs.runtime.device().inUse).toBe("webgpu");
    expect(programs.whyNot("wasm")).toBe("WebGPU goes first, and is there");
    const said: string[] = [];
    programs.runtime.onReady(({ inUse }) => said.push(inUse));
    await new Promise((next) => setTimeout(next));
    expect(said).toEqual(["webgpu"]);
  });

  it("keeps elements there", () => {
    const y = programs.call("twice", programs.single([1, 2, 3]));
    expect(() => y.dataSync()).toThrow("this tensor is on WebGPU, which answers later");
    // Programs that are for wasm alone cannot wait.
    expect(() => programs.call("here", y)).toThrow("take its elements by `await x.data()`");
    const away = () => programs.call("rest", y, Float32Array.of(1), Int32Array.of(0));
    expect(away).toThrow("take its elements by `await x.data()`");
    const awaited = programs.call("scaled", y, 2);
    expect(() => awaited.dataSync()).toThrow("the elements of this tensor are not there yet");
    expect(String(awaited)).toBe("tensor f32[3]");
  });

  it("has results of wasm here when they have come", async () => {
    const y = programs.call("scaled", programs.call("twice", programs.single([1, 2, 3])), 2);
    await y.data();
    expect(y.dataSync()).toEqual(Float32Array.of(4, 8, 12));
    expect(programs.call("here", y).dataSync()).toEqual(Float32Array.of(8, 16, 24));
  });

  it("does not lose digits of doubles that pass", async () => {
    const x = programs.call("twice", programs.single([1, 2]));
    const y = programs.call("precise", x);
    expect(await dataOf(programs.call("preciser", y))).toEqual([2 / 3 + 1e-12, 4 / 3 + 1e-12]);
    expect(await dataOf(y)).toEqual([2 / 3, 4 / 3]);
  });
});

describe("after the device was lost", () => {
  let programs: Programs;
  let there: Tensor;
  beforeAll(async () => {
    const late = new LateGpu();
    programs = new Programs(await fresh<Loose>(file, late.gpu));
    late.open();
    await programs.ready();
    there = programs.call("twice", programs.single([1, 2, 3]));
    expect(await dataOf(there)).toEqual([2, 4, 6]);
    late.device?.destroy();
    await late.device?.lost;
    await new Promise((next) => setTimeout(next));
  });
  behaves(() => programs);

  it("says so", () => {
    expect(programs.runtime.device().inUse).toBe("wasm");
    expect(programs.whyNot("webgpu")).toContain("the WebGPU device was lost");
  });

  it("has not what was on it", async () => {
    const lost = "the WebGPU device was lost, and what was on it";
    await expect(there.data()).rejects.toThrow(lost);
    await expect(programs.call("twice", there).data()).rejects.toThrow(lost);
    await expect(programs.call("worded", there)).rejects.toThrow(lost);
  });
});

describe("without a device", () => {
  let programs: Programs;
  beforeAll(async () => {
    programs = new Programs(await fresh<Loose>(file, noGpu));
  });
  behaves(() => programs);

  it("stays on wasm and says why", async () => {
    const { inUse, others } = await programs.ready();
    expect(inUse).toBe("wasm");
    expect(others).toEqual([
      { target: "webgpu", why: expect.stringContaining("no graphics device that it can use") },
      { target: "webgl", why: expect.stringContaining("no WebGL outside of browsers") },
    ]);
  });
});

describe("over the switch", () => {
  it("carries state, without waiting for it", async () => {
    const late = new LateGpu();
    const programs = new Programs(await fresh<Loose>(file, late.gpu));
    const by = programs.single([1, 2]);
    let p = programs.single([0, 0]);
    let steps = 0;
    const step = (): void => {
      const next = programs.call("donated", p, by) as unknown as { p: Tensor };
      ({ p } = next);
      steps++;
    };
    step();
    expect(p.dataSync()).toEqual(Float32Array.of(-1, -2));
    step();
    const ready = programs.ready();
    late.open();
    while (programs.runtime.device().inUse === "wasm") {
      step();
      if (steps % 3 === 0) p = programs.call("scaled", p, 1);
      await new Promise((next) => setTimeout(next));
    }
    await ready;
    step();
    expect(() => p.dataSync()).toThrow("this tensor is on WebGPU");
    for (let k = 0; k < 5; k++) {
      step();
      p = programs.call("scaled", p, 1);
      step();
    }
    expect(await dataOf(p)).toEqual([-steps, -2 * steps]);
    expect(await dataOf(by)).toEqual([1, 2]);
  });

  it("keeps what failed before it", async () => {
    const late = new LateGpu();
    const programs = new Programs(await fresh<Loose>(file, late.gpu));
    const { tensor } = programs.runtime;
    const x = programs.single([1, 2, 3, 4]);
    const bad = programs.call("taken", x, tensor(Int32Array.of(0, 7)));
    late.open();
    await programs.ready();
    const after = programs.call("twice", bad);
    expect(await dataOf(programs.call("twice", x))).toEqual([2, 4, 6, 8]);
    await expect(after.data()).rejects.toThrow("index 7 is out of range");
    await expect(bad.data()).rejects.toThrow("index 7 is out of range");
  });

  it("trains as on wasm", async () => {
    const training = join(import.meta.dirname, "../builds/training.ts");
    type Training = { readonly train: (steps: number) => Generator<Tensor> };
    const expected: number[] = [];
    const { roots: host } = await fresh<Training>(training, noGpu, "wasm");
    for (const loss of host.train(60)) expected.push((await loss.data())[0] as number);
    const late = new LateGpu();
    const { roots, runtime } = await fresh<Training>(training, late.gpu);
    const found: number[] = [];
    const away: boolean[] = [];
    for (const loss of roots.train(60)) {
      away.push(throws(() => loss.dataSync()));
      found.push((await loss.data())[0] as number);
      if (found.length === 20) {
        late.open();
        await new Promise(runtime.onReady);
      }
    }
    expect(away).toEqual(Array.from({ length: 60 }, (_, k) => k >= 20));
    expect(found.slice(0, 20)).toEqual(expected.slice(0, 20));
    found.forEach((loss, k) => expect(loss).toBeCloseTo(expected[k] as number, 4));
    expect(found.at(-1)).toBeLessThan(0.3 * (found[0] as number));
  });

  it("computes random chains of calls", async () => {
    const late = new LateGpu();
    const programs = new Programs(await fresh<Loose>(file, late.gpu));
    const names = ["twice", "scaled", "donated", "read", "wait"] as const;
    const chain = fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(3)), { maxLength: 12 });
    const property = fc.asyncProperty(chain, async (steps) => {
      const values = [4, 5, 6, 7].map((k) => [k, -k]);
      const tensors = values.map((one) => programs.single(one));
      for (const [name, at] of steps) {
        const [x, value] = [tensors[at] as Tensor, values[at] as number[]];
        const from = (at + 1) % 4;
        switch (name) {
          case "twice":
            tensors[at] = programs.call("twice", x);
            values[at] = value.map((v) => 2 * v);
            break;
          case "scaled":
            tensors[at] = programs.call("scaled", x, 0.5);
            values[at] = value.map((v) => v / 2);
            break;
          case "donated": {
            const by = tensors[from] as Tensor;
            const next = programs.call("donated", x, by) as unknown as { p: Tensor };
            tensors[at] = next.p;
            values[at] = value.map((v, k) => v - ((values[from] as number[])[k] as number));
            break;
          }
          case "read":
            expect(await dataOf(x)).toEqual(value);
            break;
          case "wait":
            await new Promise((next) => setTimeout(next));
        }
      }
      expect(await Promise.all(tensors.map(dataOf))).toEqual(values);
    });
    await fc.assert(property, runs(20, 41));
    late.open();
    await fc.assert(property, runs(20, 42));
    await programs.ready();
    await fc.assert(property, runs(40, 43));
    expect(programs.runtime.device().inUse).toBe("webgpu");
  });
});

describe("programs on the device", () => {
  it("stay on wasm, and say why, where it does not take their kernels", async () => {
    const late = new LateGpu((code) => (code.includes("1234.5") ? `${code} nonsense` : code));
    const programs = new Programs(await fresh<Loose>(file, late.gpu));
    late.open();
    await programs.ready();
    expect(programs.runtime.device().inUse).toBe("webgpu");
    const { staying: said } = programs.runtime.device();
    expect(said.map(({ program }) => program).sort()).toEqual([...staying, "marked"].sort());
    const { why } = said.find(({ program }) => program === "marked") ?? {};
    expect(why).toContain("WebGPU does not take a kernel, which is a fault of the compiler");
    const x = programs.call("twice", programs.single([1, 2, 3]));
    expect(await dataOf(programs.call("marked", x))).toEqual([2469, 4938, 7407]);
  });

  it("run on wasm until it has compiled them, unless their arguments are there", async () => {
    const late = new LateGpu();
    const programs = new Programs(await fresh<Loose>(file, late.gpu));
    late.open();
    await programs.ready();
    const there = programs.call("twice", programs.single([1, 2]));
    const later = await more<{ minus: (x: Tensor) => Tensor }>("later.ts");
    const here = programs.single([3, 4]);
    expect(later.minus(here).dataSync()).toEqual(Float32Array.of(-3, -4));
    const minus = later.minus(there);
    expect(() => minus.dataSync()).toThrow("this tensor is on WebGPU");
    expect(await dataOf(minus)).toEqual([-2, -4]);
    expect(() => later.minus(here).dataSync()).toThrow("this tensor is on WebGPU");
    expect(await dataOf(later.minus(here))).toEqual([-3, -4]);
  });

  it("are compiled first where they are loaded while it is opened", async () => {
    const late = new LateGpu();
    const programs = new Programs(await fresh<Loose>(file, late.gpu));
    const later = await more<{ minus: (x: Tensor) => Tensor }>("later.ts");
    late.open();
    await programs.ready();
    expect(() => later.minus(programs.single([1])).dataSync()).toThrow("is on WebGPU");
  });
});

test("programs of which none can run on a device ask for none", async () => {
  const late = new LateGpu();
  const { runtime, roots } = await fresh<{ third: (x: number) => Promise<number> }>(
    join(import.meta.dirname, "staying/main.ts"),
    late.gpu,
  );
  expect(await roots.third(1)).toBe(1 / 3);
  const report = await new Promise(runtime.onReady);
  expect(report).toEqual({
    inUse: "wasm",
    others: [
      { target: "webgpu", why: "none of the programs that are loaded can run there" },
      { target: "webgl", why: "none of the programs that are loaded can run there" },
    ],
    staying: [{ program: "third", why: expect.stringContaining("takes or gives doubles") }],
  });
  late.open();
  await new Promise((next) => setTimeout(next, 50));
  expect(late.device).toBeUndefined();
});

describe("without programs for it", () => {
  it("is the file that runs as it is", async () => {
    vi.resetModules();
    const { compile, device, onReady, tensor } = await import("../../lang/index.ts");
    const twice = compile((x: Runtime.Tensor) => x, { target: "auto" });
    const root = compile((x: number) => x / 2, { target: "auto" });
    expect(twice(tensor([1, 2]) as unknown as Tensor).dataSync()).toEqual(Float32Array.of(1, 2));
    const later = root(3);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(1.5);
    const why = "nothing here is compiled: the files run as they are, eagerly";
    const report = {
      inUse: "js",
      others: [
        { target: "webgpu", why },
        { target: "webgl", why },
        { target: "wasm", why },
      ],
      staying: [],
    };
    expect(device()).toEqual(report);
    expect(await new Promise(onReady)).toEqual(report);
  });
});

/** One more file, compiled for the runtime of the programs that were loaded last. */
function more<M extends object>(name: string): Promise<M> {
  const other = join(import.meta.dirname, "programs", name);
  return moduleWith<M>(other, { target: "auto", version: `auto-${name}`, compile });
}

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}
