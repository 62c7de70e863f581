/** What the tests of the op table share: single-op functions, number comparison, perturbation. */

import { evaluateDim } from "../../compiler/ir/dim.ts";
import { type NdArray, scalar } from "../../compiler/ir/ndarray.ts";
import {
  arrayType,
  type Fn,
  isFloat,
  type Parameters,
  type Value,
} from "../../compiler/ir/types.ts";
import type { Op, Sample } from "../../compiler/ops/define.ts";
import { newBuilder, ops, typeRule } from "../../compiler/ops/index.ts";

export interface Case {
  readonly name: string;
  readonly op: Op;
  readonly sample: Sample;
}

/** Every sample of every op, named by op, input types, parameters and note. */
export const cases: readonly Case[] = Object.values(ops).flatMap((op) =>
  op.samples.map((sample, k) => {
    const inputs = sample.inputs.map((x) => `${x.dtype}[${x.shape}]`).join(" ");
    const note = sample.note === undefined ? "" : ` (${sample.note})`;
    return { name: `${op.name} #${k} ${inputs}${note}`, op, sample };
  }),
);

/** The function of one equation. What the op consumes is copied, as a caller must. */
export function functionOf(op: Op, sample: Sample): Fn {
  const types = sample.inputs.map((x) => arrayType(x.dtype, x.shape));
  const body = newBuilder().block(types, (b, inputs) => {
    const given = inputs.map((x, k) => (op.laws.consumes?.includes(k) ? b.one("copy", [x]) : x));
    return b.emit(op.name, given, sample.parameters ?? {});
  });
  return { name: op.name, body };
}

/** The reference meaning, with outputs typed by the op's own rule. */
export function evaluate(
  op: Op,
  inputs: readonly NdArray[],
  parameters: Parameters = {},
): readonly NdArray[] {
  const types = typeRule(
    op.name,
    inputs.map((x) => arrayType(x.dtype, x.shape)),
    parameters,
  );
  const extent = (dim: Parameters[string]): number => evaluateDim(dim as number, new Map());
  const outputs = types.map(({ dtype, shape }) => ({ dtype, shape: shape.map(extent) }));
  return op.reference(inputs, parameters, { outputs, extent });
}

/** Inputs to differentiate in: those of the sample, else all doubles; none in single precision. */
export function activeInputs(sample: Sample): readonly boolean[] {
  const singles = sample.inputs.some((x) => x.dtype === "f32" || x.dtype === "f16");
  return sample.inputs.map((x, k) => {
    if (!isFloat(x.dtype) || singles) return false;
    return sample.differentiate?.includes(k) ?? true;
  });
}

export function isDifferentiated({ sample }: Case): boolean {
  return activeInputs(sample).includes(true);
}

export function dot(x: readonly NdArray[], y: readonly NdArray[]): number {
  let sum = 0;
  x.forEach(({ data }, k) => data.forEach((value, n) => (sum += value * (y[k]?.data[n] ?? NaN))));
  return sum;
}

/** x + h t, input by input. */
export function moved(x: readonly NdArray[], t: readonly NdArray[], h: number): readonly NdArray[] {
  return x.map((array, k) => ({
    ...array,
    data: array.data.map((value, n) => value + h * (t[k]?.data[n] ?? NaN)),
  }));
}

/** Irregular numbers of the shape of `x`. */
export function direction(x: NdArray, phase: number): NdArray {
  return { ...x, data: x.data.map((_, k) => Math.cos(2.3 * k + phase)) };
}

/** The greatest difference, relative to magnitudes over 1; NaN equals NaN, ∞ equals ∞. */
export function distance(x: readonly NdArray[], y: readonly NdArray[]): number {
  if (x.length !== y.length) return Infinity;
  let worst = 0;
  x.forEach((left, k) => {
    const right = y[k] as NdArray;
    if (left.dtype !== right.dtype || String(left.shape) !== String(right.shape)) worst = Infinity;
    left.data.forEach((a, n) => {
      const b = right.data[n] as number;
      if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return;
      const error = Math.abs(a - b) / Math.max(1, Math.abs(b));
      worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
    });
  });
  return worst;
}

/** Equal to the last bit, NaN to any NaN. */
export function identical(x: NdArray, y: NdArray): boolean {
  return (
    x.dtype === y.dtype &&
    String(x.shape) === String(y.shape) &&
    x.data.every((value, k) => Object.is(value, y.data[k]))
  );
}

export function element(x: NdArray, k: number): NdArray {
  return scalar(x.dtype, x.data[k] as number);
}

/** One function that computes all samples of an op. */
export function fnOfSamples(op: Op, samples: readonly Sample[]): Fn {
  const types = samples.flatMap(({ inputs }) =>
    inputs.map(({ dtype, shape }) => arrayType(dtype, shape)),
  );
  const body = newBuilder().block(types, (b, parameters) => {
    let next = 0;
    return samples.flatMap(({ inputs, parameters: fixed }) => {
      const operands = inputs.map((_, k) => {
        const input = parameters[next++] as Value;
        return op.laws.consumes?.includes(k) === true ? b.one("copy", [input]) : input;
      });
      return b.emit(op.name, operands, fixed ?? {});
    });
  });
  return { name: op.name, body };
}
