/** Half precision on engines without `Float16Array`: computed and passed on, but not read out. */

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DType, Value } from "../../compiler/ir/types.ts";

type Support = typeof import("../kernel/support.ts");
type Types = typeof import("../../compiler/ir/types.ts");
type TensorModule = typeof import("../../runtime/tensor.ts");
type StorageModule = typeof import("../../runtime/storage.ts");

let support: Support;
let types: Types;
let tensors: TensorModule;
let storage: StorageModule;

beforeAll(async () => {
  vi.stubGlobal("Float16Array", undefined);
  vi.resetModules();
  support = await import("../kernel/support.ts");
  types = await import("../../compiler/ir/types.ts");
  tensors = await import("../../runtime/tensor.ts");
  storage = await import("../../runtime/storage.ts");
});

afterAll(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

const remedy = "this engine has no Float16Array, so f16 does not pass its border; cast to f32";

describe.each(["wasm", "js"] as const)("%s", (target) => {
  const cast = (from: DType, to: DType) =>
    support.compileFn(
      support.fnOf([types.arrayType(from, [5])], (b, [x]) => {
        const scale = b.cast(b.constant(0.1), to === "f16" ? "f16" : from);
        return [b.cast(b.mul(x as Value, b.cast(scale, from)), to)];
      }),
      target,
    );

  test("tensors of f16 go from program to program", async () => {
    const narrow = await cast("f32", "f16");
    const wide = await cast("f16", "f32");
    const [half] = narrow(tensors.tensor([1, 2, 3, -4, 1e6])) as [
      InstanceType<typeof tensors.Tensor>,
    ];
    expect([half.dtype, half.shape]).toEqual(["f16", [5]]);
    const [single] = wide(half) as [typeof half];
    // 0.1 is a half in either program.
    const tenth = 0.0999755859375;
    const expected = [1, 2, 3, -4].map((x) => Math.f16round(Math.f16round(x * tenth) * tenth));
    expect([...single.dataSync()]).toEqual([...expected, Infinity]);
  });

  test("they are moved out of the memory and back", async () => {
    const narrow = await cast("f32", "f16");
    const wide = await cast("f16", "f32");
    const [half] = narrow(tensors.tensor([1, 2, 3, -4, 5])) as [
      InstanceType<typeof tensors.Tensor>,
    ];
    const before = [...(wide(half) as [typeof half])[0].dataSync()];
    const { pool } = storage;
    const { budget } = pool as unknown as { budget: number };
    Object.assign(pool, { budget: 1 });
    pool.onDevice("f32", 1000);
    Object.assign(pool, { budget });
    expect([...(wide(half) as [typeof half])[0].dataSync()]).toEqual(before);
  });

  test("and are not read", async () => {
    const [half] = (await cast("f32", "f16"))(tensors.tensor([1, 2, 3, 4, 5]));
    expect(() => half?.dataSync()).toThrow(remedy);
    expect(() => tensors.tensor([1, 2], [2], "f16")).toThrow(remedy);
  });
});
