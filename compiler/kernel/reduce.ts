/**
 * Reductions over axes: along a row with several accumulators, across rows a whole row at a time.
 * `y[i] = Σ_j x[i, j]`: `for i { a = 0; for j: a += x[i, j…]; y[i] = Σ a }`, and
 * `y[j] = Σ_i x[i, j]`: `y = 0; for i { for j: y[j] += x[i, j] }`, vectors along j in both.
 */

import type { DType, Equation, Value } from "../ir/types.ts";
import { type Dim, elementCount } from "../ir/dim.ts";
import { dimIndex, flatIndex, localIndex } from "./affine.ts";
import { costOf } from "./cost.ts";
import { vectorLanes } from "./dtypes.ts";
import { ElementReader } from "./element.ts";
import {
  add,
  constant,
  divide,
  type Expr,
  type Lanes,
  load,
  type Local,
  local,
  loop,
  machine,
  minimum,
  op,
  read,
  set,
  type Statement,
  store,
} from "./loop.ts";
import {
  type Axis,
  axesOf,
  type ChooseRange,
  collapse,
  nest,
  rounds,
  wholeVectors,
  wrap,
  wrapRange,
  wrapShared,
} from "./nest.ts";
import { describe, type Program } from "./program.ts";
import { elementBytes } from "./options.ts";
import { type Part, partOf, type Range, shareFunction, wholePart, wholeRange } from "./tasks.ts";
import { laneOps, moved, vectorExpr } from "./vectorise.ts";

/** Totals of a line in the cache, and of whole vectors. */
const totalsTogether = 16;

export interface Reduction {
  readonly combine: string;
  readonly identity: number;
  readonly dtype: DType;
}

export function lowerReduction(
  program: Program,
  equation: Equation,
  combine: string,
  identity: number,
): void {
  const input = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const axes = equation.parameters["axes"] as readonly number[];
  const { dtype, shape } = input.type;
  if (axes.length === 0) {
    if (shape.length === 0) program.setScalar(output, program.scalar(input));
    else {
      program.define(output, {
        kind: "lazy",
        element: (reader, index) => reader.read(input, index),
        sources: [input],
      });
    }
    return;
  }
  const rule: Reduction = { combine, identity: identityOf(dtype, identity), dtype };
  const all = axesOf(shape);
  const index = all.map(({ counter }) => localIndex(counter));
  const reader = new ElementReader(program);
  reader.identity = index;
  const element = reader.read(input, index);
  const kept = all.filter((_, axis) => !axes.includes(axis));
  if (kept.length === 0) {
    reader.finish([]);
    const result = wholeTotal(program, equation, all, reader.statements, element, rule);
    program.define(output, { kind: "scalar", expr: read(result) });
    return;
  }
  const buffer = program.fresh(output);
  reader.finish([]);
  buffer.from = program.step;
  const at = flatIndex(
    output.type.shape,
    kept.map(({ counter }) => localIndex(counter)),
  );
  // On a grid each total is a thread's.
  const alongRows = axes.includes(shape.length - 1) || program.options.grid === true;
  const { statements } = reader;
  const base = read(buffer.pointer);
  const work = {
    count: elementCount(shape),
    cost: costOf([...statements, set(local("x", machine(dtype)), element)]),
  };
  program.sharedKernel("reduce", `${equation.op} of ${describe(input)}`, work, (choose) => {
    if (!alongRows)
      return rowsToRow(program, all, axes, statements, element, rule, base, at, choose);
    const reduced = all.filter((_, axis) => axes.includes(axis));
    const row = alongRow(program, reduced, statements, element, rule, (total) => [
      store(base, at, dtype, total),
    ]);
    return wrapShared(kept, row, choose);
  });
  program.define(output, { kind: "array", buffer });
}

/**
 * A whole array in one number. Where threads may share the work, the array is cut into lines, as
 * many for any number of threads: `p[k] = Σ of line k`, then `Σ p`.
 */
export function wholeTotal(
  program: Program,
  { op: name, inputs, outputs }: Equation,
  axes: readonly Axis[],
  before: readonly Statement[],
  element: Expr,
  rule: Reduction,
): Local {
  const { combine, identity, dtype } = rule;
  const comment = `${name} of ${describe(inputs[0] as Value)}`;
  const result = local(outputs[0]?.name ?? "total", machine(dtype));
  const count = elementCount(axes.map(({ extent }) => extent));
  const cost = costOf([...before, set(result, element)]);
  const { count: lines, line, most, range, find } = linesOf(program, count, cost);
  if (range.split === undefined) {
    const body = alongRow(program, axes, before, element, rule, (sum) => [set(result, sum)]);
    program.kernel("reduce", comment, body, [result]);
    return result;
  }
  program.emit(...find);
  const bytes = most * elementBytes(dtype, program.options);
  const partial = read(program.allocate("partial", bytes).pointer);
  const ofLine = alongRow(
    program,
    axes,
    before,
    element,
    rule,
    (sum) => [store(partial, read(line), dtype, sum)],
    (extent, grain) => partOf(extent, grain, read(line), read(lines)),
  );
  program.kernel("reduce", comment, rounds(line, range, ofLine), [], range);
  const sum = op(combine, dtype, [read(result), load(partial, read(line), dtype)]);
  const together = [
    set(result, constant(identity, dtype)),
    loop(line, read(lines), [set(result, sum)]),
  ];
  program.kernel("reduce", `${name} of the lines`, together, [result]);
  return result;
}

/** How an array is cut into lines. */
interface Lines {
  readonly count: Local;
  readonly line: Local;
  /** There are not more of them. */
  readonly most: number;
  /** Of the loop over them; where it is not split, there is nothing to cut for. */
  readonly range: Range;
  /** Finds their number. */
  readonly find: readonly Statement[];
}

/** The lines of so many elements, each of which costs so much: none of them is empty. */
export function linesOf(program: Program, elements: Dim, cost: number): Lines {
  const [count, line] = [local("lines", "i32"), local("line", "i32")];
  const range = program.range(read(count), 1, program.work(elements, cost));
  const { most, least } = program.options.grid === true ? linesOfGrid : linesOfThreads;
  if (range.split !== undefined) program.parts.library(shareFunction);
  const wanted = divide(add(program.dim(elements), constant(least - 1)), constant(least));
  return { count, line, most, range, find: [set(count, minimum(wanted, constant(most)))] };
}

/** Into how many lines a whole array is cut, and of how many elements each is at least. */
const linesOfThreads = { most: 64, least: 4096 };
const linesOfGrid = { most: 256, least: 64 };

/** The least and the greatest integer stand for the infinities. */
function identityOf(dtype: DType, identity: number): number {
  if (Number.isFinite(identity) || dtype === "f64" || dtype === "f32") return identity;
  const [least, greatest] = dtype === "i32" ? [-2147483648, 2147483647] : [0, 4294967295];
  return identity < 0 ? least : greatest;
}

/**
 * Loops over `axes` that combine into accumulators, then `finish` with the total. `part`: which
 * rounds of the outermost loop, given its extent and a grain that keeps vectors whole.
 */
export function alongRow(
  program: Program,
  axes: readonly Axis[],
  before: readonly Statement[],
  element: Expr,
  rule: Reduction,
  finish: (total: Expr) => readonly Statement[],
  part: (extent: Expr, grain: number) => Part = wholePart,
): readonly Statement[] {
  const { combine, identity, dtype } = rule;
  const single = local("total", machine(dtype));
  const step = set(single, op(combine, dtype, [read(single), element]));
  const [merged, inside] = collapse(axes, [...before, step]);
  const start = set(single, constant(identity, dtype));
  const last = merged.at(-1);
  if (last === undefined) return [start, ...inside, ...finish(read(single))];
  const outer = merged.slice(0, -1);
  const vector = program.options.vectors ? vectorStep(last, inside, rule) : undefined;
  const lanes = vector?.lanes ?? 1;
  const { extent } = outer[0] ?? last;
  const { find, rounds } = part(dimIndex(extent), outer.length === 0 ? 4 * lanes : 1);
  if (vector === undefined) {
    return [start, ...find, ...wrapRange(merged, 0, rounds, inside), ...finish(read(single))];
  }
  const { value, counter } = vector;
  // Four accumulators hide the latency of an addition.
  const accumulators = [0, 1, 2, 3].map((k) => local(`sum${k}`, machine(dtype, lanes)));
  const { from, to } = outer.length === 0 ? rounds : wholeRange(dimIndex(last.extent));
  const four = wholeVectors(to, 4 * lanes);
  const whole = wholeVectors(to, lanes);
  const combined = (k: number, operand: Expr): Statement => {
    const target = accumulators[k] as Local;
    return set(target, op(combine, dtype, [read(target), operand], lanes));
  };
  const unrolled = accumulators.map((_, k) => combined(k, moved(value, counter, k * lanes)));
  const loops = [
    loop(counter, four, unrolled, 4 * lanes, from),
    loop(counter, whole, [combined(0, value)], lanes, four),
    loop(counter, to, inside, 1, whole),
  ];
  const folded = [1, 2, 3].map((k) => combined(0, read(accumulators[k] as Local)));
  const parts = [...Array(lanes).keys()].map((lane): Expr => ({
    kind: "lane",
    dtype,
    lanes,
    lane,
    value: read(accumulators[0] as Local),
  }));
  const total = parts.reduce((sum, part) => op(combine, dtype, [sum, part]), read(single));
  return [
    start,
    ...accumulators.map((target) => set(target, constant(identity, dtype, lanes))),
    ...find,
    ...wrapRange(outer, 0, rounds, loops),
    ...folded,
    ...finish(total),
  ];
}

interface VectorStep {
  readonly lanes: Lanes;
  readonly value: Expr;
  readonly counter: Axis["counter"];
}

/** The element of the innermost axis in vectors, where it has that form. */
function vectorStep(
  axis: Axis,
  inside: readonly Statement[],
  { combine, dtype }: Reduction,
): VectorStep | undefined {
  const lanes = vectorLanes(dtype);
  const step = inside.at(-1);
  if (lanes === 1 || dtype === "bool" || !laneOps[dtype].has(combine)) return undefined;
  if (inside.length !== 1 || step?.kind !== "set" || step.value.kind !== "op") return undefined;
  const value = vectorExpr(step.value.operands[1] as Expr, dtype, axis.counter, lanes);
  return value && { lanes, value, counter: axis.counter };
}

/** Sums over outer axes: a row of totals, to which one row after the other is added. */
function rowsToRow(
  program: Program,
  all: readonly Axis[],
  axes: readonly number[],
  before: readonly Statement[],
  element: Expr,
  { combine, identity, dtype }: Reduction,
  base: Expr,
  at: Expr,
  choose: ChooseRange,
): readonly Statement[] {
  const firstReduced = Math.min(...axes);
  const outer = all.slice(0, firstReduced);
  const inner = all.filter((_, axis) => axis >= firstReduced && !axes.includes(axis));
  const reduced = all.filter((_, axis) => axes.includes(axis));
  const { vectors } = program.options;
  const start = store(base, at, dtype, constant(identity, dtype));
  const step = store(base, at, dtype, op(combine, dtype, [load(base, at, dtype), element]));
  const loops = (chosen?: ChooseRange): readonly Statement[] => [
    ...nest(inner, [start], vectors, chosen),
    ...wrap(reduced, nest(inner, [...before, step], vectors, chosen)),
  ];
  if (outer.some(({ extent }) => extent !== 1)) return wrapShared(outer, loops(), choose);
  // Totals that are neighbours grow together: each part has some of them.
  const [row, ...others] = inner.filter(({ extent }) => extent !== 1);
  if (row === undefined || others.length > 0) return loops();
  const range = choose(row.extent, totalsTogether);
  return wrap(
    outer,
    loops(() => range),
  );
}
