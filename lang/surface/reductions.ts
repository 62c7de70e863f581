/** Reductions over axes, and what is made of them. */

import { type Dim, elementCount } from "../../compiler/ir/dim.ts";
import type { Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import {
  asFloat,
  axesAt,
  axisOf,
  option,
  staticNumber,
  type SurfaceArgument,
  type SurfaceFunction,
  tensorAt,
} from "./support.ts";

/** Reduces over the axes that the 2nd argument names; `{ keepDims: true }` leaves 1 for each. */
function reduction(
  name: string,
  compute: (builder: GraphBuilder, x: Value, axes: readonly number[]) => Value,
): SurfaceFunction {
  return (builder, args) => {
    const x = tensorAt(builder, name, args, 0);
    const axes = axesAt(name, args[1], x.type.shape.length);
    const y = compute(builder, x, axes);
    return option(args[2], "keepDims") === true ? keep(builder, y, x, axes) : y;
  };
}

/** A reduced tensor with an axis of 1 for each axis that went. */
function keep(builder: GraphBuilder, y: Value, x: Value, axes: readonly number[]): Value {
  return builder.reshape(
    y,
    x.type.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
  );
}

/** A reduced tensor repeated along the axes that went. */
function spread(builder: GraphBuilder, y: Value, x: Value, axes: readonly number[]): Value {
  const kept = x.type.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  return builder.broadcast(y, x.type.shape, kept);
}

/** Halves are summed and divided as singles: sums of a thousand of them may have no room in a half. */
function meanOf(builder: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (x.type.dtype === "f16") {
    return builder.cast(meanOf(builder, builder.cast(x, "f32"), axes), "f16");
  }
  const float = asFloat(builder, x);
  const total = builder.reduce("sum", float, axes);
  const count = elementCount(axes.map((axis) => x.type.shape[axis] as Dim));
  if (typeof count === "number") return builder.mul(total, 1 / count);
  return builder.div(total, builder.cast(builder.extent(count), float.type.dtype));
}

function varianceOf(builder: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (x.type.dtype === "f16") {
    return builder.cast(varianceOf(builder, builder.cast(x, "f32"), axes), "f16");
  }
  const float = asFloat(builder, x);
  const centred = builder.sub(float, spread(builder, meanOf(builder, float, axes), float, axes));
  return meanOf(builder, builder.mul(centred, centred), axes);
}

/** x - max(x), with no derivative through the maximum: it cancels in softmax. */
function shifted(
  builder: GraphBuilder,
  x: Value,
  axes: readonly number[],
): readonly [Value, Value] {
  const top = builder.unary("stop_gradient", builder.reduce("reduce_max", x, axes));
  // A row of -∞ has maximum -∞, and -∞ - -∞ is NaN: subtract 0 there.
  const finite = builder.select(builder.binary("eq", top, -Infinity), 0, top);
  return [builder.sub(x, spread(builder, finite, x, axes)), finite];
}

function logSumExpOf(builder: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const [centred, top] = shifted(builder, asFloat(builder, x), axes);
  const total = builder.reduce("sum", builder.unary("exp", centred), axes);
  return builder.add(builder.unary("log", total), top);
}

/** Along one axis, the last by default; the result has the shape of the tensor. */
function alongAxis(
  name: string,
  compute: (builder: GraphBuilder, x: Value, axis: number) => Value,
): SurfaceFunction {
  return (builder, args) => {
    const x = tensorAt(builder, name, args, 0);
    return compute(builder, x, axisAt(name, args[1], x));
  };
}

function axisAt(name: string, argument: SurfaceArgument, x: Value): number {
  const axis = argument === undefined ? -1 : staticNumber(name, "axis", argument);
  return axisOf(name, axis, x.type.shape.length);
}

export const reductions: Readonly<Record<string, SurfaceFunction>> = {
  sum: reduction("sum", (b, x, axes) => b.reduce("sum", x, axes)),
  prod: reduction("prod", (b, x, axes) => b.reduce("prod", x, axes)),
  max: reduction("max", (b, x, axes) => b.reduce("reduce_max", x, axes)),
  min: reduction("min", (b, x, axes) => b.reduce("reduce_min", x, axes)),
  any: reduction("any", (b, x, axes) => b.reduce("any", x, axes)),
  all: reduction("all", (b, x, axes) => b.reduce("all", x, axes)),
  mean: reduction("mean", meanOf),
  variance: reduction("variance", varianceOf),
  logSumExp: reduction("logSumExp", logSumExpOf),
  argmax: alongAxis("argmax", (b, x, axis) => b.one("argmax", [x], { axis })),
  argmin: alongAxis("argmin", (b, x, axis) => b.one("argmin", [x], { axis })),
  cumsum: alongAxis("cumsum", (b, x, axis) => b.one("cumsum", [x], { axis })),
  softmax: alongAxis("softmax", (b, x, axis) => {
    const [centred] = shifted(b, asFloat(b, x), [axis]);
    const powers = b.unary("exp", centred);
    return b.div(powers, spread(b, b.reduce("sum", powers, [axis]), x, [axis]));
  }),
  logSoftmax: alongAxis("logSoftmax", (b, x, axis) => {
    const [centred] = shifted(b, asFloat(b, x), [axis]);
    const total = b.reduce("sum", b.unary("exp", centred), [axis]);
    return b.sub(centred, spread(b, b.unary("log", total), x, [axis]));
  }),
};
