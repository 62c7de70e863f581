/**
 * Contractions as batched matrix products `c[b, i, j] = Σ_k x[b, i, k] · y[b, k, j]`: in packed
 * panels and register tiles where they are large, as plain loops where they are small or thin.
 */

import { type Dim, elementCount, multiplyDims, sameDim } from "../../ir/dim.ts";
import { byteSize, type Equation, type Value } from "../../ir/types.ts";
import { addIndex, dimIndex, flatIndex, localIndex, scaleIndex } from "../affine.ts";
import {
  add,
  constant,
  type Expr,
  less,
  type Local,
  local,
  load,
  loop,
  multiply,
  op,
  read,
  set,
  type Statement,
  store,
} from "../loop.ts";
import { type Axis, axesOf, collapse, innermost, nest, wrap, wrapShared } from "../nest.ts";
import { describe, type Epilogue, type PreparedProduct, type Program } from "../program.ts";
import { alongRow, wholeTotal } from "../reduce.ts";
import { type Range, type Split, wholeRange } from "../tasks.ts";
import { blockedProduct, fewRows, type Operand, tileRowsOf } from "./blocked.ts";
import { emitGridProduct, type GridProduct, ofElement, type Side } from "./gridTile.ts";
import { tileColumns, type TileType } from "./tile.ts";
import { elementOf, mergedStride, reordered, type View, viewOf } from "./view.ts";

/** Below this many multiply-adds plain loops are as fast. */
const smallProduct = 512;
/** What a multiply-add in register tiles costs, beside one of elements in memory (`costOf`). */
const productCost = 0.25;

interface Axes {
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
}

export function dot(program: Program, equation: Equation): void {
  const [x, y] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const axes = equation.parameters as unknown as Axes;
  const lhsFree = freeAxes(x, axes.lhsContract, axes.lhsBatch);
  const rhsFree = freeAxes(y, axes.rhsContract, axes.rhsBatch);
  const extent = (value: Value, list: readonly number[]): Dim =>
    elementCount(list.map((axis) => value.type.shape[axis] as Dim));
  const [m, n, k] = [extent(x, lhsFree), extent(y, rhsFree), extent(x, axes.lhsContract)];
  const { dtype } = output.type;
  const work = multiplyDims(multiplyDims(m, n), k);
  const { vectors, grid, gathers } = program.options;
  const tiled =
    (vectors || (grid === true && gathers !== true)) &&
    (dtype === "f32" || dtype === "f64") &&
    !(typeof work === "number" && work < smallProduct) &&
    !(typeof m === "number" && m < 2) &&
    !(typeof n === "number" && n < 2);
  if (!tiled) {
    const [left, right] = [viewOf(program, x), viewOf(program, y)];
    plainProduct(program, equation, left, right, axes, lhsFree, rhsFree);
    return;
  }
  const a = matrix(program, viewOf(program, x), axes.lhsBatch, lhsFree, axes.lhsContract);
  const b = matrix(program, viewOf(program, y), axes.rhsBatch, axes.rhsContract, rhsFree);
  const batch = axes.lhsBatch.map((axis) => x.type.shape[axis] as Dim);
  const emit: PreparedProduct["emit"] = (c, epilogue) => {
    const product = { dtype, m, n, k, batch, rank: lhsFree.length, a, b, c };
    return (grid === true ? productOnGrid : tiledProduct)(program, equation, product, epilogue);
  };
  const prepare = (): PreparedProduct => ({ operands: [a.base, b.base], emit });
  program.define(output, { kind: "pending", product: { prepare }, sources: [x, y] });
}

function freeAxes(
  value: Value,
  contract: readonly number[],
  batch: readonly number[],
): readonly number[] {
  return value.type.shape
    .map((_, axis) => axis)
    .filter((axis) => !contract.includes(axis) && !batch.includes(axis));
}

/** An operand as matrices: strides of rows, columns and of each batch axis, in elements. */
interface Matrix {
  readonly base: Expr;
  readonly offset: Expr;
  readonly rowStride: Dim;
  readonly columnStride: Dim;
  readonly batchStrides: readonly Dim[];
}

function matrix(
  program: Program,
  view: View,
  batch: readonly number[],
  rows: readonly number[],
  columns: readonly number[],
): Matrix {
  const [rowStride, columnStride] = [mergedStride(view, rows), mergedStride(view, columns)];
  if (rowStride === undefined || columnStride === undefined) {
    const order = [...batch, ...rows, ...columns];
    const copy = reordered(program, view.value, order);
    const place = (list: readonly number[]): readonly number[] =>
      list.map((axis) => order.indexOf(axis));
    return matrix(program, copy, place(batch), place(rows), place(columns));
  }
  return {
    base: view.base,
    offset: view.offset,
    rowStride,
    columnStride,
    batchStrides: batch.map((axis) => view.strides[axis] as Dim),
  };
}

interface Product {
  readonly dtype: TileType;
  readonly m: Dim;
  readonly n: Dim;
  readonly k: Dim;
  readonly batch: readonly Dim[];
  /** Axes of the result that are rows. */
  readonly rank: number;
  readonly a: Matrix;
  readonly b: Matrix;
  readonly c: Expr;
}

/** As `tiledProduct`, a tile for each thread of a grid. */
function productOnGrid(
  program: Program,
  { inputs }: Equation,
  { dtype, m, n, k, batch, rank, a, b, c }: Product,
  epilogue: Epilogue | undefined,
): boolean {
  const finish = epilogue && ofElement(epilogue, batch.length, rank);
  if (epilogue !== undefined && finish === undefined) return false;
  const counters = epilogue?.axes.slice(0, batch.length) ?? axesOf(batch, "b");
  const at = counters.map(({ counter }) => localIndex(counter));
  const start = ({ offset, batchStrides }: Matrix): Expr =>
    at.reduce(
      (sum, index, axis) => addIndex(sum, scaleIndex(index, batchStrides[axis] as Dim)),
      offset,
    );
  const counter = local("k", "i32");
  const side = (of: Matrix, across: Dim, along: Dim): Side => ({
    base: of.base,
    start: (index) => add(start(of), multiply(index, dimIndex(across))),
    step: multiply(read(counter), dimIndex(along)),
  });
  const [x, y] = inputs as readonly [Value, Value];
  const last = epilogue === undefined ? "" : `, then ${epilogue.comment}`;
  const name = `dot of ${describe(x)} and ${describe(y)}${last}`;
  const product: GridProduct = {
    dtype,
    m,
    n,
    batch: counters,
    a: side(a, a.rowStride, a.columnStride),
    b: side(b, b.columnStride, b.rowStride),
    sum: (round) => [loop(counter, dimIndex(k), round)],
    target: { base: c, at: (i, j) => flatIndex([...batch, m, n], [...at, i, j]) },
  };
  emitGridProduct(program, "dot", name, product, finish);
  return true;
}

/** False where the epilogue cannot be taken along. */
function tiledProduct(
  program: Program,
  equation: Equation,
  product: Product,
  epilogue: Epilogue | undefined,
): boolean {
  const { dtype, m, n, k, batch, a, b, c } = product;
  const finish = epilogue === undefined ? undefined : inBlocks(program, product, epilogue);
  if (epilogue !== undefined && finish === undefined) return false;
  const size = byteSize(dtype);
  const counters = epilogue?.axes.slice(0, batch.length) ?? axesOf(batch, "b");
  const at = counters.map(({ counter }) => localIndex(counter));
  const start = (of: Matrix): Expr => {
    const offset = at.reduce(
      (sum, index, axis) => addIndex(sum, scaleIndex(index, of.batchStrides[axis] as Dim)),
      of.offset,
    );
    return add(of.base, multiply(offset, constant(size)));
  };
  const [a0, b0, c0] = [local("a0", "i32"), local("b0", "i32"), local("c0", "i32")];
  const operand = (from: Local, of: Matrix): Operand => ({
    start: from,
    rowStride: dimIndex(of.rowStride),
    columnStride: dimIndex(of.columnStride),
  });
  const [mm, nn, kk] = [dimIndex(m), dimIndex(n), dimIndex(k)];
  // B itself serves as panels when its columns are neighbours and no tile reaches over its edge.
  const direct = b.columnStride === 1 && typeof n === "number" && n % tileColumns(dtype) === 0;
  const few = typeof m === "number" ? m < fewRows : less(mm, constant(fewRows));
  const body = (rows: Range, columns: Range, split: Split | undefined): readonly Statement[] => [
    set(a0, start(a)),
    set(b0, start(b)),
    set(
      c0,
      add(
        c,
        multiply(flatIndex([...batch, m, n], [...at, constant(0), constant(0)]), constant(size)),
      ),
    ),
    ...blockedProduct(program, {
      rounding: "fused",
      dtype,
      m: mm,
      n: nn,
      k: kk,
      rows,
      columns,
      split,
      a: operand(a0, a),
      b: operand(b0, b),
      c: { start: c0, rowStride: nn },
      readB: direct && few,
      adds: (kb) => op("ne", "i32", [read(kb), constant(0)]),
      epilogue: finish,
      negateA: false,
    }),
  ];
  const [x, y] = equation.inputs as readonly [Value, Value];
  const count = multiplyDims(elementCount(batch), multiplyDims(multiplyDims(m, n), k));
  const last = epilogue === undefined ? "" : `, then ${epilogue.comment}`;
  const name = `dot of ${describe(x)} and ${describe(y)}${last}`;
  program.sharedKernel("dot", name, { count, cost: productCost }, (choose) => {
    const [rows, columns] = [wholeRange(mm), wholeRange(nn)];
    const first = counters.findIndex(({ extent }) => extent !== 1);
    const shared = counters[first];
    if (shared !== undefined) {
      const range = choose(shared.extent, 1);
      const inner = wrap(counters.slice(first + 1), body(rows, columns, range.split));
      return [loop(shared.counter, range.to, inner, 1, range.from)];
    }
    // What all parts read is packed by each of them: let that be the smaller operand.
    const inColumns = (typeof m === "number" ? m : fewRows) <= (typeof n === "number" ? n : 0);
    const range = inColumns ? choose(n, tileColumns(dtype)) : choose(m, tileRowsOf(mm));
    return wrap(
      counters,
      inColumns ? body(rows, range, range.split) : body(range, columns, range.split),
    );
  });
  return true;
}

/**
 * The rounds of an epilogue for a block of rows and columns of a product; undefined where its axes
 * cannot be walked through as rows and columns.
 */
function inBlocks(
  program: Program,
  { batch, rank, m, n }: Product,
  { axes, body }: Epilogue,
): ((rows: Range, columns: Range) => readonly Statement[]) | undefined {
  const own = axes.slice(batch.length);
  const isRow = (axis: number): boolean => axis < rank;
  const lastRow = own.findLastIndex(({ extent }, axis) => isRow(axis) && extent !== 1);
  const [merged, inside] = collapse(own, body, (outer) => outer !== lastRow);
  const [row, column, ...others] = merged;
  if (row === undefined || column === undefined || others.length > 0) return undefined;
  if (!sameDim(row.extent, m) || !sameDim(column.extent, n)) return undefined;
  return (rows, columns) => [
    loop(
      row.counter,
      rows.to,
      innermost(column, inside, program.options.vectors, columns),
      1,
      rows.from,
    ),
  ];
}

/**
 * Loops without packing. Where elements are neighbours along k in both operands, each result is a
 * row product; else rows of the result grow by multiples of rows: `c[i, :] += x[i, k] · y[k, :]`.
 */
function plainProduct(
  program: Program,
  equation: Equation,
  left: View,
  right: View,
  axes: Axes,
  lhsFree: readonly number[],
  rhsFree: readonly number[],
): void {
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = output.type;
  const counters = axesOf(shape);
  const contracted = axesOf(
    axes.lhsContract.map((axis) => left.value.type.shape[axis] as Dim),
    "k",
  );
  const batch = axes.lhsBatch.length;
  const place = (
    view: View,
    batchAxes: readonly number[],
    free: readonly number[],
    contract: readonly number[],
    first: number,
  ): Expr => {
    const index: Expr[] = [];
    batchAxes.forEach((axis, p) => (index[axis] = counterAt(counters, p)));
    free.forEach((axis, p) => (index[axis] = counterAt(counters, first + p)));
    contract.forEach((axis, p) => (index[axis] = counterAt(contracted, p)));
    return elementOf(view, index);
  };
  const x = place(left, axes.lhsBatch, lhsFree, axes.lhsContract, batch);
  const y = place(right, axes.rhsBatch, rhsFree, axes.rhsContract, batch + lhsFree.length);
  const term = op("mul", dtype, [x, y]);
  const { vectors } = program.options;
  const name = `dot of ${describe(left.value)} and ${describe(right.value)}`;
  const lastK = axes.lhsContract.length - 1;
  const unit = (view: View, axis: number | undefined): boolean =>
    axis === undefined || view.strides[axis] === 1;
  const alongK = unit(left, axes.lhsContract[lastK]) && unit(right, axes.rhsContract[lastK]);
  const rule = { combine: "add", identity: 0, dtype };
  if (shape.length === 0) {
    const total = wholeTotal(program, equation, contracted, [], term, rule);
    program.define(output, { kind: "scalar", expr: read(total) });
    return;
  }
  const buffer = program.fresh(output);
  const at = flatIndex(
    shape,
    counters.map(({ counter }) => localIndex(counter)),
  );
  const base = read(buffer.pointer);
  if (alongK || !vectors) {
    const body = alongRow(program, contracted, [], term, rule, (sum) => [
      store(base, at, dtype, sum),
    ]);
    const extents = [...counters, ...contracted].map(({ extent }) => extent);
    const work = { count: elementCount(extents), cost: 1 };
    program.sharedKernel("dot", name, work, (choose) => wrapShared(counters, body, choose));
  } else {
    // The innermost axis of the result that walks through neighbours is the last of y, else of x.
    const inner =
      unit(right, rhsFree.at(-1)) && rhsFree.length > 0
        ? counters.length - 1
        : batch + lhsFree.length - 1;
    const innerAxis = counters[Math.max(0, inner)] as Axis;
    const outer = counters.filter((axis) => axis !== innerAxis);
    const sum = op("add", dtype, [load(base, at, dtype), term]);
    program.kernel(
      "dot",
      name,
      wrap(outer, [
        ...nest([innerAxis], [store(base, at, dtype, constant(0, dtype))], vectors),
        ...wrap(contracted, nest([innerAxis], [store(base, at, dtype, sum)], vectors)),
      ]),
    );
  }
  program.define(output, { kind: "array", buffer });
}

function counterAt(axes: readonly Axis[], k: number): Expr {
  return localIndex((axes[k] as Axis).counter);
}
