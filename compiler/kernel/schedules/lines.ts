/** Walks along one axis that keep their order: positions of extremes, and prefix sums. */

import { addDims, type Dim, divideDim, elementCount } from "../../ir/dim.ts";
import type { DType, Equation, Value } from "../../ir/types.ts";
import { addIndex, dimIndex, flatIndex, localIndex, scaleIndex } from "../affine.ts";
import { ElementReader } from "../element.ts";
import {
  constant,
  divide,
  type Expr,
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
} from "../loop.ts";
import { costOf } from "../cost.ts";
import { type Axis, axesOf, nest, rounds, wrap, wrapShared } from "../nest.ts";
import { elementBytes } from "../options.ts";
import { describe, type Program } from "../program.ts";
import { linesOf } from "../reduce.ts";
import { partOf, type Rounds, wholeRange } from "../tasks.ts";

export function argmax(program: Program, equation: Equation): void {
  extreme(program, equation, "gt");
}

export function argmin(program: Program, equation: Equation): void {
  extreme(program, equation, "lt");
}

/** The first index whose element is better than all before it; the first NaN is best of all. */
function extreme(program: Program, equation: Equation, better: "gt" | "lt"): void {
  const x = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const { dtype, shape } = x.type;
  const reader = new ElementReader(program);
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  reader.identity = index;
  const element = reader.read(x, index);
  const along = axes[axis] as Axis;
  const kept = axes.filter((other) => other !== along);
  const [best, place, value] = [
    local("best", machine(dtype)),
    local("place", "i32"),
    local("value", machine(dtype)),
  ];
  const wins = op(better, dtype, [read(value), read(best)]);
  const floating = dtype === "f64" || dtype === "f32";
  const isNan = (of: Local): Expr => op("is_nan", dtype, [read(of)]);
  const firstNan = op("and", "bool", [isNan(value), op("not", "bool", [isNan(best)])]);
  const test = floating ? op("or", "bool", [wins, firstNan]) : wins;
  const look = (isFirst: Expr): readonly Statement[] => [
    ...reader.statements,
    set(value, element),
    {
      kind: "if",
      condition: op("or", "bool", [isFirst, test]),
      then: [set(best, read(value)), set(place, read(along.counter))],
      otherwise: [],
    },
  ];
  const start = [set(place, constant(0)), set(best, constant(0, dtype))];
  const search: Search = { along, place, start, look };
  const name = `${equation.op} of ${describe(x)}`;
  reader.finish([]);
  if (kept.length === 0) {
    wholeSearch(program, equation.op, name, search);
    program.define(output, { kind: "scalar", expr: read(place) });
    return;
  }
  const buffer = program.fresh(output);
  const at = flatIndex(
    output.type.shape,
    kept.map(({ counter }) => localIndex(counter)),
  );
  const all = walk(search, wholeRange(dimIndex(along.extent)));
  const body = [...start, all, store(read(buffer.pointer), at, "i32", read(place))];
  const work = { count: elementCount(shape), cost: 2 };
  program.sharedKernel(equation.op, name, work, (choose) => wrapShared(kept, body, choose));
  program.define(output, { kind: "array", buffer });
}

/** Looks for an extreme along an axis, and leaves its position in `place`. */
interface Search {
  readonly along: Axis;
  readonly place: Local;
  readonly start: readonly Statement[];
  /** Looks at the element at the counter, which is taken where it is the first one. */
  readonly look: (isFirst: Expr) => readonly Statement[];
}

function walk({ along: { counter }, look }: Search, { from, to }: Rounds): Statement {
  return loop(counter, to, look(op("eq", "i32", [read(counter), from])), 1, from);
}

/** A whole array: on a grid the best of each line, then the best of those by one thread. */
function wholeSearch(program: Program, kind: string, name: string, search: Search): void {
  const { along, place, start, look } = search;
  const lines = program.options.grid === true ? linesOf(program, along.extent, 2) : undefined;
  if (lines?.range.split === undefined) {
    const all = walk(search, wholeRange(dimIndex(along.extent)));
    program.kernel(kind, name, [...start, all], [place]);
    return;
  }
  const { count, line, most, range, find } = lines;
  program.emit(...find);
  const bytes = most * elementBytes("i32", program.options);
  const places = read(program.allocate("places", bytes).pointer);
  const part = partOf(dimIndex(along.extent), 1, read(line), read(count));
  const put = store(places, read(line), "i32", read(place));
  const ofLine = [...start, ...part.find, walk(search, part.rounds), put];
  program.kernel(kind, name, rounds(line, range, ofLine), [], range);
  const isFirst = op("eq", "i32", [read(line), constant(0)]);
  const best = set(along.counter, load(places, read(line), "i32"));
  const together = [...start, loop(line, read(count), [best, ...look(isFirst)])];
  program.kernel(kind, `${kind} of the lines`, together, [place]);
}

/** Along the last axis a running total; along others each row is the row before plus its own. */
export function cumsum(program: Program, equation: Equation): void {
  const x = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const { dtype, shape } = x.type;
  if (program.options.grid === true) {
    cumsumOnGrid(program, equation);
    return;
  }
  const reader = new ElementReader(program);
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const element = reader.read(x, index);
  const buffer = program.fresh(output);
  reader.finish([]);
  buffer.from = program.step;
  const base = read(buffer.pointer);
  const at = flatIndex(shape, index);
  const [outer, inner] = [axes.slice(0, axis), axes.slice(axis + 1)];
  const along = axes[axis] as Axis;
  const name = `cumsum of ${describe(x)}`;
  if (inner.length === 0) {
    const total = local("total", machine(dtype));
    const line: readonly Statement[] = [
      set(total, constant(0, dtype)),
      loop(along.counter, dimIndex(along.extent), [
        ...reader.statements,
        set(total, op("add", dtype, [read(total), element])),
        store(base, at, dtype, read(total)),
      ]),
    ];
    const work = { count: elementCount(shape), cost: costOf(line) };
    program.sharedKernel("cumsum", name, work, (choose) => wrapShared(outer, line, choose));
  } else {
    const { vectors } = program.options;
    const zero = index.map((i, a) => (a === axis ? constant(0) : i));
    const before = index.map((i, a) => (a === axis ? previous(along) : i));
    const firstRow = reader0(program, x, zero);
    const sum = op("add", dtype, [load(base, flatIndex(shape, before), dtype), element]);
    program.kernel(
      "cumsum",
      name,
      wrap(outer, [
        {
          kind: "if",
          condition: op("gt", "i32", [dimIndex(shape[axis] as Dim), constant(0)]),
          then: nest(inner, [store(base, flatIndex(shape, zero), dtype, firstRow)], vectors),
          otherwise: [],
        },
        loop(
          along.counter,
          dimIndex(along.extent),
          nest(inner, [...reader.statements, store(base, at, dtype, sum)], vectors),
          1,
          constant(1),
        ),
      ]),
    );
  }
  program.define(output, { kind: "array", buffer });
}

/** On a grid, a thread for each element. */
function cumsumOnGrid(program: Program, equation: Equation): void {
  const x = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = x.type;
  // Each element is read by many threads.
  const source = read(program.buffer(x).pointer);
  const buffer = program.fresh(output);
  const along: Along = {
    name: `cumsum of ${describe(x)}`,
    dtype,
    axis: equation.parameters["axis"] as number,
  };
  const target: Stored = { base: read(buffer.pointer), shape };
  prefixSums(program, along, { base: source, shape }, target, true, blockLengths);
  program.define(output, { kind: "array", buffer });
}

/** Elements of a block, blocks of a block of blocks. */
const blockLengths = [16, 64];

/**
 * `target[i] = Σ_{k ≤ i} source[k]` along an axis, or `k < i`. Of few elements each thread takes its
 * sum; more are in blocks: `t[b] = Σ_{k in b} x[k]`, `s[b] = Σ_{c < b} t[c]`, and
 * `y[i] = s[b] + Σ_{k in b, k ≤ i} x[k]` for i in block b.
 */
function prefixSums(
  program: Program,
  along: Along,
  source: Stored,
  target: Stored,
  isInclusive: boolean,
  [length, ...lengths]: readonly number[],
): void {
  const { axis, dtype } = along;
  const extent = source.shape[axis] as Dim;
  const end = (i: Expr): Expr => (isInclusive ? addIndex(i, constant(1)) : i);
  if (length === undefined || (typeof extent === "number" && extent <= 2 * length)) {
    sums(program, along, source, target, (i) => ({ from: constant(0), to: end(i) }));
    return;
  }
  const shape = target.shape.with(axis, divideDim(addDims(extent, length - 1), length));
  const bytes = program.bytesOf({ dtype, shape, stack: false });
  const ofBlocks = (name: string): Stored => ({
    base: read(program.allocate(name, bytes).pointer),
    shape,
  });
  const first = (block: Expr): Expr => scaleIndex(block, length);
  const totals = ofBlocks("totals");
  sums(program, along, source, totals, (block) => {
    const next = addIndex(first(block), constant(length));
    return { from: first(block), to: minimum(next, dimIndex(extent)) };
  });
  const before = ofBlocks("before");
  prefixSums(program, along, totals, before, false, lengths);
  const blockOf = (i: Expr): Expr => divide(i, constant(length));
  const inBlock = (i: Expr): Rounds => ({ from: first(blockOf(i)), to: end(i) });
  sums(program, along, source, target, inBlock, (index) =>
    elementAt(before, index.with(axis, blockOf(index[axis] as Expr)), dtype),
  );
}

/** The axis of sums. */
interface Along {
  readonly name: string;
  readonly dtype: DType;
  readonly axis: number;
}

/** A dense array in memory. */
interface Stored {
  readonly base: Expr;
  readonly shape: readonly Dim[];
}

function elementAt({ base, shape }: Stored, index: readonly Expr[], dtype: DType): Expr {
  return load(base, flatIndex(shape, index), dtype);
}

/** `target[…, i, …] = start + Σ source[…, k, …]` along an axis, for those k that belong to i. */
function sums(
  program: Program,
  { name, dtype, axis }: Along,
  source: Stored,
  target: Stored,
  roundsOf: (i: Expr) => Rounds,
  start: (index: readonly Expr[]) => Expr = () => constant(0, dtype),
): void {
  const axes = axesOf(target.shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const { from, to } = roundsOf(index[axis] as Expr);
  const [k, total] = [local("k", "i32"), local("total", machine(dtype))];
  const element = elementAt(source, index.with(axis, localIndex(k)), dtype);
  program.nestKernel("cumsum", name, axes, [
    set(total, start(index)),
    loop(k, to, [set(total, op("add", dtype, [read(total), element]))], 1, from),
    store(target.base, flatIndex(target.shape, index), dtype, read(total)),
  ]);
}

function previous({ counter }: Axis): Expr {
  return { kind: "affine", constant: -1, terms: [{ local: counter, coefficient: 1 }] };
}

function reader0(program: Program, x: Value, index: readonly Expr[]): Expr {
  const reader = new ElementReader(program);
  const element = reader.read(x, index);
  reader.finish([]);
  return element;
}
