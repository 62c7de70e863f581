/** Runs graph functions on a WebGPU device, and compares with the interpreter in single precision. */

import { expect } from "vitest";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { type Fn, type Graph, isFloat, rootOf, type Value } from "../../compiler/ir/types.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { inSinglePrecision } from "../../compiler/passes/singlePrecision.ts";
import { targets } from "../../compiler/targets/target.ts";
import type { Argument } from "../../runtime/manifest.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import { loadWebgpu } from "../../runtime/webgpu/program.ts";
import { graphOf, manifestOf, toTensor } from "../kernel/support.ts";

type Run = (...inputs: readonly NdArray[]) => Promise<readonly NdArray[]>;

/**
 * A program on the device, as a function of arrays. Floating-point scalars are tensors, which only
 * the device knows; other scalars are plain numbers, by which the host decides.
 */
export async function compileForDevice(
  graph: Graph,
  donated: readonly number[] = [],
): Promise<Run> {
  const { lowering, emit } = targets.webgpu;
  const fn = rootOf(graph);
  const isPlain = ({ type }: ValueOf): boolean => type.shape.length === 0 && !isFloat(type.dtype);
  const inMemory = fn.body.parameters.flatMap((value, k) =>
    value.type.shape.length === 0 && !isPlain(value) ? [k] : [],
  );
  const module = lower(graph, { ...lowering, donated, inMemory });
  const emitted = await emit(module);
  const manifest = manifestOf(fn, "webgpu", module, emitted);
  const parameters = manifest.parameters.map((parameter, k): Argument => {
    const { type } = fn.body.parameters[k] as ValueOf;
    if (!isPlain({ type }) || parameter.tree.kind !== "leaf") return parameter;
    const as = type.dtype === "bool" ? "boolean" : "number";
    return { ...parameter, tree: { ...parameter.tree, as } };
  });
  const program = loadWebgpu({ ...manifest, parameters }, emitted.code);
  return async (...inputs) => {
    const given = inputs.map((input): unknown => {
      const value = input.data[0] as number;
      if (input.shape.length > 0 || isFloat(input.dtype)) return toTensor(input);
      return input.dtype === "bool" ? value !== 0 : value;
    });
    const results = program(...given) as readonly Tensor[];
    const read = async ({ dtype, shape }: Tensor, k: number): Promise<NdArray> =>
      ndarray(dtype, shape, await (results[k] as Tensor).data());
    return Promise.all(results.map(read));
  };
}

type ValueOf = Pick<Value, "type">;

/** Expects a function to give on the device what it gives in single precision. */
export async function expectSameOnDevice(
  fn: Fn,
  inputs: readonly NdArray[],
  tolerance = 2e-5,
): Promise<void> {
  const single = rootOf(inSinglePrecision(graphOf(fn)));
  const expected = interpret(single, inputs.map(rounded));
  const program = await compileForDevice(graphOf(fn));
  const results = await program(...inputs);
  results.forEach((result, k) => {
    expectNear(result, expected[k] as NdArray, tolerance, `result ${k}`);
  });
}

/** An array as the device has it. */
export function rounded(array: NdArray): NdArray {
  return array.dtype === "f64" ? ndarray("f32", array.shape, array.data) : array;
}

/** Equal shapes, and elements equal up to a part of their size; what is tiny may be zero. */
export function expectNear(
  actual: NdArray,
  expected: NdArray,
  tolerance: number,
  note: string,
): void {
  expect(actual.shape, note).toEqual(expected.shape);
  const isNear = (x: number, y: number): boolean => {
    if (!isFloat(expected.dtype) || !Number.isFinite(y)) return Object.is(x, y) || x === y;
    return Math.abs(x - y) <= tolerance * Math.max(1e-30, Math.abs(y), Math.abs(x));
  };
  const at = actual.data.findIndex((x, k) => !isNear(x, expected.data[k] as number));
  if (at < 0) return;
  const values = `${actual.data[at]}, not ${expected.data[at]}`;
  expect.fail(`${note}: element ${at} of [${expected.shape}] is ${values}`);
}
