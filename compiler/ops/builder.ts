/** The only way to make an equation: infers types, spells broadcasts, names every op. */

import {
  addDims,
  type Dim,
  elementCount,
  multiplyDims,
  sameShape,
  subtractDims,
} from "../ir/dim.ts";
import {
  arrayType,
  type Block,
  type DType,
  type Equation,
  type Parameters,
  type Shape,
  type Span,
  type Value,
  type ValueType,
} from "../ir/types.ts";

/** Types the outputs of an op: the op table, seen from here. */
export type TypeRule = (
  op: string,
  inputs: readonly ValueType[],
  parameters: Parameters,
) => readonly ValueType[];

export type Operand = Value | number;

/** Collects the equations of one block. Nested blocks are collected by `block`. */
export class GraphBuilder {
  readonly equations: Equation[] = [];
  /** Where the user's code for the next equations stands. */
  span: Span | undefined;
  private readonly typeRule: TypeRule;

  constructor(typeRule: TypeRule, span?: Span) {
    this.typeRule = typeRule;
    this.span = span;
  }

  /** Appends an equation of the op table; its outputs. */
  emit(op: string, inputs: readonly Value[], parameters: Parameters = {}): readonly Value[] {
    const types = this.typeRule(
      op,
      inputs.map((input) => input.type),
      parameters,
    );
    return this.append(op, inputs, parameters, [], types);
  }

  /** Appends an equation whose output types are known: region ops and copies. */
  append(
    op: string,
    inputs: readonly Value[],
    parameters: Parameters,
    regions: readonly Block[],
    types: readonly ValueType[],
  ): readonly Value[] {
    const outputs = types.map((type): Value => ({ type }));
    this.put({ op, inputs, parameters, regions, outputs, span: this.span });
    return outputs;
  }

  /** Appends an equation as it is. */
  put(equation: Equation): void {
    this.equations.push(equation);
  }

  /** A builder for a block inside this one. */
  nested(): GraphBuilder {
    return new GraphBuilder(this.typeRule, this.span);
  }

  /** Gives a value the user's name for it, unless it has one. */
  name(value: Value, name: string): Value {
    if (value.name === undefined) Object.assign(value, { name });
    return value;
  }

  /** A block built by `body` from parameters of the given types; equations go to its builder. */
  block(
    types: readonly ValueType[],
    body: (builder: GraphBuilder, parameters: readonly Value[]) => readonly Value[],
    names: readonly (string | undefined)[] = [],
  ): Block {
    const builder = new GraphBuilder(this.typeRule, this.span);
    const parameters = types.map((type, k): Value => ({ type, name: names[k] }));
    const results = body(builder, parameters);
    return { parameters, equations: builder.equations, results };
  }

  /** One output of an op. */
  one(op: string, inputs: readonly Value[], parameters: Parameters = {}): Value {
    return this.emit(op, inputs, parameters)[0] as Value;
  }

  // Constants

  constant(value: number, dtype: DType = "f64"): Value {
    const made = this.one("constant", [], { dtype, shape: [], values: [value] });
    return known(made, Number.isSafeInteger(value) && holdsExtents(dtype) ? value : undefined);
  }

  array(values: readonly number[], dtype: DType, shape: Shape = [values.length]): Value {
    return this.one("constant", [], { dtype, shape, values });
  }

  /** A dimension as an i32 scalar. */
  extent(dim: Dim): Value {
    if (typeof dim === "number") return this.constant(dim, "i32");
    return known(this.one("extent", [], { dim }), dim);
  }

  /** An array of one number. */
  full(shape: Shape, value: number, dtype: DType): Value {
    return this.broadcastTo(this.constant(value, dtype), shape);
  }

  zerosOf(type: ValueType): Value {
    if (type.stack) return this.stackNew(type.dtype, type.shape);
    return this.full(type.shape, 0, type.dtype);
  }

  iota(shape: Shape, axis: number, dtype: DType = "i32"): Value {
    return this.one("iota", [], { dtype, shape, axis });
  }

  // Elementwise. A number operand takes the dtype and the shape of the other one; a scalar value
  // takes the shape.

  unary(op: string, x: Value): Value {
    return this.one(op, [x]);
  }

  binary(op: string, x: Operand, y: Operand): Value {
    const [left, right] = this.align(x, y);
    return known(this.one(op, [left, right]), combinedExtent(op, left, right));
  }

  add(x: Operand, y: Operand): Value {
    return this.binary("add", x, y);
  }
  /** x + y, where a zero is nothing: 0 + x may become x, which it is not for x = -0. */
  accumulate(x: Value, y: Value): Value {
    return this.one("add", [x, y], { accumulate: true });
  }
  sub(x: Operand, y: Operand): Value {
    return this.binary("sub", x, y);
  }
  mul(x: Operand, y: Operand): Value {
    return this.binary("mul", x, y);
  }
  div(x: Operand, y: Operand): Value {
    return this.binary("div", x, y);
  }
  neg(x: Value): Value {
    return this.unary("neg", x);
  }

  select(condition: Value, x: Operand, y: Operand): Value {
    const [left, right] = this.align(x, y);
    return this.one("select", [this.spread(condition, left.type.shape), left, right]);
  }

  /** The i32 of a whole number of 32 bits; of other numbers some i32. */
  wholeNumber(x: Value): Value {
    if (x.type.dtype === "i32") return x;
    return known(this.one("cast", [x], { dtype: "i32", whole: true }), x.extent);
  }

  cast(x: Value, dtype: DType): Value {
    if (x.type.dtype === dtype) return x;
    return known(this.one("cast", [x], { dtype }), holdsExtents(dtype) ? x.extent : undefined);
  }

  // Movement

  /** `axes[k]` is where axis k of `x` stands in `shape`; the other axes repeat it. */
  broadcast(x: Value, shape: Shape, axes: readonly number[]): Value {
    if (sameShape(x.type.shape, shape)) return x;
    return this.one("broadcast", [x], { shape, axes });
  }

  /** A scalar, repeated to a shape. */
  broadcastTo(x: Value, shape: Shape): Value {
    return this.broadcast(x, shape, []);
  }

  reshape(x: Value, shape: Shape): Value {
    return sameShape(x.type.shape, shape) ? x : this.one("reshape", [x], { shape });
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    if (permutation.every((axis, k) => axis === k)) return x;
    return this.one("transpose", [x], { permutation });
  }

  slice(x: Value, start: readonly Dim[], limit: readonly Dim[], stride?: readonly number[]): Value {
    return this.one("slice", [x], { start, limit, stride: stride ?? start.map(() => 1) });
  }

  pad(
    x: Value,
    low: readonly Dim[],
    high: readonly Dim[],
    interior: readonly number[] = low.map(() => 0),
  ): Value {
    return this.one("pad", [x], { low, high, interior });
  }

  concat(parts: readonly Value[], axis: number): Value {
    return parts.length === 1 ? (parts[0] as Value) : this.one("concat", parts, { axis });
  }

  // Reductions and contractions

  reduce(op: string, x: Value, axes: readonly number[]): Value {
    return axes.length === 0 ? x : this.one(op, [x], { axes });
  }

  sum(x: Value, axes: readonly number[] = x.type.shape.map((_, axis) => axis)): Value {
    return this.reduce("sum", x, axes);
  }

  /** Batch axes first, then the free axes of `x`, then those of `y`. */
  dot(
    x: Value,
    y: Value,
    axes: {
      readonly contract: readonly [readonly number[], readonly number[]];
      readonly batch?: readonly [readonly number[], readonly number[]];
    },
  ): Value {
    const batch = axes.batch ?? [[], []];
    return this.one("dot", [x, y], {
      lhsContract: axes.contract[0],
      rhsContract: axes.contract[1],
      lhsBatch: batch[0],
      rhsBatch: batch[1],
    });
  }

  // Elements

  /** `x[i, j, …]`, by leading i32 indices. */
  at(x: Value, indices: readonly Value[]): Value {
    return this.one("at", [x, ...indices]);
  }
  /** `x` with `x[i, j, …] = value`; consumes `x`. */
  update(x: Value, value: Value, indices: readonly Value[]): Value {
    return this.one("update", [x, value, ...indices]);
  }
  /** `x` with `x[i, j, …] += value`; consumes `x`. */
  addAt(x: Value, value: Value, indices: readonly Value[]): Value {
    return this.one("add_at", [x, value, ...indices]);
  }

  // Stacks

  stackNew(dtype: DType, shape: Shape): Value {
    return this.one("stack_new", [], { dtype, shape });
  }
  push(stack: Value, value: Value): Value {
    return this.one("push", [stack, value]);
  }
  /** `[stack, value]`. */
  pop(stack: Value): readonly [Value, Value] {
    return this.emit("pop", [stack]) as readonly [Value, Value];
  }
  /** As `pop`, and 0 from a stack without elements, which stays as it is. */
  popOrZero(stack: Value): readonly [Value, Value] {
    return this.emit("pop", [stack], { orZero: true }) as readonly [Value, Value];
  }

  // Control

  /** Runs one of two blocks without parameters. Their results have the same types. */
  if(condition: Value, then: Block, otherwise: Block): readonly Value[] {
    const types = then.results.map((result) => result.type);
    return this.append("if", [condition], {}, [then, otherwise], types);
  }

  /**
   * `count` times: `body(i, …carried)` gives the next `carried`; `i` runs from 0 as i32.
   * Consumes `initial`.
   */
  for(count: Value, initial: readonly Value[], body: Block): readonly Value[] {
    const types = initial.map((value) => value.type);
    return this.append("for", [count, ...initial], {}, [body], types);
  }

  /** A block of scalars over the elements of arrays of one shape; its results, as arrays. */
  map(shape: Shape, arrays: readonly Value[], body: Block): readonly Value[] {
    const types = body.results.map((result) => arrayType(result.type.dtype, shape));
    return this.append("map", arrays, { shape }, [body], types);
  }

  // Helpers

  /** Both operands with one dtype and one shape. */
  private align(x: Operand, y: Operand): readonly [Value, Value] {
    if (typeof x === "number") {
      if (typeof y === "number") return [this.constant(x), this.constant(y)];
      return [this.full(y.type.shape, x, y.type.dtype), y];
    }
    if (typeof y === "number") return [x, this.full(x.type.shape, y, x.type.dtype)];
    const shape = x.type.shape.length >= y.type.shape.length ? x.type.shape : y.type.shape;
    return [this.spread(x, shape), this.spread(y, shape)];
  }

  private spread(x: Value, shape: Shape): Value {
    return x.type.shape.length === 0 ? this.broadcastTo(x, shape) : x;
  }
}

/** The number of elements, for divisors of means. */
export function countOf(shape: Shape, axes: readonly number[]): Dim {
  return elementCount(axes.map((axis) => shape[axis] as Dim));
}

/** Half precision has too few digits, as has a truth. */
function holdsExtents(dtype: DType): boolean {
  return dtype !== "bool" && dtype !== "f16";
}

/** Notes that a scalar equals a dimension, if it does. */
function known(value: Value, extent: Dim | undefined): Value {
  if (extent !== undefined && value.type.shape.length === 0) Object.assign(value, { extent });
  return value;
}

function combinedExtent(op: string, x: Value, y: Value): Dim | undefined {
  if (x.extent === undefined || y.extent === undefined) return undefined;
  switch (op) {
    case "add":
      return addDims(x.extent, y.extent);
    case "sub":
      return subtractDims(x.extent, y.extent);
    case "mul":
      return multiplyDims(x.extent, y.extent);
    default:
      return undefined;
  }
}
