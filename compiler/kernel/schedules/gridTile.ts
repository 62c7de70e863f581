/**
 * Products on a grid: each thread sums a tile of c in locals, which a WGSL compiler keeps in
 * registers: `c[i, j] = Σ_k a[i, k] · b[k, j]` for a few i and j at once, so that each element that
 * is read takes part in several products.
 *
 * Threads are in squares of 8 by 8. Neighbours have neighbouring columns, so that what they read
 * and write at a time is one piece of memory; the rows and columns of one thread are 8 apart.
 */

import { type Dim, elementCount } from "../../ir/dim.ts";
import type { DType } from "../../ir/types.ts";
import { dimIndex } from "../affine.ts";
import {
  add,
  constant,
  divide,
  type Expr,
  less,
  load,
  type Local,
  local,
  loop,
  machine,
  minimum,
  multiply,
  op,
  read,
  remainder,
  set,
  type Statement,
  store,
  subtract,
} from "../loop.ts";
import { type Axis, collapse, rounds } from "../nest.ts";
import { elementBytes } from "../options.ts";
import type { Epilogue, Program } from "../program.ts";
import { range } from "./tile.ts";

/** Threads of a square, along an edge. */
const edge = 8;

/** A product in tiles. Rows and columns that are read are in range; those beyond are not stored. */
export interface GridProduct {
  readonly dtype: DType;
  readonly m: Dim;
  readonly n: Dim;
  /** Axes of products that are independent of each other, outermost first. */
  readonly batch: readonly Axis[];
  /** Where a row of a, and a column of b, begin: elements from the base, found once a tile. */
  readonly a: Side;
  readonly b: Side;
  /** The loops over what is summed, around the products of one round. */
  readonly sum: (round: readonly Statement[]) => readonly Statement[];
  /** The element of c in a row and a column. */
  readonly target: { readonly base: Expr; readonly at: (i: Expr, j: Expr) => Expr };
}

export interface Side {
  readonly base: Expr;
  /** The place of a row (of a column) before the sum. */
  readonly start: (index: Expr) => Expr;
  /** How far a round of the sum is from there; the same for all rows. */
  readonly step: Expr;
}

/** Rows (or columns) that a thread has, where there are so many in all. */
function perThread(extent: Dim): number {
  if (typeof extent !== "number") return 8;
  if (extent >= 6 * edge) return 8;
  return extent >= 3 * edge ? 4 : extent > edge ? 2 : 1;
}

/** Emits the kernel of a product; its epilogue runs on each tile when it is stored. */
export function emitGridProduct(
  program: Program,
  name: string,
  comment: string,
  product: GridProduct,
  epilogue: ((i: Expr, j: Expr) => readonly Statement[]) | undefined,
): void {
  const { dtype, m, n, batch, a, b, sum, target } = product;
  const [rows, columns] = [perThread(m), perThread(n)];
  const [mm, nn] = [dimIndex(m), dimIndex(n)];
  const squares = (extent: Expr, each: number): Expr =>
    divide(add(extent, constant(edge * each - 1)), constant(edge * each));
  const [down, across] = [squares(program.dim(m), rows), squares(program.dim(n), columns)];
  const count = multiply(
    program.dim(elementCount(batch.map(({ extent }) => extent))),
    multiply(down, across),
  );
  const chosen = program.range(
    multiply(count, constant(edge * edge)),
    1,
    constant(Infinity, "f64"),
  );
  const names = ["thread", "square", "i0", "j0", "rest"] as const;
  const [thread, square, i0, j0, rest] = names.map((each) => local(each, "i32")) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const sums = range(rows).map((r) =>
    range(columns).map((c) => local(`sum${r}_${c}`, machine(dtype))),
  );
  const [x, y] = [
    range(rows).map((r) => local(`x${r}`, machine(dtype))),
    range(columns).map((c) => local(`y${c}`, machine(dtype))),
  ];
  const [xAt, yAt] = [
    range(rows).map((r) => local(`row${r}`, "i32")),
    range(columns).map((c) => local(`column${c}`, "i32")),
  ];
  const [xStep, yStep] = [local("x_step", "i32"), local("y_step", "i32")];
  const row = (r: Expr): Expr => add(read(i0), multiply(r, constant(edge)));
  const column = (c: Expr): Expr => add(read(j0), multiply(c, constant(edge)));
  const last = (extent: Expr): Expr => subtract(extent, constant(1));
  const bytes = elementBytes(dtype, program.options);
  const place = ({ base, start }: Side, index: Expr): Expr =>
    add(base, multiply(start(index), constant(bytes)));
  const find: readonly Statement[] = [
    set(square, divide(read(thread), constant(edge * edge))),
    set(j0, remainder(read(thread), constant(edge))),
    set(i0, remainder(divide(read(thread), constant(edge)), constant(edge))),
    set(j0, add(read(j0), multiply(remainder(read(square), across), constant(edge * columns)))),
    set(rest, divide(read(square), across)),
    set(i0, add(read(i0), multiply(remainder(read(rest), down), constant(edge * rows)))),
    set(rest, divide(read(rest), down)),
    ...batch
      .toReversed()
      .flatMap(({ counter, extent }) => [
        set(counter, remainder(read(rest), dimIndex(extent))),
        set(rest, divide(read(rest), dimIndex(extent))),
      ]),
    ...xAt.map((at, r) => set(at, place(a, minimum(row(constant(r)), last(mm))))),
    ...yAt.map((at, c) => set(at, place(b, minimum(column(constant(c)), last(nn))))),
  ];
  const round: readonly Statement[] = [
    set(xStep, a.step),
    set(yStep, b.step),
    ...y.map((value, c) => set(value, load(read(yAt[c] as Local), read(yStep), dtype))),
    ...x.flatMap((value, r) => [
      set(value, load(read(xAt[r] as Local), read(xStep), dtype)),
      ...(sums[r] as readonly Local[]).map((total, c) => {
        const term = op("mul", dtype, [read(value), read(y[c] as Local)]);
        return set(total, op("add", dtype, [read(total), term]));
      }),
    ]),
  ];
  /** Undefined where squares end with the product. */
  const below = (index: Expr, extent: Dim, each: number): Expr | undefined =>
    typeof extent === "number" && extent % (edge * each) === 0
      ? undefined
      : less(index, dimIndex(extent));
  const guarded = (
    condition: Expr | undefined,
    then: readonly Statement[],
  ): readonly Statement[] =>
    condition === undefined ? then : [{ kind: "if", condition, then: [...then], otherwise: [] }];
  const inside = (i: Expr, j: Expr, then: readonly Statement[]): readonly Statement[] =>
    guarded(below(i, m, rows), guarded(below(j, n, columns), then));
  const stores = sums.flatMap((line, r) => {
    const i = row(constant(r));
    const ofRow = line.flatMap((total, c) => {
      const j = column(constant(c));
      return guarded(below(j, n, columns), [
        store(target.base, target.at(i, j), dtype, read(total)),
      ]);
    });
    return guarded(below(i, m, rows), ofRow);
  });
  const body: readonly Statement[] = [
    ...find,
    ...sums.flat().map((total) => set(total, constant(0, dtype))),
    ...sum(round),
    ...stores,
    ...(epilogue === undefined ? [] : onTile(epilogue, { rows, columns, row, column, inside })),
  ];
  program.kernel(name, comment, rounds(thread, chosen, body), [], chosen);
}

/** The epilogue of each element of a tile, which its own thread has stored. */
function onTile(
  epilogue: (i: Expr, j: Expr) => readonly Statement[],
  tile: {
    readonly rows: number;
    readonly columns: number;
    readonly row: (r: Expr) => Expr;
    readonly column: (c: Expr) => Expr;
    readonly inside: (i: Expr, j: Expr, then: readonly Statement[]) => readonly Statement[];
  },
): readonly Statement[] {
  const [r, c, i, j] = [local("r", "i32"), local("c", "i32"), local("i", "i32"), local("j", "i32")];
  return [
    loop(r, constant(tile.rows), [
      loop(c, constant(tile.columns), [
        set(i, tile.row(read(r))),
        set(j, tile.column(read(c))),
        ...tile.inside(read(i), read(j), epilogue(read(i), read(j))),
      ]),
    ]),
  ];
}

/**
 * An epilogue as code for row i and column j of a product with those axes, the first `rank` of
 * which are rows; undefined where it cannot be walked through as rows and columns.
 */
export function ofElement(
  { axes, body }: Epilogue,
  batch: number,
  rank: number,
): ((i: Expr, j: Expr) => readonly Statement[]) | undefined {
  const own = axes.slice(batch);
  const lastRow = own.findLastIndex(({ extent }, axis) => axis < rank && extent !== 1);
  const [merged, inside] = collapse(own, body, (outer) => outer !== lastRow);
  const [first, second, ...others] = merged;
  if (first === undefined || second === undefined || others.length > 0) return undefined;
  return (i, j) => [set(first.counter, i), set(second.counter, j), ...inside];
}
