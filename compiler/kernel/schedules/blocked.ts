/**
 * A matrix product in blocks that stay in the caches: panels of both operands are packed, and tiles
 * of the result are kept in registers. What `dot` and `gemm` share.
 */

import { byteSize } from "../../ir/types.ts";
import {
  add,
  constant,
  divide,
  type Expr,
  isConstant,
  local,
  type Local,
  loop,
  maximum,
  minimum,
  multiply,
  op,
  read,
  set,
  type Statement,
  subtract,
} from "../loop.ts";
import type { Program } from "../program.ts";
import type { Range, Split } from "../tasks.ts";
import {
  blockFunction,
  chooseRows,
  negateFunction,
  packFunction,
  type Rounding,
  tileColumns,
  tileFunction,
  type TileType,
} from "./tile.ts";

/** Blocks of a product: A's stay in the second-level cache, panels of B in the first. */
const blockRows = 120;
const blockColumns = 512;
const blockCount = 256;
/** Rows of a product of which the number is not known: some batch. */
const typicalRows = 64;

/** Rows of the tiles of a product with that many rows: parts of it have whole tiles. */
export function tileRowsOf(m: Expr): number {
  return chooseRows(isConstant(m) ? m.value : typicalRows);
}
/** With fewer rows than this, B is read where it is: packing it would not pay. */
export const fewRows = 48;

/** A matrix: the address of its first element, and strides in elements. */
export interface Operand {
  readonly start: Local;
  readonly rowStride: Expr;
  readonly columnStride: Expr;
}

export interface BlockedProduct {
  readonly dtype: TileType;
  readonly rounding: Rounding;
  readonly m: Expr;
  readonly n: Expr;
  readonly k: Expr;
  /** The rows and the columns of c that are computed: all, or those of a part. */
  readonly rows: Range;
  readonly columns: Range;
  /** How the kernel is split that this is in: each thread packs panels of its own. */
  readonly split: Split | undefined;
  readonly a: Operand;
  readonly b: Operand;
  /** The columns of the result are neighbours. */
  readonly c: Omit<Operand, "columnStride">;
  /** True where B itself serves as panels: its columns are neighbours that fill whole tiles. */
  readonly readB: boolean | Expr;
  /** Whether the block of k that starts at `kb` is added to what c holds. */
  readonly adds: (kb: Local) => Expr;
  /** What follows for the elements of a block of c when they are there. */
  readonly epilogue?: ((rows: Range, columns: Range) => readonly Statement[]) | undefined;
  /** True for a product that is subtracted: x - a·b is x + (-a)·b to the last bit. */
  readonly negateA: boolean;
}

/** The loops over blocks. Each element of c takes its products in the order of k. */
export function blockedProduct(program: Program, product: BlockedProduct): readonly Statement[] {
  const { dtype, rounding, m, n, k, a, b, c, split } = product;
  const size = byteSize(dtype);
  const width = tileColumns(dtype);
  const tileRows = tileRowsOf(m);
  const [packA, packB] = [packFunction(dtype, tileRows), packFunction(dtype, width)];
  const blocks = blockFunction(dtype, tileRows, rounding);
  const shared = [packA, packB, tileFunction(dtype, tileRows, rounding), blocks];
  const negate = negateFunction(dtype);
  for (const fn of product.negateA ? [...shared, negate] : shared) program.parts.library(fn);
  const block = (extent: Expr, most: number, multiple: number): number =>
    isConstant(extent) ? Math.min(most, Math.ceil(extent.value / multiple) * multiple) : most;
  const rowsBlock = block(m, blockRows, tileRows);
  const columnsBlock = block(n, blockColumns, width);
  const countBlock = block(k, blockCount, 1);
  const scratch = (name: string, bytes: number): Local =>
    program.allocatePerThread(name, bytes, split);
  const packedA = scratch("panels_a", rowsBlock * countBlock * size);
  const packedB = scratch("panels_b", columnsBlock * countBlock * size);
  const spare = scratch("spare_tile", tileRows * width * size);

  const [kb, jb, ib] = [local("kb", "i32"), local("jb", "i32"), local("ib", "i32")];
  const [count, columns, rows] = [
    local("count", "i32"),
    local("columns", "i32"),
    local("rows", "i32"),
  ];
  const [panels, panelStep, ldb] = [
    local("panels", "i32"),
    local("panel_step", "i32"),
    local("ldb", "i32"),
  ];
  const left = (extent: Expr, from: Local, most: number): Expr =>
    minimum(constant(most), subtract(extent, read(from)));
  const address = (base: Local, i: Local, si: Expr, j: Local, sj: Expr): Expr =>
    add(read(base), multiply(add(multiply(read(i), si), multiply(read(j), sj)), constant(size)));
  const bBlock = address(b.start, kb, b.rowStride, jb, b.columnStride);
  const call = (callee: string, operands: readonly Expr[]): Statement => ({
    kind: "call",
    callee,
    operands,
    results: [],
  });
  const packingB: readonly Statement[] = [
    call(packB.name, [
      bBlock,
      b.columnStride,
      b.rowStride,
      read(columns),
      read(count),
      read(packedB),
    ]),
    set(panels, read(packedB)),
    set(panelStep, multiply(read(count), constant(width * size))),
    set(ldb, constant(width * size)),
  ];
  const readingB: readonly Statement[] = [
    set(panels, bBlock),
    set(panelStep, constant(width * size)),
    set(ldb, multiply(b.rowStride, constant(size))),
  ];
  const { readB } = product;
  const chooseB: readonly Statement[] =
    typeof readB === "boolean"
      ? readB
        ? readingB
        : packingB
      : [{ kind: "if", condition: readB, then: readingB, otherwise: packingB }];
  const wholeTiles = multiply(
    divide(add(read(rows), constant(tileRows - 1)), constant(tileRows)),
    constant(tileRows),
  );
  const rowsOfA: readonly Statement[] = [
    call(packA.name, [
      address(a.start, ib, a.rowStride, kb, a.columnStride),
      a.rowStride,
      a.columnStride,
      read(rows),
      read(count),
      read(packedA),
    ]),
    ...(product.negateA
      ? [call(negate.name, [read(packedA), multiply(wholeTiles, read(count))])]
      : []),
  ];
  const tiles = call(blocks.name, [
    read(packedA),
    read(panels),
    read(panelStep),
    read(ldb),
    address(c.start, ib, c.rowStride, jb, constant(1)),
    multiply(c.rowStride, constant(size)),
    read(rows),
    read(columns),
    read(count),
    product.adds(kb),
    read(spare),
  ]);
  const part = (from: Local, extent: Local): Range => ({
    from: read(from),
    to: add(read(from), read(extent)),
    split: undefined,
  });
  // With the last block of k, c is what it will be.
  const isLast = op("ge", "i32", [add(read(kb), read(count)), k]);
  const ending = product.epilogue?.(part(ib, rows), part(jb, columns)) ?? [];
  const isOne = isConstant(k) && k.value <= countBlock;
  const finish: readonly Statement[] =
    isOne || ending.length === 0
      ? ending
      : [{ kind: "if", condition: isLast, then: ending, otherwise: [] }];
  const overRows = loop(
    ib,
    product.rows.to,
    [set(rows, left(product.rows.to, ib, rowsBlock)), ...rowsOfA, tiles, ...finish],
    rowsBlock,
    product.rows.from,
  );
  const overColumns = loop(
    jb,
    product.columns.to,
    [set(columns, left(product.columns.to, jb, columnsBlock)), ...chooseB, overRows],
    columnsBlock,
    product.columns.from,
  );
  // A sum of nothing is zero, which the first block writes.
  const end = maximum(k, constant(1));
  return [loop(kb, end, [set(count, left(k, kb, countBlock)), overColumns], countBlock)];
}
