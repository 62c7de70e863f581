/** Where a matrix may be other than zero, and how few directions tell all of it. */

import { type Colouring, colourColumns, type Pattern, rowOf, starColouring } from "./colouring.ts";

/** Rows one after the other: row `i` is from `rowPointers[i]` up to `rowPointers[i + 1]`. */
export interface CompressedRows {
  readonly rowPointers: ArrayLike<number>;
  readonly columns: ArrayLike<number>;
}

/** What directions are shared by: columns (forward), rows (reverse), or both of a symmetric matrix. */
export type Sharing = "columns" | "rows" | "symmetric";

/**
 * The pattern of a sparse matrix, by rows, columns ascending in each row. Its colourings are
 * computed when they are first asked for.
 */
export class Sparsity {
  readonly shape: readonly [rows: number, columns: number];
  readonly rowPointers: Int32Array;
  readonly columns: Int32Array;
  private readonly colourings = new Map<Sharing, Colouring>();

  constructor(
    shape: readonly [rows: number, columns: number],
    rowPointers: Int32Array,
    columns: Int32Array,
  ) {
    this.shape = shape;
    this.rowPointers = rowPointers;
    this.columns = columns;
  }

  /**
   * Colours for the columns (or rows) such that those of one colour can share a direction: then
   * `count` directional derivatives hold every entry. Throws a `RangeError` where "symmetric" is
   * asked of a pattern that is not.
   */
  colouring(by: Sharing): Colouring {
    const known = this.colourings.get(by);
    if (known !== undefined) return known;
    const made = this.newColouring(by);
    this.colourings.set(by, made);
    return made;
  }

  /** Columns or rows, whichever needs fewer colours; columns where both need the same. */
  cheapest(): "columns" | "rows" {
    // A row of k entries needs k colours of columns. Where one count is no more than that, the other
    // need not be computed: it is the one that takes long.
    const least = {
      columns: longest(this),
      rows: longest(transposed(this)),
    };
    const [first, second] =
      least.columns <= least.rows ? (["columns", "rows"] as const) : (["rows", "columns"] as const);
    const { count } = this.colouring(first);
    if (count < least[second] || (first === "columns" && count === least.rows)) return first;
    const other = this.colouring(second).count;
    if (count === other) return "columns";
    return count < other ? first : second;
  }

  private newColouring(by: Sharing): Colouring {
    const [rows, columns] = this.shape;
    switch (by) {
      case "columns": {
        const colouring = colourColumns(this, transposed(this));
        const sources = sourcesOf(this, (i, j) => (colouring.colours[j] as number) * rows + i);
        return { ...colouring, sources };
      }
      case "rows": {
        const colouring = colourColumns(transposed(this), this);
        const sources = sourcesOf(this, (i, j) => (colouring.colours[i] as number) * columns + j);
        return { ...colouring, sources };
      }
      case "symmetric":
        checkSymmetric(this);
        return starColouring(this);
    }
  }
}

/**
 * A pattern of your own: for each row the columns of its entries, in any order; or rows one after
 * the other, as `rowPointers` and `columns`. Throws a `RangeError` where a column is not below
 * `columns`.
 */
export function sparsityOf(
  rows: readonly (readonly number[])[] | CompressedRows,
  columns: number,
): Sparsity {
  const count = isCompressed(rows) ? rows.rowPointers.length - 1 : rows.length;
  const lines = Array.from({ length: Math.max(0, count) }, (_, i) => {
    const line = isCompressed(rows) ? lineOf(rows, i) : (rows[i] ?? []);
    for (const j of line) {
      if (Number.isInteger(j) && j >= 0 && j < columns) continue;
      throw new RangeError(
        `sparsityOf: row ${i} has column ${j}, and there are ${columns} columns`,
      );
    }
    return Int32Array.from(new Set(line)).sort();
  });
  return fromLines(lines, columns);
}

function isCompressed(
  rows: readonly (readonly number[])[] | CompressedRows,
): rows is CompressedRows {
  return "rowPointers" in rows;
}

function lineOf({ rowPointers, columns }: CompressedRows, row: number): readonly number[] {
  const [start, end] = [rowPointers[row] as number, rowPointers[row + 1] as number];
  if (!(start >= 0 && start <= end && end <= columns.length)) {
    throw new RangeError(
      `sparsityOf: row ${row} is from ${start} to ${end}, and there are ${columns.length} entries`,
    );
  }
  return Array.from({ length: end - start }, (_, k) => columns[start + k] as number);
}

/** A pattern from ascending columns for each row. */
export function fromLines(lines: readonly ArrayLike<number>[], columns: number): Sparsity {
  const rowPointers = new Int32Array(lines.length + 1);
  lines.forEach((line, i) => (rowPointers[i + 1] = (rowPointers[i] as number) + line.length));
  const all = new Int32Array(rowPointers[lines.length] as number);
  lines.forEach((line, i) => all.set(line, rowPointers[i]));
  return new Sparsity([lines.length, columns], rowPointers, all);
}

/** The same pattern by columns. */
export function transposed(pattern: Pattern): Sparsity {
  const [rows, columns] = pattern.shape;
  const counts = new Int32Array(columns + 1);
  for (const j of pattern.columns) counts[j + 1] = (counts[j + 1] as number) + 1;
  const pointers = counts.slice();
  for (let j = 0; j < columns; j++) {
    pointers[j + 1] = (pointers[j] as number) + (counts[j + 1] as number);
  }
  const next = pointers.slice();
  const result = new Int32Array(pattern.columns.length);
  for (let i = 0; i < rows; i++) {
    for (const j of rowOf(pattern, i)) {
      const at = next[j] as number;
      result[at] = i;
      next[j] = at + 1;
    }
  }
  return new Sparsity([columns, rows], pointers, result);
}

/** The pattern with every entry's mirror image. */
export function symmetrized(pattern: Sparsity): Sparsity {
  const mirror = transposed(pattern);
  const lines = Array.from({ length: pattern.shape[0] }, (_, i) =>
    Int32Array.from(new Set([...rowOf(pattern, i), ...rowOf(mirror, i)])).sort(),
  );
  return fromLines(lines, pattern.shape[1]);
}

function checkSymmetric(pattern: Sparsity): void {
  const [rows, columns] = pattern.shape;
  if (rows !== columns) {
    throw new RangeError(
      `the pattern of a Hessian is square, and this one is ${rows} × ${columns}`,
    );
  }
  const mirror = transposed(pattern);
  for (let i = 0; i < rows; i++) {
    const [row, column] = [rowOf(pattern, i), rowOf(mirror, i)];
    if (row.length === column.length && row.every((j, k) => j === column[k])) continue;
    throw new RangeError(
      `the pattern of a Hessian is symmetric, and row ${i} of this one is not as its column ${i}: ` +
        "give both of each pair",
    );
  }
}

/** The most entries of a row. */
function longest({ rowPointers }: Pattern): number {
  return rowPointers.reduce((most, end, i) => {
    return i === 0 ? 0 : Math.max(most, end - (rowPointers[i - 1] as number));
  }, 0);
}

function sourcesOf(pattern: Pattern, place: (row: number, column: number) => number): Int32Array {
  const sources = new Int32Array(pattern.columns.length);
  let k = 0;
  for (let i = 0; i < pattern.shape[0]; i++) {
    for (const j of rowOf(pattern, i)) sources[k++] = place(i, j);
  }
  return sources;
}
