/** Runs graph functions on a graphics device, and compares with the interpreter in single precision. */

import fc from "fast-check";
import { expect } from "vitest";
import type { DeviceTargetName } from "../../compiler/compile.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { printFunction } from "../../compiler/ir/print.ts";
import { type Fn, type Graph, isFloat, rootOf, type Value } from "../../compiler/ir/types.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { inSinglePrecision } from "../../compiler/passes/singlePrecision.ts";
import { NotOnDevice } from "../../compiler/targets/gpu/split.ts";
import { targets } from "../../compiler/targets/target.ts";
import type { Argument } from "../../runtime/manifest.ts";
import { tensor } from "../../runtime/tensor.ts";
import { loadWebgl } from "../../runtime/webgl/program.ts";
import { loadWebgpu } from "../../runtime/webgpu/program.ts";
import { graphOf, manifestOf } from "../kernel/support.ts";
import { type Elements, runnerOf, type Shipped } from "./runner.ts";

type Run = (...inputs: readonly NdArray[]) => Promise<readonly NdArray[]>;

/** Where a program runs: what ships of it, as a function of arrays. */
export interface Device {
  readonly target: DeviceTargetName;
  readonly load: (shipped: Shipped) => (inputs: readonly Elements[]) => Promise<Elements[]>;
}

/** A device of this process. */
export function here(target: DeviceTargetName): Device {
  return { target, load: (shipped) => runnerOf({ loadWebgpu, loadWebgl, tensor }, shipped) };
}

/** A program on a device, as a function of arrays. */
export async function compileForDevice(
  graph: Graph,
  donated: readonly number[] = [],
  device: Device = here("webgpu"),
): Promise<Run> {
  const run = device.load(await shippedFor(graph, donated, device.target));
  return async (...inputs) => {
    const results = await run(inputs.map((x) => ({ ...x, data: Array.from(x.data) })));
    return results.map(({ dtype, shape, data }) => ndarray(dtype, shape, data));
  };
}

/**
 * What ships of a program. Floating-point scalars are tensors, which only the device knows; other
 * scalars are plain numbers, by which the host decides.
 */
export async function shippedFor<T extends DeviceTargetName = "webgpu">(
  graph: Graph,
  donated: readonly number[] = [],
  target: T = "webgpu" as T,
): Promise<Shipped<T>> {
  const { lowering, emit } = targets[target];
  const fn = rootOf(graph);
  const isPlain = ({ type }: ValueOf): boolean => type.shape.length === 0 && !isFloat(type.dtype);
  const inMemory = fn.body.parameters.flatMap((value, k) =>
    value.type.shape.length === 0 && !isPlain(value) ? [k] : [],
  );
  const module = lower(graph, { ...lowering, donated, inMemory });
  const emitted = await emit(module);
  const manifest = manifestOf(fn, target, module, emitted);
  const parameters = manifest.parameters.map((parameter, k): Argument => {
    const { type } = fn.body.parameters[k] as ValueOf;
    if (!isPlain({ type }) || parameter.tree.kind !== "leaf") return parameter;
    const as = type.dtype === "bool" ? "boolean" : "number";
    return { ...parameter, tree: { ...parameter.tree, as } };
  });
  return { manifest: { ...manifest, parameters }, code: emitted.code as Shipped<T>["code"] };
}

type ValueOf = Pick<Value, "type">;

/** Expects a function to give on the device what it gives in single precision. */
export async function expectSameOnDevice(
  fn: Fn,
  inputs: readonly NdArray[],
  device: Device = here("webgpu"),
  tolerance = 2e-5,
): Promise<void> {
  const single = rootOf(inSinglePrecision(graphOf(fn)));
  const expected = interpret(single, inputs.map(rounded));
  const program = await compileForDevice(graphOf(fn), [], device);
  const results = await program(...inputs);
  results.forEach((result, k) => {
    expectNear(result, expected[k] as NdArray, tolerance, `result ${k}`);
  });
}

/** Random programs that ran, and those that no device can run. */
export interface Count {
  ran: number;
  refused: number;
}

/** As `expectSameOnDevice`, of a random program, which may be refused. */
export async function expectSameIfRun(
  fn: Fn,
  inputs: readonly NdArray[],
  count: Count,
  device: Device = here("webgpu"),
): Promise<void> {
  const single = rootOf(inSinglePrecision(graphOf(fn)));
  const expected = interpret(single, inputs.map(rounded));
  // Numbers that grow out of hand amplify the last bit of each operation.
  fc.pre(expected.every(({ data }) => data.every((value) => Math.abs(value) < 1e4)));
  let program;
  try {
    program = await compileForDevice(graphOf(fn), [], device);
  } catch (error) {
    if (!(error instanceof NotOnDevice)) throw error;
    count.refused++;
    return;
  }
  const results = await program(...inputs);
  count.ran++;
  // Halves have eleven digits, of which the last one may differ.
  const tolerance = printFunction(fn).includes("f16") ? 4e-3 : 1e-3;
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
