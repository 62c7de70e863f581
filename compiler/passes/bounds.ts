/**
 * Checks indices once before a loop instead of in every iteration, and counts in i32 from there:
 *
 *   for i < n { v = at x (i*m + k) }   →   check_bounds (length x) n (k, …, (n-1)*m + k)
 *                                          for i < n { v = at x (i*m + k) {unchecked} }
 *
 * An index that is affine in the counter is in range everywhere if it is so at the first and at the
 * last iteration. It is whole everywhere if it is so at the first one and moves in whole steps, or
 * at the first, the second and the last one. A program has no effects before it ends, so that an
 * error may come early. Checks move out of nests, loop by loop.
 */

import { addDims, type Dim, multiplyDims, subtractDims, symbolsOf } from "../ir/dim.ts";
import type { Block, Equation, Parameter, Value } from "../ir/types.ts";
import { allEquations } from "../ir/walk.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { newBuilder } from "../ops/index.ts";
import { firstIndex } from "./checked.ts";

/** `outer` are equations around the block, for what they say of its values. */
export function hoistBounds(block: Block, outer: Iterable<Equation> = []): Block {
  const everything = new Map<Value, Equation>();
  for (const equation of [...outer, ...allEquations(block)]) {
    for (const output of equation.outputs) everything.set(output, equation);
  }
  const visit = (inner: Block): Block => {
    const equations = inner.equations.flatMap((equation): readonly Equation[] => {
      const walked = { ...equation, regions: equation.regions.map(visit) };
      return equation.op === "for" ? hoistFrom(walked, everything) : [walked];
    });
    return { ...inner, equations };
  };
  return visit(block);
}

/** A loop with its checks before it. */
function hoistFrom(
  equation: Equation,
  everything: ReadonlyMap<Value, Equation>,
): readonly Equation[] {
  const [body] = equation.regions as [Block];
  const before = newBuilder(equation.span);
  const loop = new CountedLoop(equation, body, before, everything);
  const inside = newBuilder();
  for (const inner of body.equations) {
    inside.span = inner.span;
    before.span = inner.span;
    const moved = inner.op === "check_bounds" ? loop.moveCheck(inner) : false;
    if (moved) continue;
    const indices = positionsOfIndices(inner);
    const place = indices && inner.parameters["unchecked"] !== true && loop.place(inner, indices);
    if (!place) {
      inside.put(inner);
      continue;
    }
    const access = { op: inner.op, array: inner.inputs[0]?.name ?? "" };
    for (const { length, points } of place.filter((check) => check.points.length > 0)) {
      appendCheck(before, length, loop.count, points, access);
    }
    const counted = place.map(({ index }) => loop.asInteger(index, inside));
    const from = indices[0] as number;
    inside.put({
      ...inner,
      inputs: [...inner.inputs.slice(0, from), ...counted],
      parameters: { ...inner.parameters, unchecked: true },
    });
  }
  const region = { ...body, equations: inside.equations };
  return [...before.equations, { ...equation, regions: [region] }];
}

/** Where an access has its indices among its inputs. */
function positionsOfIndices(equation: Equation): readonly number[] | undefined {
  const from = firstIndex(equation);
  if (from === undefined || equation.inputs.length === from) return undefined;
  return equation.inputs.map((_, k) => k).slice(from);
}

/** What is to be known of a number: that it is in range, that it is whole, or both. */
type Mark = "range" | "whole" | "both";

interface Point {
  readonly value: Value;
  readonly mark: Mark;
}

interface Check {
  readonly length: Value;
  /** None where the index is in range whatever happens. */
  readonly points: readonly Point[];
  readonly index: Value;
}

function appendCheck(
  builder: GraphBuilder,
  length: Value,
  count: Value,
  points: readonly Point[],
  access: Readonly<Record<string, Parameter>>,
): void {
  const inputs = [length, count, ...points.map(({ value }) => value)];
  const marks = points.map(({ mark }) => mark).join(" ");
  builder.append("check_bounds", inputs, { ...access, marks }, [], []);
}

/** A `for` with what its body computes from its counter. */
class CountedLoop {
  readonly count: Value;
  private readonly counter: Value;
  private readonly definitions = new Map<Value, Equation>();
  private readonly inside = new Set<Value>();
  private readonly symbols = new Set<string>();
  private readonly before: GraphBuilder;
  private readonly everything: ReadonlyMap<Value, Equation>;

  constructor(
    equation: Equation,
    body: Block,
    before: GraphBuilder,
    everything: ReadonlyMap<Value, Equation>,
  ) {
    this.everything = everything;
    this.count = equation.inputs[0] as Value;
    this.counter = body.parameters[0] as Value;
    this.before = before;
    for (const parameter of body.parameters) this.inside.add(parameter);
    for (const inner of body.equations) {
      for (const output of inner.outputs) {
        this.definitions.set(output, inner);
        this.inside.add(output);
      }
    }
    for (const inner of allEquations(body)) {
      if (inner.op === "bind") this.symbols.add(String(inner.parameters["symbol"]));
    }
  }

  /** The checks that an access needs, or undefined where it has to check for itself. */
  place(access: Equation, positions: readonly number[]): readonly Check[] | undefined {
    const { shape } = (access.inputs[0] as Value).type;
    const checks: Check[] = [];
    const indices = positions.map((position) => access.inputs[position] as Value);
    // Nothing is emitted unless all of them can be.
    if (!indices.every((index) => this.degree(this.exact(index)) !== undefined)) return undefined;
    for (const [axis, index] of indices.entries()) {
      const dim = shape[axis] as Dim;
      if (symbolsOf(dim).some((name) => this.symbols.has(name))) return undefined;
      const length = this.before.extent(dim);
      const exact = this.exact(index);
      const mark = this.isWhole(exact) ? "range" : "both";
      const points = this.isInside(exact, dim) ? [] : this.pointsOf({ value: exact, mark });
      checks.push({ length, points, index });
    }
    return checks;
  }

  /** Moves a check of an inner loop out of this one; false where it depends on the iteration. */
  moveCheck(check: Equation): boolean {
    const [length, count, ...values] = check.inputs as [Value, Value, ...Value[]];
    const free = [length, count].every((value) => this.degree(value) === 0);
    if (!free || values.some((value) => this.degree(value) === undefined)) return false;
    const { before } = this;
    const marks = String(check.parameters["marks"]).split(" ") as Mark[];
    const ends = values.flatMap((value, k) => this.pointsOf({ value, mark: marks[k] as Mark }));
    const inner = this.rebuild(count, undefined);
    const runs = before.binary("min", this.count, before.cast(inner, "i32"));
    const extent = before.cast(this.rebuild(length, undefined), "i32");
    appendCheck(before, extent, runs, ends, check.parameters);
    return true;
  }

  /** The number behind an index: `select (x == trunc x) (trunc x) -1` → x. */
  private exact(index: Value): Value {
    const choice = this.definitionOf(index);
    if (choice?.op !== "select") return index;
    const [test, chosen] = choice.inputs as [Value, Value, Value];
    const comparison = this.definitionOf(test);
    const truncated = this.definitionOf(chosen);
    if (comparison?.op !== "eq" || truncated?.op !== "cast") return index;
    const [x] = truncated.inputs as [Value];
    return x.type.dtype === "f64" && comparison.inputs.includes(x) ? x : index;
  }

  /** The equation that a value comes from, in the loop or before it. */
  private definitionOf(value: Value): Equation | undefined {
    return this.definitions.get(value) ?? this.everything.get(value);
  }

  /** 0 where a value is the same in every iteration, 1 where it is affine in the counter. */
  private degree(value: Value): 0 | 1 | undefined {
    if (value === this.counter) return 1;
    if (!this.inside.has(value)) return 0;
    const definition = this.definitions.get(value);
    if (definition === undefined) return undefined;
    switch (definition.op) {
      case "constant":
        return value.type.shape.length === 0 ? 0 : undefined;
      case "extent": {
        const mentioned = symbolsOf(definition.parameters["dim"] as Dim);
        return mentioned.some((name) => this.symbols.has(name)) ? undefined : 0;
      }
      case "cast": {
        const [x] = definition.inputs as [Value];
        if (!isNumber(x) || !isNumber(value)) return undefined;
        const inner = this.degree(x);
        // Rounding to an integer is affine only where there is nothing to round.
        const rounds = x.type.dtype === "f64" && value.type.dtype === "i32";
        return rounds && inner === 1 ? undefined : inner;
      }
      case "min":
        return definition.inputs.every((input) => this.degree(input) === 0) ? 0 : undefined;
      case "add":
      case "sub":
      case "mul": {
        if (!isNumber(value)) return undefined;
        const [x, y] = definition.inputs.map((input) => this.degree(input));
        if (x === undefined || y === undefined) return undefined;
        const degree = definition.op === "mul" ? x + y : Math.max(x, y);
        return degree === 0 ? 0 : degree === 1 ? 1 : undefined;
      }
      default:
        return undefined;
    }
  }

  /** True where the shapes alone say that an index is in range: `i` or `n-1-i` for i < n. */
  private isInside(index: Value, length: Dim): boolean {
    const line = this.lineOf(index);
    const count = this.lineOf(this.count);
    if (line === undefined || count === undefined) return false;
    const iterations = count.offset;
    const last = subtractDims(iterations, 1);
    const ends = [line.offset, addDims(line.offset, multiplyDims(line.slope, last))];
    // In the loop there is at least one iteration.
    return ends.every((end) => {
      const low = atLeastZero(end) || atLeastZero(subtractDims(end, last));
      const slack = subtractDims(length, iterations);
      const high =
        atLeastZero(subtractDims(subtractDims(length, 1), end)) ||
        (typeof end === "number" && typeof slack === "number" && end <= slack);
      return low && high;
    });
  }

  /** A number as slope · counter + offset in known dimensions. */
  private lineOf(value: Value): Line | undefined {
    if (value === this.counter) return { slope: 1, offset: 0 };
    const definition = this.everything.get(value) ?? this.definitions.get(value);
    if (definition === undefined || !isNumber(value)) return undefined;
    switch (definition.op) {
      case "constant": {
        const [number] = definition.parameters["values"] as readonly [number];
        return Number.isSafeInteger(number) ? { slope: 0, offset: number } : undefined;
      }
      case "extent":
        return { slope: 0, offset: definition.parameters["dim"] as Dim };
      case "cast":
        return this.lineOf(definition.inputs[0] as Value);
      case "add":
      case "sub":
      case "mul": {
        const [x, y] = definition.inputs.map((input) => this.lineOf(input));
        if (x === undefined || y === undefined) return undefined;
        if (definition.op === "mul") {
          if (x.slope !== 0 && y.slope !== 0) return undefined;
          const cross = [multiplyDims(x.slope, y.offset), multiplyDims(y.slope, x.offset)] as const;
          return { slope: addDims(...cross), offset: multiplyDims(x.offset, y.offset) };
        }
        const combine = definition.op === "add" ? addDims : subtractDims;
        return { slope: combine(x.slope, y.slope), offset: combine(x.offset, y.offset) };
      }
      default:
        return undefined;
    }
  }

  /** What is to be known before the loop, so that something is known of a value in all rounds. */
  private pointsOf({ value, mark }: Point): readonly Point[] {
    const { before } = this;
    if (this.degree(value) === 0) return [{ value: this.rebuild(value, undefined), mark }];
    const end = before.sub(before.cast(this.count, "f64"), 1);
    const first = this.rebuild(value, before.constant(0));
    const last = (): Value => this.rebuild(value, end);
    if (mark === "range") return [first, last()].map((at) => ({ value: at, mark }));
    if (this.movesInWholeSteps(value)) {
      const rest: readonly Point[] = mark === "both" ? [{ value: last(), mark: "range" }] : [];
      return [{ value: first, mark }, ...rest];
    }
    const second = this.rebuild(value, before.binary("min", before.constant(1), end));
    return [
      { value: first, mark },
      { value: second, mark: "whole" },
      { value: last(), mark },
    ];
  }

  /** True of numbers that have no fraction, whatever happens. */
  private isWhole(value: Value): boolean {
    if (value.type.dtype === "i32") return true;
    const definition = this.everything.get(value) ?? this.definitions.get(value);
    if (definition === undefined) return false;
    switch (definition.op) {
      case "constant":
        return (definition.parameters["values"] as readonly number[]).every(Number.isInteger);
      case "extent":
      case "floor":
      case "ceil":
      case "trunc":
      case "round":
        return true;
      case "cast":
      case "neg":
      case "add":
      case "sub":
      case "mul":
      case "min":
      case "max":
        return definition.inputs.every((input) => this.isWhole(input));
      default:
        return false;
    }
  }

  /** True of a number, affine in the counter, whose difference from round to round is whole. */
  private movesInWholeSteps(value: Value): boolean {
    if (value === this.counter || this.degree(value) === 0) return true;
    const { op, inputs } = this.definitions.get(value) as Equation;
    if (op !== "mul") return inputs.every((input) => this.movesInWholeSteps(input));
    return inputs.every((input) =>
      this.degree(input) === 0 ? this.isWhole(input) : this.movesInWholeSteps(input),
    );
  }

  /** A value computed before the loop, in doubles, with a number in place of the counter. */
  private rebuild(value: Value, at: Value | undefined): Value {
    const { before } = this;
    if (value === this.counter) return at as Value;
    const definition = this.definitions.get(value);
    if (!this.inside.has(value) || definition === undefined) return before.cast(value, "f64");
    const operands = definition.inputs.map((input) => this.rebuild(input, at));
    switch (definition.op) {
      case "constant":
        return before.constant((definition.parameters["values"] as readonly number[])[0] as number);
      case "extent":
        return before.cast(before.extent(definition.parameters["dim"] as Dim), "f64");
      case "cast": {
        const [x] = definition.inputs as [Value];
        const [operand] = operands as [Value];
        const rounds = x.type.dtype === "f64" && value.type.dtype === "i32";
        return rounds ? before.cast(before.cast(operand, "i32"), "f64") : operand;
      }
      default:
        return before.one(definition.op, operands);
    }
  }

  /**
   * The index in i32, which wraps: its last 32 bits are right, and it is known to be in range, so
   * that there are no others.
   */
  asInteger(index: Value, builder: GraphBuilder): Value {
    const made = new Map<Value, Value>();
    const visit = (value: Value): Value => {
      const known = made.get(value);
      if (known !== undefined) return known;
      const result = convert(value);
      made.set(value, result);
      return result;
    };
    const convert = (value: Value): Value => {
      if (value.type.dtype === "i32") return value;
      const definition = this.definitions.get(value);
      if (!this.inside.has(value) || definition === undefined) return builder.wholeNumber(value);
      const operands = (): readonly Value[] => definition.inputs.map(visit);
      switch (definition.op) {
        case "constant": {
          const [number] = definition.parameters["values"] as readonly [number];
          return builder.constant(number | 0, "i32");
        }
        case "add":
        case "sub":
        case "mul":
          return builder.one(definition.op, operands());
        case "cast":
          return operands()[0] as Value;
        default:
          return builder.wholeNumber(value);
      }
    };
    const exact = this.exact(index);
    if (exact.type.dtype === "i32") return exact;
    const { offset, slope } = this.unknownParts(exact);
    return offset > 1 || slope > 1 ? builder.wholeNumber(exact) : visit(exact);
  }

  /**
   * How many terms of the offset and of the slope of an index may be fractions. That the index is
   * whole at the first and the second iteration makes both whole, and a single term with them;
   * `i + (0.5 + h)` says nothing of h.
   */
  private unknownParts(value: Value): { readonly offset: number; readonly slope: number } {
    const none = { offset: 0, slope: 0 };
    if (value === this.counter || value.type.dtype === "i32") return none;
    const definition = this.definitions.get(value);
    if (!this.inside.has(value) || definition === undefined) {
      return this.isWhole(value) ? none : { offset: 1, slope: 0 };
    }
    if (definition.op === "constant") {
      return this.isWhole(value) ? none : { offset: 1, slope: 0 };
    }
    const parts = definition.inputs.map((input) => this.unknownParts(input));
    const sum = (part: "offset" | "slope"): number =>
      parts.reduce((total, each) => total + each[part], 0);
    const [offset, slope] = [sum("offset"), sum("slope")];
    if (definition.op !== "mul" || offset + slope === 0) return { offset, slope };
    const byCounter = definition.inputs.some((input) => this.isCounter(input));
    return byCounter && offset === 1 ? { offset: 0, slope: 1 } : { offset: 2, slope: 2 };
  }

  private isCounter(value: Value): boolean {
    if (value === this.counter) return true;
    const definition = this.definitions.get(value);
    return definition?.op === "cast" && definition.inputs[0] === this.counter;
  }
}

interface Line {
  readonly slope: Dim;
  readonly offset: Dim;
}

function atLeastZero(dim: Dim): boolean {
  return typeof dim === "number" && dim >= 0;
}

function isNumber({ type }: Value): boolean {
  return type.shape.length === 0 && (type.dtype === "i32" || type.dtype === "f64");
}
