/** What the tensor functions of the language are written with. */

import { type Dim, dimText, sameDim, shapeText } from "../../compiler/ir/dim.ts";
import { type DType, dtypes, isFloat, type Shape, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { TypeFault } from "../../compiler/ops/define.ts";

/** A scalar function that the user passes, for `map`. */
export type ScalarFunction = (builder: GraphBuilder, scalars: readonly Value[]) => Value;

/** An argument: a value of the program, or something known when it is compiled. */
export type SurfaceArgument =
  | Value
  | number
  | string
  | boolean
  | undefined
  | null
  | ScalarFunction
  | readonly SurfaceArgument[]
  | { readonly [key: string]: SurfaceArgument };

export type SurfaceResult = Value | readonly Value[];

/**
 * A function of the language on tensors, said once: the reader calls it to build a graph, the
 * eager language calls it to compute. Methods are the same functions with the tensor first.
 */
export type SurfaceFunction = (
  builder: GraphBuilder,
  args: readonly SurfaceArgument[],
) => SurfaceResult;

/** A fault that also says which arguments clash and what to do about it. */
export class SurfaceFault extends TypeFault {
  readonly operands: readonly number[];
  readonly hint: string | undefined;
  constructor(
    sentence: string,
    operands: readonly number[] = [],
    hint?: string,
    differing?: readonly [Dim, Dim],
  ) {
    super(sentence, differing);
    this.operands = operands;
    this.hint = hint;
  }
}

export function isValue(argument: SurfaceArgument): argument is Value {
  if (typeof argument !== "object" || argument === null || Array.isArray(argument)) return false;
  const { type } = argument as { readonly type?: unknown };
  return typeof type === "object" && type !== null && "dtype" in type;
}

/** `1st`, `2nd`, … */
export function ordinal(position: number): string {
  return ["1st", "2nd", "3rd"][position] ?? `${position + 1}th`;
}

/** The tensor at a position; a number becomes a scalar of `like`'s dtype. */
export function tensorAt(
  builder: GraphBuilder,
  name: string,
  args: readonly SurfaceArgument[],
  position: number,
  like: DType = "f32",
): Value {
  const argument = args[position];
  if (typeof argument === "number") return builder.constant(argument, like);
  if (typeof argument === "boolean") return builder.constant(Number(argument), "bool");
  if (argument !== undefined && isValue(argument)) return argument;
  throw new SurfaceFault(
    `\`${name}\` needs a tensor as its ${ordinal(position)} argument, and got ${kindOf(argument)}`,
    [position],
  );
}

export function kindOf(argument: SurfaceArgument): string {
  if (argument === null || argument === undefined) return String(argument);
  if (isValue(argument)) return `a value of shape ${shapeText(argument.type.shape)}`;
  if (Array.isArray(argument)) return "a list";
  return typeof argument === "object" ? "a record" : `a ${typeof argument}`;
}

/** A number known at compile time. */
export function staticNumber(name: string, what: string, argument: SurfaceArgument): number {
  if (typeof argument === "number") return argument;
  throw new SurfaceFault(
    `\`${name}\` needs its ${what} as a number known at compile time, and got ${kindOf(argument)}`,
  );
}

/** A dimension: a number, or a scalar known to be an extent. */
export function dimAt(name: string, argument: SurfaceArgument): Dim {
  if (typeof argument === "number") {
    if (Number.isInteger(argument)) return argument;
    throw new SurfaceFault(`\`${name}\` needs whole numbers as dimensions, and got ${argument}`);
  }
  if (argument !== undefined && isValue(argument) && argument.extent !== undefined) {
    return argument.extent;
  }
  throw new SurfaceFault(
    `\`${name}\` needs dimensions known from shapes, and got ${kindOf(argument)}`,
  );
}

export function shapeAt(name: string, argument: SurfaceArgument): readonly Dim[] {
  if (Array.isArray(argument)) return argument.map((entry) => dimAt(name, entry));
  return [dimAt(name, argument)];
}

export function dtypeAt(name: string, argument: SurfaceArgument, otherwise: DType): DType {
  if (argument === undefined) return otherwise;
  const found = dtypes.find((dtype) => dtype === argument);
  if (found !== undefined) return found;
  throw new SurfaceFault(`\`${name}\` knows the dtypes ${dtypes.join(", ")}, not ${argument}`);
}

/** An axis, negative ones counted from the end. */
export function axisOf(name: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(normal) && normal >= 0 && normal < rank) return normal;
  throw new SurfaceFault(`\`${name}\` got axis ${axis}, and its tensor has ${rank} axes`);
}

/** The axes that an argument names: one, a list, or all when it is absent. */
export function axesAt(name: string, argument: SurfaceArgument, rank: number): readonly number[] {
  if (argument === undefined || argument === null) return Array.from({ length: rank }, (_, k) => k);
  const listed = Array.isArray(argument) ? argument : [argument];
  const axes = listed.map((entry) => axisOf(name, staticNumber(name, "axis", entry), rank));
  if (new Set(axes).size < axes.length) {
    throw new SurfaceFault(`\`${name}\` got an axis twice: ${axes.join(", ")}`);
  }
  return axes.toSorted((a, b) => a - b);
}

/** A field of an options record. */
export function option(argument: SurfaceArgument, field: string): SurfaceArgument {
  if (typeof argument !== "object" || argument === null) return undefined;
  if (isValue(argument) || Array.isArray(argument)) return undefined;
  return (argument as { readonly [key: string]: SurfaceArgument })[field];
}

/** The common shape under NumPy's rule: aligned at the last axis, 1 stretches. */
export function broadcastShapes(name: string, x: Shape, y: Shape): Shape {
  const rank = Math.max(x.length, y.length);
  return Array.from({ length: rank }, (_, k) => {
    const a = x[k - rank + x.length] ?? 1;
    const b = y[k - rank + y.length] ?? 1;
    if (sameDim(a, b) || b === 1) return a;
    if (a === 1) return b;
    throw new SurfaceFault(
      `\`${name}\` cannot combine shapes ${shapeText(x)} and ${shapeText(y)}: ` +
        `${dimText(a)} and ${dimText(b)} differ`,
      [0, 1],
      "reshape one of them, or give it an axis of 1 where it should repeat",
      [a, b],
    );
  });
}

/** `x` repeated to a shape that it broadcasts to. */
export function stretch(builder: GraphBuilder, x: Value, shape: Shape): Value {
  const own = x.type.shape;
  const lead = shape.length - own.length;
  const kept = own.flatMap((dim, k) => (sameDim(dim, shape[lead + k] as Dim) ? [k] : []));
  const squeezed = builder.reshape(
    x,
    kept.map((k) => own[k] as Dim),
  );
  return builder.broadcast(
    squeezed,
    shape,
    kept.map((k) => lead + k),
  );
}

/**
 * Two operands with one dtype and one shape. A scalar number takes the dtype of the tensor; two
 * tensors must agree.
 */
export function alignPair(
  builder: GraphBuilder,
  name: string,
  args: readonly SurfaceArgument[],
  first = 0,
): readonly [Value, Value] {
  const likeOf = (k: number): DType => {
    const argument = args[k];
    return argument !== undefined && isValue(argument) ? argument.type.dtype : "f32";
  };
  const x = tensorAt(builder, name, args, first, likeOf(first + 1));
  const y = tensorAt(builder, name, args, first + 1, likeOf(first));
  const [left, right] = matchDtypes(builder, name, x, y);
  const shape = broadcastShapes(name, left.type.shape, right.type.shape);
  return [stretch(builder, left, shape), stretch(builder, right, shape)];
}

/** A rank-0 `number` is weak: it takes the other operand's dtype. */
export function matchDtypes(
  builder: GraphBuilder,
  name: string,
  x: Value,
  y: Value,
): readonly [Value, Value] {
  if (x.type.dtype === y.type.dtype) return [x, y];
  if (isWeak(y)) return [x, builder.cast(y, x.type.dtype)];
  if (isWeak(x)) return [builder.cast(x, y.type.dtype), y];
  throw new SurfaceFault(
    `\`${name}\` got a tensor of ${x.type.dtype} and one of ${y.type.dtype}`,
    [0, 1],
    "convert one of them with `.cast(dtype)`",
  );
}

/** Plain numbers are f64 scalars; tensors of that dtype and no axes count as numbers too. */
function isWeak(value: Value): boolean {
  return value.type.shape.length === 0 && value.type.dtype === "f64";
}

/** Integers as floats, for functions that need them. */
export function asFloat(builder: GraphBuilder, x: Value): Value {
  return isFloat(x.type.dtype) ? x : builder.cast(x, "f32");
}
