/** Elements and sub-arrays at places found at run time: bounds first, then loads and stores. */

import type { Dim } from "../../ir/dim.ts";
import type { DType, Equation, Value } from "../../ir/types.ts";
import { addIndex, flatIndex, localIndex } from "../affine.ts";
import { ElementReader } from "../element.ts";
import {
  add,
  constant,
  type Expr,
  load,
  local,
  op,
  read,
  set,
  type Statement,
  store,
  subtract,
  sum,
} from "../loop.ts";
import { axesOf } from "../nest.ts";
import { describe, type Program } from "../program.ts";

/** `x[i, j, …]`: a scalar is loaded here, a sub-array is read where it is used. */
export function at(program: Program, equation: Equation): void {
  const [x, ...indices] = equation.inputs as readonly [Value, ...Value[]];
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = x.type;
  if (shape.length === 0) {
    program.setScalar(output, program.scalar(x));
    return;
  }
  const checked = checkedIndices(program, equation, x, indices);
  if (output.type.shape.length > 0) {
    program.buffer(x);
    program.define(output, {
      kind: "lazy",
      element: (reader, index) => reader.read(x, [...checked, ...index]),
      sources: [x],
    });
    return;
  }
  const place = program.placeOf(x);
  if (place.kind === "lazy") {
    const reader = new ElementReader(program);
    const value = reader.read(x, checked);
    program.emit(...reader.statements);
    program.setScalar(output, value);
    return;
  }
  const buffer = program.buffer(x);
  program.setScalar(output, load(read(buffer.pointer), flatIndex(shape, checked), dtype));
}

export function update(program: Program, equation: Equation): void {
  write(program, equation, (_, value) => value);
}

export function add_at(program: Program, equation: Equation): void {
  const { dtype } = (equation.inputs[0] as Value).type;
  write(program, equation, (old, value) => sum(dtype, old(), value));
}

/** Writes `combine(old, value)` at leading indices, in the memory of the array that is consumed. */
function write(
  program: Program,
  equation: Equation,
  combine: (old: () => Expr, value: Expr) => Expr,
): void {
  const [x, value, ...indices] = equation.inputs as readonly [Value, Value, ...Value[]];
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = x.type;
  if (shape.length === 0) {
    program.setScalar(
      output,
      combine(() => program.scalar(x), program.scalar(value)),
    );
    return;
  }
  const checked = checkedIndices(program, equation, x, indices);
  if (value.type.shape.length > 0) prepareValue(program, value, x);
  const buffer = program.own(x);
  const base = read(buffer.pointer);
  if (value.type.shape.length === 0) {
    const place = flatIndex(shape, checked);
    const old = (): Expr => load(base, place, dtype);
    program.emit(store(base, place, dtype, combine(old, program.scalar(value))));
  } else {
    const axes = axesOf(value.type.shape);
    const index = axes.map(({ counter }) => localIndex(counter));
    const reader = new ElementReader(program);
    const element = reader.read(value, index);
    reader.finish([]);
    const place = flatIndex(shape, [...checked, ...index]);
    const old = (): Expr => load(base, place, dtype);
    const body = [...reader.statements, store(base, place, dtype, combine(old, element))];
    program.nestKernel(equation.op, `${equation.op} in ${describe(x)}`, axes, body);
  }
  program.define(output, { kind: "array", buffer });
}

/** A value that is computed from the very array that is written comes first. */
function prepareValue(program: Program, value: Value, x: Value): void {
  const place = program.placeOf(value);
  if (place.kind === "member" || place.kind === "pending") program.buffer(value);
  if (place.kind === "lazy" && !program.isUniform(value) && program.readsMemoryOf(value, x)) {
    program.buffer(value);
  }
}

/** Indices of a loop, checked before it: whole or in range or both, unless the loop does not run. */
export function check_bounds(program: Program, equation: Equation): void {
  const [length, count, ...points] = equation.inputs as readonly [Value, Value, ...Value[]];
  const { op: access, array, marks } = equation.parameters as Record<string, string>;
  const site = program.site("index", access as string, equation.span, array || undefined);
  const extent = program.scalar(length);
  const wanted = String(marks).split(" ");
  const faults: Statement[] = [];
  const wrong = points.map((point, k): Expr => {
    const exact = program.scalar(point);
    const rounded = op("ne", "f64", [op("trunc", "f64", [exact]), exact]);
    // Written so that NaN fails.
    const above = op("ge", "f64", [exact, constant(0, "f64")]);
    const below = op("lt", "f64", [exact, cast(extent, "i32", "f64")]);
    const outside = op("not", "bool", [op("and", "bool", [above, below])]);
    const conditions = { whole: rounded, range: outside, both: either(rounded, outside) };
    const condition = conditions[wanted[k] as keyof typeof conditions];
    const index = op("select", "i32", [rounded, fraction, cast(exact, "f64", "i32")]);
    const fault: Statement = { kind: "fault", site, index, extent };
    faults.push({ kind: "if", condition, then: [fault], otherwise: [] });
    return condition;
  });
  // One branch where all is well
  const runs = op("gt", "i32", [program.scalar(count), constant(0)]);
  const condition = op("and", "bool", [runs, wrong.reduce(either)]);
  program.emit({ kind: "if", condition, then: faults, otherwise: [] });
}

/** Two lengths that must be equal. */
export function check_extent(program: Program, equation: Equation): void {
  const [found, expected] = equation.inputs as readonly [Value, Value];
  const array = String(equation.parameters["array"]);
  const site = program.site("extent", equation.op, equation.span, array || undefined);
  const [index, extent] = [program.scalar(found), program.scalar(expected)];
  const condition = op("ne", "i32", [index, extent]);
  const then: readonly Statement[] = [{ kind: "fault", site, index, extent }];
  program.emit({ kind: "if", condition, then, otherwise: [] });
}

function either(a: Expr, b: Expr): Expr {
  return op("or", "bool", [a, b]);
}

function cast(value: Expr, from: DType, to: DType): Expr {
  return { kind: "cast", from, to, lanes: 1, value };
}

/** The indices in locals of their own, each known to be in range. */
function checkedIndices(
  program: Program,
  equation: Equation,
  x: Value,
  indices: readonly Value[],
): readonly Expr[] {
  return indices.map((index, axis) => {
    const extent = program.dim(x.type.shape[axis] as Dim);
    const expr = program.scalar(index);
    const checked = equation.parameters["unchecked"] === true;
    const known =
      expr.kind === "const" &&
      extent.kind === "const" &&
      expr.value >= 0 &&
      expr.value < extent.value;
    const whole = wholeIndex(program, index);
    if (!checked && !known) {
      const site = program.site("index", equation.op, equation.span, x.name);
      const tests = [op("ge", "u32", [whole?.integer ?? expr, extent]), ...(whole?.faults ?? [])];
      const condition = tests.reduce(either);
      const then: readonly Statement[] = [
        { kind: "fault", site, index: whole?.shown ?? expr, extent },
      ];
      program.emit({ kind: "if", condition, then, otherwise: [] });
    }
    if (expr.kind === "const") return constant(expr.value);
    return localOf(program, whole?.integer ?? expr);
  });
}

/** What a fault says of an index that is not a whole number of 32 bits. */
const fraction = constant(-2147483648);

interface WholeIndex {
  readonly integer: Expr;
  readonly faults: readonly Expr[];
  /** For the message. */
  readonly shown: Expr;
}

/**
 * The integer in `select (x == i) i -1`, which is what an index is that was computed in doubles:
 * where the equality is asked together with the bounds, the access does not wait for the choice.
 */
function wholeIndex(program: Program, index: Value): WholeIndex | undefined {
  const choice = program.definition(index);
  const [test, integer, otherwise] = choice?.op === "select" ? choice.inputs : [];
  const isCast = program.definition(integer)?.op === "cast";
  if (test === undefined || integer === undefined || !isCast) return undefined;
  const other = program.definition(otherwise);
  const values = other?.op === "constant" ? (other.parameters["values"] as readonly number[]) : [];
  if (values[0] !== -1) return undefined;
  const [isWhole, value] = [program.scalar(test), program.scalar(integer)];
  return {
    integer: value,
    faults: [op("not", "bool", [isWhole])],
    shown: op("select", "i32", [isWhole, value, fraction]),
  };
}

/** An expression as an index form that later assignments cannot change. */
function localOf(program: Program, expr: Expr): Expr {
  if (expr.kind === "local" && !program.isReassigned(expr.local)) return localIndex(expr.local);
  const kept = local("k", "i32");
  program.emit(set(kept, expr));
  return localIndex(kept);
}

/** `size` elements from `start` on, along an axis: read where they are used. */
export function dynamic_slice(program: Program, equation: Equation): void {
  const [x, start] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const first = checkedStart(program, equation, x, start, output.type.shape[axis] as Dim, axis);
  program.buffer(x);
  program.define(output, {
    kind: "lazy",
    element: (reader, index) => reader.read(x, moved(index, axis, first)),
    sources: [x],
  });
}

export function dynamic_update(program: Program, equation: Equation): void {
  const [x, value, start] = equation.inputs as readonly [Value, Value, Value];
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const { dtype, shape } = x.type;
  const first = checkedStart(program, equation, x, start, value.type.shape[axis] as Dim, axis);
  prepareValue(program, value, x);
  const buffer = program.own(x);
  const axes = axesOf(value.type.shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const reader = new ElementReader(program);
  const element = reader.read(value, index);
  reader.finish([]);
  const place = flatIndex(shape, moved(index, axis, first));
  const body = [...reader.statements, store(read(buffer.pointer), place, dtype, element)];
  program.nestKernel(equation.op, `${equation.op} in ${describe(x)}`, axes, body);
  program.define(output, { kind: "array", buffer });
}

function moved(index: readonly Expr[], axis: number, by: Expr): readonly Expr[] {
  return index.map((i, a) => (a === axis ? addIndex(i, by) : i));
}

function checkedStart(
  program: Program,
  equation: Equation,
  x: Value,
  start: Value,
  size: Dim,
  axis: number,
): Expr {
  const expr = program.scalar(start);
  const room = subtract(program.dim(x.type.shape[axis] as Dim), program.dim(size));
  const site = program.site("start", equation.op, equation.span, x.name);
  program.checkIndex(expr, add(room, constant(1)), site);
  return expr.kind === "const" ? constant(expr.value) : localOf(program, expr);
}

/** A fresh copy; a scalar is its own copy. */
export function copy(program: Program, equation: Equation): void {
  const input = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  if (input.type.shape.length === 0) {
    program.define(output, { kind: "scalar", expr: program.scalar(input) });
    return;
  }
  const place = program.placeOf(input);
  if (place.kind === "lazy") {
    // Computed for the copy directly.
    program.define(output, { kind: "array", buffer: program.computed(output, place.element) });
    return;
  }
  const from = program.buffer(input);
  const buffer = program.fresh(output);
  program.emit({
    kind: "copy",
    to: read(buffer.pointer),
    from: read(from.pointer),
    bytes: program.dim(program.bytesOf(input.type)),
  });
  program.define(output, { kind: "array", buffer });
}
