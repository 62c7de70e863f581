/** Operands of contractions as strided memory: views are read where they are. */

import { type Dim, multiplyDims, sameDim } from "../../ir/dim.ts";
import type { Value } from "../../ir/types.ts";
import {
  addIndex,
  affine,
  coefficientOf,
  denseStrides,
  localIndex,
  scaleIndex,
  toAffine,
} from "../affine.ts";
import { ElementReader } from "../element.ts";
import { type Expr, load, read } from "../loop.ts";
import { axesOf } from "../nest.ts";
import type { Program } from "../program.ts";

/** Element `index` is at `base[offset + Σ index·strides]`. */
export interface View {
  readonly value: Value;
  readonly base: Expr;
  readonly offset: Expr;
  readonly strides: readonly Dim[];
  /** The operand itself, where it is a scalar. */
  readonly scalar?: Expr;
}

/** The memory of an array with a stride for each axis; computes it into memory where need be. */
export function viewOf(program: Program, value: Value): View {
  const place = program.placeOf(value);
  if (place.kind === "scalar") {
    const none = affine({ constant: 0, terms: [] });
    return { value, base: none, offset: none, strides: [], scalar: place.expr };
  }
  if (place.kind === "lazy") {
    const axes = axesOf(value.type.shape);
    const reader = new ElementReader(program);
    const index = axes.map(({ counter }) => localIndex(counter));
    const element = reader.read(value, index);
    const form = element.kind === "load" ? toAffine(element.index) : undefined;
    if (element.kind === "load" && form !== undefined && reader.statements.length === 0) {
      const counters = axes.map(({ counter }) => counter);
      reader.finish([]);
      return {
        value,
        base: element.base,
        offset: affine({
          constant: form.constant,
          terms: form.terms.filter(({ local }) => !counters.includes(local)),
        }),
        strides: counters.map((counter) => coefficientOf(form, counter)),
      };
    }
  }
  return denseView(program, value);
}

export function denseView(program: Program, value: Value): View {
  const buffer = program.buffer(value);
  return {
    value,
    base: read(buffer.pointer),
    offset: affine({ constant: 0, terms: [] }),
    strides: denseStrides(value.type.shape),
  };
}

/** The stride that walks through several axes as one, the last fastest; undefined if none does. */
export function mergedStride(view: View, axes: readonly number[]): Dim | undefined {
  const { shape } = view.value.type;
  const real = axes.filter((axis) => shape[axis] !== 1);
  const last = real.at(-1);
  if (last === undefined) return 1;
  for (let k = real.length - 2; k >= 0; k--) {
    const [outer, inner] = [real[k] as number, real[k + 1] as number];
    const through = multiplyDims(view.strides[inner] as Dim, shape[inner] as Dim);
    if (!sameDim(view.strides[outer] as Dim, through)) return undefined;
  }
  return view.strides[last] as Dim;
}

/** The same array with its axes in another order, in memory of its own. */
export function reordered(program: Program, value: Value, order: readonly number[]): View {
  const { dtype, shape } = value.type;
  const type = { dtype, shape: order.map((axis) => shape[axis] as Dim), stack: false };
  const copy: Value = { type, name: value.name };
  const buffer = program.computed(copy, (reader, index) => {
    const original: Expr[] = [];
    order.forEach((axis, k) => (original[axis] = index[k] as Expr));
    return reader.read(value, original);
  });
  program.define(copy, { kind: "array", buffer });
  return denseView(program, copy);
}

/** An element of a view. */
export function elementOf(view: View, index: readonly Expr[]): Expr {
  if (view.scalar !== undefined) return view.scalar;
  const offset = index.reduce(
    (sum, at, axis) => addIndex(sum, scaleIndex(at, view.strides[axis] as Dim)),
    view.offset,
  );
  return load(view.base, offset, view.value.type.dtype);
}
