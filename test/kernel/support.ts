/** Runs graph functions through a target and through the interpreter. */

import { expect } from "vitest";
import { interpret } from "../../compiler/ops/interpret.ts";
import { type NdArray, ndarray, type TypedArray } from "../../compiler/ir/ndarray.ts";
import {
  type Fn,
  type Graph,
  rootOf,
  type Value,
  type ValueType,
} from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import type { LoopModule } from "../../compiler/kernel/loop.ts";
import { newBuilder } from "../../compiler/ops/index.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { layoutOf } from "../../compiler/targets/layout.ts";
import { type Emitted, type Target, targets } from "../../compiler/targets/target.ts";
import { team } from "../../runtime/link.ts";
import type { Manifest, Tree } from "../../runtime/manifest.ts";
import { loadShipped } from "./shipped.ts";
import { Tensor, tensor } from "../../runtime/tensor.ts";

/** Targets whose programs are called without waiting. */
export type TargetName = "js" | "wasm";
export const targetNames: readonly TargetName[] = ["js", "wasm"];

/** A function built from parameter types. */
export function fnOf(
  types: readonly ValueType[],
  body: (builder: GraphBuilder, parameters: readonly Value[]) => readonly Value[],
): Fn {
  return { name: "f", body: newBuilder().block(types, body) };
}

/** A program of one function. */
export function graphOf(fn: Fn): Graph {
  return { root: fn.name, functions: new Map([[fn.name, fn]]) };
}

interface CompileOptions {
  /** Whether engines that have relaxed SIMD may use it, as they do. */
  readonly relaxed?: boolean;
  /** Whether kernels use vectors where the target has them, as they do. */
  readonly vectors?: boolean;
  /** Positions of arguments that the program takes over. */
  readonly donated?: readonly number[];
  /** The work from which on threads share a kernel; default: that of the target. */
  readonly forkAbove?: number;
  readonly onLayout?: (layout: Manifest["layout"]) => void;
}

/** Compiles a function whose arguments and results are all tensors. */
export function compileFn(
  fn: Fn,
  target: TargetName,
  options: CompileOptions = {},
): Promise<(...inputs: readonly Tensor[]) => readonly Tensor[]> {
  return compileGraph(graphOf(fn), target, options);
}

/** Compiles a program whose arguments and results are all tensors. */
export async function compileGraph(
  graph: Graph,
  target: TargetName,
  { relaxed = true, vectors = true, donated = [], forkAbove, onLayout }: CompileOptions = {},
): Promise<(...inputs: readonly Tensor[]) => readonly Tensor[]> {
  const { lowering, emit }: Target = targets[target];
  const fn = rootOf(graph);
  const module = lower(graph, {
    ...lowering,
    vectors: vectors && lowering.vectors,
    donated,
    ...(forkAbove !== undefined && { forkAbove }),
  });
  const emitted = await emit(module);
  const shipped = manifestOf(fn, target, module, emitted);
  const { code } = emitted;
  if (code.kind === "webgpu" || code.kind === "webgl") throw new Error("a device answers later");
  onLayout?.(shipped.layout);
  const program = loadShipped(
    shipped,
    relaxed || code.kind === "js" ? code : { ...code, relaxed: undefined },
  );
  return (...inputs) => program(...inputs) as readonly Tensor[];
}

/** What ships beside the code, where all arguments and results are tensors. */
export function manifestOf(
  fn: Fn,
  target: keyof typeof targets,
  module: LoopModule,
  emitted: Emitted,
): Manifest {
  const leaf = ({ type }: Value): Tree => ({
    kind: "leaf",
    as: "tensor",
    dtype: type.dtype,
    shape: type.shape,
  });
  const manifest: Manifest = {
    name: fn.name,
    target,
    parameters: fn.body.parameters.map((parameter, k) => ({
      name: `p${k}`,
      tree: leaf(parameter),
    })),
    captured: [],
    result: { kind: "tuple", items: fn.body.results.map(leaf) },
    layout: layoutOf(module, emitted, ({ file, start }) => `${file}:${start}`),
  };
  return JSON.parse(JSON.stringify(manifest)) as Manifest;
}

export function toTensor({ data, shape, dtype }: NdArray): Tensor {
  return tensor(data, shape, dtype);
}

export function toArray(value: Tensor): NdArray {
  return ndarray(value.dtype, value.shape, value.dataSync());
}

/** Expects every target to give what the interpreter gives. */
export async function expectSame(
  fn: Fn,
  inputs: readonly NdArray[],
  names: readonly TargetName[] = targetNames,
): Promise<void> {
  const expected = interpret(fn, inputs);
  for (const name of names) {
    const program = await compileFn(fn, name);
    const results = program(...inputs.map(toTensor)).map(toArray);
    results.forEach((result, k) => expectClose(result, expected[k] as NdArray, name));
    if (name === "wasm") await expectSameInParts(fn, inputs, expected);
  }
}

/** Expects kernels to give what they should, and the same to the last bit in parts. */
export async function expectSameInParts(
  fn: Fn,
  inputs: readonly NdArray[],
  expected: readonly NdArray[],
): Promise<void> {
  const program = await compileFn(fn, "wasm", { forkAbove: 0 });
  const call = (): readonly NdArray[] => program(...inputs.map(toTensor)).map(toArray);
  const whole = call();
  whole.forEach((result, k) => expectClose(result, expected[k] as NdArray, "wasm, to be split"));
  for (const count of [2, 5]) {
    inParts(count, call).forEach((result, k) =>
      expectBits(result, whole[k] as NdArray, `in ${count} parts`),
    );
  }
}

export function expectBits(actual: NdArray, expected: NdArray, note: string): void {
  expect(actual.shape).toEqual(expected.shape);
  const differs = actual.data.findIndex((x, k) => !Object.is(x, expected.data[k]));
  if (differs < 0) return;
  const values = `${actual.data[differs]}, not ${expected.data[differs]}`;
  expect.fail(`${note}: element ${differs} of [${expected.shape}] is ${values}`);
}

/** Kernels that were done in parts. */
export const forks = { count: 0 };

/** Calls a function while a crew of one thread plays several, which begin with the last part. */
export function inParts<T>(count: number, call: () => T): T {
  team.crew = {
    count,
    add: () => {},
    fork: ({ task }, kernel, parts) => {
      forks.count++;
      for (let part = parts - 1; part >= 0; part--) task?.(kernel, (part + 1) % count, part, parts);
    },
  };
  try {
    return call();
  } finally {
    team.crew = undefined;
  }
}

/** Equal shapes, and elements equal up to rounding of their type. */
export function expectClose(actual: NdArray, expected: NdArray, note: string): void {
  expect({ dtype: actual.dtype, shape: actual.shape }, note).toEqual({
    dtype: expected.dtype,
    shape: expected.shape,
  });
  const scale = largest(expected.data);
  const tolerance = { f64: 1e-13, f32: 2e-6, f16: 2e-6, i32: 0, u32: 0, u8: 0, bool: 0 }[
    expected.dtype
  ];
  for (let k = 0; k < expected.data.length; k++) {
    const [a, b] = [actual.data[k] as number, expected.data[k] as number];
    if (Object.is(a, b) || a === b) continue;
    const unit =
      expected.dtype === "f16" ? 2 ** Math.max(Math.floor(Math.log2(Math.abs(b))) - 10, -24) : 0;
    const near = Math.abs(a - b) <= unit + tolerance * Math.max(Math.abs(b), scale);
    if (!near) expect.fail(`${note}: element ${k} of [${expected.shape}] is ${a}, not ${b}`);
  }
}

function largest(data: TypedArray): number {
  let most = 0;
  for (const value of data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return Math.min(most, 1e30);
}
