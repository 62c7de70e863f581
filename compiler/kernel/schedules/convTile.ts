/**
 * Tiles of convolutions, kept in registers: pixels by channels for the images, filter taps by
 * channels for the filters. Operands are read where they are; strides are known when emitted.
 */

import { byteSize } from "../../ir/types.ts";
import {
  add,
  constant,
  type Expr,
  load,
  type Local,
  local,
  type LoopFunction,
  loop,
  machine,
  madd,
  read,
  set,
  splat,
  type Statement,
  store,
} from "../loop.ts";
import { lanesOf, range, type TileType } from "./tile.ts";

/** A loop of the sum: how often, and how far the two operands move each time, in bytes. */
export interface SumLoop {
  readonly count: Expr;
  readonly stepA: Expr;
  readonly stepB: Expr;
}

export interface TileShape {
  readonly dtype: TileType;
  readonly rows: number;
  readonly vectors: number;
  /** Bytes between the rows of a tile in A: known when emitted. */
  readonly rowStep: number;
}

/**
 * `c[r, v] (+)= Σ a[r·rowStep + …] · b[… + v]` over nested loops, outermost first. Parameters: a, b,
 * c, the bytes between rows of c, and whether to add to what c holds; then `extra`, the locals
 * that the loops mention.
 */
export function convTile(
  name: string,
  { dtype, rows, vectors, rowStep }: TileShape,
  loops: readonly SumLoop[],
  extra: readonly Local[],
): LoopFunction {
  const lanes = lanesOf(dtype);
  const size = byteSize(dtype);
  const [a, b, c, ldc, accumulate] = [
    local("a", "i32"),
    local("b", "i32"),
    local("c", "i32"),
    local("ldc", "i32"),
    local("accumulate", "i32"),
  ];
  const sums = range(rows).map((r) =>
    range(vectors).map((v) => local(`sum${r}${v}`, machine(dtype, lanes))),
  );
  const sum = (r: number, v: number): Local => (sums[r] as Local[])[v] as Local;
  const starts = range(rows).map((r) => (r === 0 ? c : local(`c${r}`, "i32")));
  const start = (r: number): Expr => read(starts[r] as Local);
  const columns = range(vectors).map((v) => local(`b${v}`, machine(dtype, lanes)));
  const row = local("row", machine(dtype, lanes));
  const each = (make: (r: number, v: number) => Statement): readonly Statement[] =>
    range(rows).flatMap((r) => range(vectors).map((v) => make(r, v)));
  const innermost: readonly Statement[] = [
    ...columns.map((column, v) => set(column, load(read(b), constant(v * lanes), dtype, lanes))),
    ...range(rows).flatMap((r) => [
      set(row, splat(load(read(a), constant((r * rowStep) / size), dtype), dtype, lanes)),
      ...columns.map((column, v) =>
        set(sum(r, v), madd(read(row), read(column), read(sum(r, v)), dtype, lanes)),
      ),
    ]),
  ];
  const nested = loops.reduceRight<readonly Statement[]>((inside, level, depth) => {
    const counter = local(`k${depth}`, "i32");
    const move = [
      set(a, add(read(a), level.stepA)),
      ...(isZero(level.stepB) ? [] : [set(b, add(read(b), level.stepB))]),
    ];
    return [loop(counter, level.count, [...inside, ...move])];
  }, innermost);
  return {
    name,
    comment: `a tile of ${rows} by ${vectors * lanes} of a convolution`,
    parameters: [a, b, c, ldc, accumulate, ...extra],
    body: [
      ...range(rows - 1).map((r) => set(starts[r + 1] as Local, add(start(r), read(ldc)))),
      {
        kind: "if",
        condition: read(accumulate),
        then: each((r, v) => set(sum(r, v), load(start(r), constant(v * lanes), dtype, lanes))),
        otherwise: each((r, v) => set(sum(r, v), constant(0, dtype, lanes))),
      },
      ...nested,
      ...each((r, v) => store(start(r), constant(v * lanes), dtype, read(sum(r, v)), lanes)),
    ],
    results: [],
    resultTypes: [],
  };
}

function isZero(expr: Expr): boolean {
  return expr.kind === "const" && expr.value === 0;
}
