/** Profiles of programs: their kernels, the lines that these come from, and what is written of them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile as eagerly, type KernelTime, type Profile } from "fluxion";
import { beforeAll, describe, expect, it } from "vitest";
import { compile, type Compiled } from "../../compiler/compile.ts";
import { arrayType, type Value } from "../../compiler/ir/types.ts";
import { profileLaunches } from "../../runtime/gpu/profiler.ts";
import { type Call, loadOn } from "../../runtime/gpu/program.ts";
import { profiler } from "../../runtime/profiler.ts";
import { tensor } from "../../runtime/tensor.ts";
import { webgpu } from "../../runtime/webgpu/gpu.ts";
import { fnOf, graphOf } from "../kernel/support.ts";
import { moduleWith } from "../programs/harness.ts";
import type * as Roots from "./profile/main.ts";
import { shippedFor } from "./support.ts";

const file = join(import.meta.dirname, "profile/main.ts");
const lines = readFileSync(file, "utf8").split("\n");
const build = { target: "wasm", compile } as const;
let roots: typeof Roots;
/** By the names of the roots. */
const compiled = new Map<string, Compiled>();

beforeAll(async () => {
  roots = await moduleWith<typeof Roots>(file, {
    target: "wasm",
    version: "profile",
    profile: true,
    async compile(graph, signature, options) {
      const program = await compile(graph, signature, options);
      compiled.set(signature.name, program);
      return program;
    },
  });
});

/** The lines of the fixture that end in these comments. */
function placesOf(...comments: readonly string[]): readonly string[] {
  return comments.map((comment) => {
    const at = lines.findIndex((line) => line.endsWith(`// ${comment}`));
    if (at < 0) throw new Error(`no line is called ${comment}`);
    return `main.ts:${at + 1}`;
  });
}

function filled(shape: readonly number[], value = (k: number): number => Math.sin(k)) {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Float32Array.from({ length: count }, (_, k) => value(k)),
    shape,
  ) as never;
}

/** The kernel whose name begins so. */
function kernelCalled(profile: Profile, name: string): KernelTime {
  const found = profile.kernels.filter((kernel) => kernel.name.startsWith(name));
  expect(
    found,
    `${name} among ${profile.kernels.map((kernel) => kernel.name).join()}`,
  ).toHaveLength(1);
  return found[0] as KernelTime;
}

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly places: readonly string[]; readonly threads: number };
}

function eventsOf(profile: Profile): readonly TraceEvent[] {
  const { traceEvents } = JSON.parse(profile.trace()) as { traceEvents: readonly TraceEvent[] };
  return traceEvents.filter(({ ph }) => ph === "X");
}

/** What holds of every profile. */
function expectSound(profile: Profile): void {
  const { kernels, milliseconds } = profile;
  const sum = (of: (kernel: KernelTime) => number): number =>
    kernels.reduce((total, kernel) => total + of(kernel), 0);
  for (const kernel of kernels) {
    expect(kernel.milliseconds).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(kernel.milliseconds)).toBe(true);
    expect(kernel.launches).toBeGreaterThan(0);
    expect(kernel.threads).toBeGreaterThanOrEqual(kernel.launches);
  }
  expect(sum((kernel) => kernel.milliseconds)).toBeCloseTo(milliseconds, 6);
  if (milliseconds > 0) expect(sum(({ share }) => share)).toBeCloseTo(1, 6);
  expect(kernels.map((kernel) => kernel.milliseconds)).toEqual(
    kernels.map((kernel) => kernel.milliseconds).sort((a, b) => b - a),
  );
  const events = eventsOf(profile);
  expect(events).toHaveLength(sum(({ launches }) => launches));
  for (const { name, ts, dur, pid, tid, args } of events) {
    expect(kernels.map((kernel) => kernel.name)).toContain(name);
    expect([pid, tid]).toEqual([1, 1]);
    expect(ts).toBeGreaterThanOrEqual(0);
    expect(dur).toBeGreaterThanOrEqual(0);
    expect(args.threads).toBeGreaterThan(0);
  }
  expect(events.reduce((total, { dur }) => total + dur, 0)).toBeCloseTo(1000 * milliseconds, 2);
}

describe("a profile on WebGPU", () => {
  it("has the lines that call the library", async () => {
    const p = { w: filled([16, 16]), b: filled([16]) };
    const x = filled([8, 16]);
    const profile = await roots.layers.profile(p, p, x);
    expectSound(profile);
    expect(profile).toMatchObject({ name: "layers", timing: "device" });
    expect(profile.milliseconds).toBeGreaterThan(0);
    const [places, others] = [placesOf("first layer"), placesOf("second layer")];
    expect(kernelCalled(profile, "dot of x").places).toEqual(places);
    expect(kernelCalled(profile, "dot of h").places.at(-1)).toEqual(others[0]);
    const again = await roots.layers(p, p, x).data();
    expect(await profile.result.data()).toEqual(again);
  });

  it("tells apart what one kernel does for two lines", async () => {
    const { kernels, result } = await roots.powers.profile(filled([16, 16]), filled([16, 16]));
    expect(compiled.get("powers")?.code).toMatchObject({ launches: [0, 0] });
    expect(kernels.map(({ places }) => places.join()).sort()).toEqual(
      [...placesOf("square"), ...placesOf("cube")].sort(),
    );
    expect(await result.data()).toEqual(
      await roots.powers(filled([16, 16]), filled([16, 16])).data(),
    );
  });

  it("has all lines of a kernel that several became", async () => {
    const profile = await roots.fused.profile(filled([100]));
    expectSound(profile);
    expect(profile.kernels).toHaveLength(1);
    const [kernel] = profile.kernels;
    expect(kernel).toMatchObject({ launches: 1, threads: 100, name: "value: f32[N]" });
    expect(kernel?.places).toEqual(placesOf("doubled", "and one"));
    expect((await profile.result.data())[1]).toBeCloseTo(2 * Math.sin(1) + 1, 6);
  });

  it("has the lines of kernels that do not wait for each other", async () => {
    const profile = await roots.apart.profile(filled([10]), filled([20]));
    expectSound(profile);
    expect(profile.kernels).toHaveLength(1);
    const [kernel] = profile.kernels;
    expect(kernel).toMatchObject({ launches: 1, threads: 30, name: "a: f32[N]; b: f32[M]" });
    expect(kernel?.places).toEqual(placesOf("left", "right"));
  });

  it.each([1, 7, 5000])("counts the launches of %i rounds", async (n) => {
    const profile = await roots.repeated.profile(
      filled([4, 4], (k) => (k % 5 === 0 ? 1 : 0)),
      n,
    );
    expectSound(profile);
    const [place] = placesOf("each round");
    const each = profile.kernels.find(({ places }) => places.includes(place as string));
    expect(each?.launches).toBe(n);
    expect(profile.milliseconds).toBeGreaterThan(0);
    const identity = Array.from({ length: 16 }, (_, k) => (k % 5 === 0 ? 1 : 0));
    expect([...(await profile.result.data())]).toEqual(identity);
  });

  it("has the lines that were differentiated", async () => {
    const profile = await roots.slope.profile(filled([50]));
    expectSound(profile);
    const places = profile.kernels.flatMap((kernel) => kernel.places);
    expect(places).toEqual(expect.arrayContaining([...placesOf("sine", "energy")]));
    expect((await profile.result.data())[2]).toBeCloseTo(Math.sin(2 * Math.sin(2)), 5);
  });

  it("names what is copied", async () => {
    const profile = await roots.copied.profile(filled([30]));
    expectSound(profile);
    // That of an argument comes from no line.
    const copies = profile.kernels.filter(({ name }) => name === "copy of an array");
    expect(copies.map(({ places }) => places.join()).sort()).toEqual(["", ...placesOf("once")]);
    expect(copies.map(({ launches, threads }) => [launches, threads])).toEqual([
      [1, 30],
      [1, 30],
    ]);
  });

  it("has the lines of a loop whose rounds are threads", async () => {
    const profile = await roots.rounds.profile(Float32Array.of(1, 2, 3));
    expectSound(profile);
    const [place] = placesOf("element");
    const [kernel] = profile.kernels.filter(({ places }) => places.includes(place as string));
    expect(kernel).toMatchObject({ launches: 1 });
    expect(profile.result).toEqual(Float32Array.of(1, 4, 9));
  });

  it("comes with results that are no tensors", async () => {
    const { result, kernels } = await roots.plain.profile(filled([4], (k) => k));
    expect(result).toEqual({ total: 6, count: 4 });
    expect(kernels.length).toBeGreaterThan(0);
  });

  it("rejects where the call fails", async () => {
    const x = Float32Array.of(1, 2);
    expect((await roots.picked.profile(x, Int32Array.of(1))).result).toBe(4);
    await expect(roots.picked.profile(x, Int32Array.of(2))).rejects.toThrow(RangeError);
    const wrong = roots.picked.profile as (...args: unknown[]) => Promise<unknown>;
    await expect(wrong("no array")).rejects.toThrow(TypeError);
    // What comes after it is not disturbed.
    expect(await roots.picked(x, Int32Array.of(0))).toBe(2);
  });

  it("takes over what the call takes over", async () => {
    const x = filled([3], () => 1) as ReturnType<typeof roots.fused>;
    const { result } = await roots.donated.profile(x);
    expect([...(await result.data())]).toEqual([3, 3, 3]);
    await expect(async () => x.data()).rejects.toThrow("donated");
  });

  it("is of a call without kernels", async () => {
    const profile = await roots.nothing.profile(filled([0]));
    expectSound(profile);
    expect(profile).toMatchObject({ kernels: [], milliseconds: 0 });
  });

  it("asks for what is captured", async () => {
    roots.setScale(5);
    const { result } = await roots.captured.profile(filled([2], () => 1));
    expect([...(await result.data())]).toEqual([5, 5]);
  });

  it("is of its own call alone", async () => {
    const before = roots.fused(filled([9]));
    const first = roots.powers.profile(filled([16, 16]), filled([16, 16]));
    const between = roots.fused(filled([8]));
    const second = roots.fused.profile(between);
    const [powers, fused] = [await first, await second];
    expect(powers.kernels.map(({ launches }) => launches)).toEqual([1, 1]);
    expect(fused.kernels.map(({ threads }) => threads)).toEqual([8]);
    expect(await before.data()).toHaveLength(9);
    expect((await fused.result.data())[0]).toBe(3);
  });

  it("prints a table", async () => {
    const profile = await roots.powers.profile(filled([16, 16]), filled([16, 16]));
    const [title, head, ...rows] = String(profile).split("\n");
    expect(title).toBe(`powers: ${profile.milliseconds.toFixed(3)} ms, timed by device`);
    expect(head).toMatch(/^ +ms +share +launches {2}threads {2}place +kernel$/);
    expect(rows).toHaveLength(2);
    rows.forEach((row, k) => {
      const { places, name } = profile.kernels[k] as KernelTime;
      expect(row).toMatch(/^ *\d+\.\d{3} +\d+\.\d % +1 +\d+ {2}main\.ts:\d+ {2}dot of /);
      expect(row).toContain(`${places[0]}  ${name}`);
    });
  });
});

describe("where the device has no timestamps", () => {
  it("the host times each launch, and says so", async () => {
    const { device } = await webgpu.open();
    const { features } = device;
    expect(features.has("timestamp-query")).toBe(true);
    const having = (value: ReadonlySet<string>): void => {
      Object.defineProperty(device, "features", { value, configurable: true });
    };
    having(new Set());
    const x = filled([4, 4], (k) => (k % 5 === 0 ? 1 : 0));
    const profile = await roots.repeated.profile(x, 20).finally(() => having(features));
    expectSound(profile);
    expect(profile.timing).toBe("host");
    expect(profile.milliseconds).toBeGreaterThan(0);
    const [place] = placesOf("each round");
    const each = profile.kernels.find(({ places }) => places.includes(place as string));
    expect(each?.launches).toBe(20);
    expect((await profile.result.data())[0]).toBe(1);
  });
});

describe("where a device cannot tell launches apart", () => {
  it("all of them are one row", async () => {
    const fn = fnOf([arrayType("f32", [50])], (b, [x]) => [
      b.one("sum", [b.one("neg", [x as Value])], { axes: [0] }),
    ]);
    const { manifest, code } = await shippedFor(graphOf(fn));
    const together = (call: Call) => profileLaunches(call);
    const program = loadOn(webgpu, manifest, code, undefined, {
      ...profiler,
      on: { webgpu: together, webgl: together },
    });
    const profile = (await program.profile(filled([50], () => 1))) as unknown as Profile;
    expectSound(profile);
    expect(profile.timing).toBe("call");
    const { name } = manifest;
    expect(profile.kernels).toMatchObject([{ name, places: [], launches: 1, share: 1 }]);
    const [total] = profile.result as readonly [{ data: () => Promise<Float32Array> }];
    expect([...(await total.data())]).toEqual([-50]);
  });
});

describe("on the host", () => {
  it.each(["onWasm", "onJs"] as const)("%s is one row", async (name) => {
    const profile = await roots[name].profile(Float64Array.of(1, 2));
    expectSound(profile);
    expect(profile).toMatchObject({ name, timing: "call", result: Float64Array.of(0.5, 1) });
    expect(profile.kernels).toMatchObject([{ name, places: [], launches: 1, threads: 1 }]);
    const wrong = roots[name].profile as (...args: unknown[]) => Promise<unknown>;
    await expect(wrong("no array")).rejects.toThrow(TypeError);
  });

  it("a function that is not compiled is one row", async () => {
    const half = eagerly(function half(x: number) {
      return x / 2;
    });
    const profile = await half.profile(3);
    expectSound(profile);
    expect(profile).toMatchObject({ name: "half, not compiled", timing: "call", result: 1.5 });
    const later = eagerly((x: number) => x + 1, { target: "webgpu" });
    expect(await later(1)).toBe(2);
    const { result, name } = await later.profile(1);
    expect([result, name]).toEqual([2, "a function, not compiled"]);
  });
});

describe("a build without the profiler", () => {
  it("refuses with the way out, and calls as before", async () => {
    const bare = await moduleWith<typeof Roots>(file, { ...build, version: "bare" });
    const wayOut = "build with fluxion({ profile: true }), or start the program with `fluxion run`";
    await expect(bare.fused.profile(filled([3]))).rejects.toThrow(wayOut);
    await expect(bare.onWasm.profile(Float64Array.of(2))).rejects.toThrow(wayOut);
    expect((await bare.fused(filled([3])).data())[0]).toBe(1);
    expect(bare.onWasm(Float64Array.of(2))).toEqual(Float64Array.of(1));
  });

  it("names kernels by their numbers where the build kept no names", async () => {
    const fn = fnOf([arrayType("f32", [50])], (b, [x]) => [b.one("neg", [x as Value])]);
    const { manifest, code } = await shippedFor(graphOf(fn));
    expect(manifest).not.toHaveProperty("kernels");
    const program = loadOn(webgpu, manifest, code, undefined, profiler);
    const { kernels } = await program.profile(filled([50]));
    expect(kernels).toMatchObject([{ name: "kernel 0", places: [], threads: 50 }]);
  });
});
