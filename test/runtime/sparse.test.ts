/** Colourings and probes on random patterns: entries come back exactly, from few directions. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rowOf } from "../../runtime/sparse/colouring.ts";
import {
  hessianBy,
  jacobianBy,
  patternOf,
  type SparseMatrix,
  type Sparsity,
  sparsityOf,
} from "../../runtime/sparse/index.ts";
import { probe } from "../../runtime/sparse/probe.ts";
import { symmetrized, transposed } from "../../runtime/sparse/sparsity.ts";
import { runs } from "../random/runs.ts";

const many = runs(300, 51);

/** A pattern, and a matrix in it of whole numbers other than zero. */
const patterns = fc
  .record({ rows: fc.nat(12), columns: fc.nat(12), spread: fc.integer({ min: 1, max: 9 }) })
  .chain(({ rows, columns, spread }) =>
    fc
      .array(fc.array(fc.nat(Math.max(0, columns * spread)), { maxLength: 2 * spread }), {
        minLength: rows,
        maxLength: rows,
      })
      .map((lines) =>
        sparsityOf(
          lines.map((line) => line.filter((j) => j < columns)),
          columns,
        ),
      ),
  );
const square = fc
  .record({ size: fc.integer({ min: 0, max: 14 }), density: fc.integer({ min: 0, max: 30 }) })
  .chain(({ size, density }) =>
    fc
      .array(fc.tuple(fc.nat(999), fc.nat(999)), { minLength: density, maxLength: density })
      .map((pairs) => {
        const rows = Array.from({ length: size }, (): number[] => []);
        for (const [i, j] of pairs) rows[i % size]?.push(j % size);
        return symmetrized(sparsityOf(rows, size));
      }),
  );

function denseOf(pattern: Sparsity, value: (i: number, j: number) => number): number[][] {
  const [rows, columns] = pattern.shape;
  return Array.from({ length: rows }, (_, i) => {
    const row = Array.from({ length: columns }, () => 0);
    for (const j of rowOf(pattern, i)) row[j] = value(i, j);
    return row;
  });
}

const entry = (i: number, j: number): number => 1 + i * 17 + j;
const mirrored = (i: number, j: number): number => 1 + Math.min(i, j) * 17 + Math.max(i, j);

/** The products of a matrix with rows of numbers, as a program gives them. */
function timesRows(matrix: readonly (readonly number[])[], rows: unknown): Float64Array {
  return Float64Array.from(
    (rows as readonly Float64Array[]).flatMap((v) =>
      matrix.map((row) => row.reduce((sum, x, j) => sum + x * v[j]!, 0)),
    ),
  );
}

function flat({ values }: SparseMatrix, pattern: Sparsity, value: typeof entry): boolean {
  let k = 0;
  for (let i = 0; i < pattern.shape[0]; i++) {
    for (const j of rowOf(pattern, i)) if (values[k++] !== value(i, j)) return false;
  }
  return k === values.length;
}

describe("colourings", () => {
  test("no row has two columns of one colour, and no column two rows", () => {
    fc.assert(
      fc.property(patterns, (pattern) => {
        for (const [one, by] of [
          [pattern, "columns"],
          [transposed(pattern), "rows"],
        ] as const) {
          const { colours, count } = pattern.colouring(by);
          expect(colours.every((colour) => colour >= 0 && colour < count)).toBe(true);
          for (let i = 0; i < one.shape[0]; i++) {
            const own = [...rowOf(one, i)].map((j) => colours[j]);
            expect(new Set(own).size).toBe(own.length);
          }
        }
        const counts = (["columns", "rows"] as const).map((by) => pattern.colouring(by).count);
        expect(pattern.colouring(pattern.cheapest()).count).toBe(Math.min(...counts));
      }),
      many,
    );
  });

  test("no path of four has two colours", () => {
    let paths = 0;
    fc.assert(
      fc.property(square, (pattern) => {
        const { colours } = pattern.colouring("symmetric");
        const next = (v: number): number[] => [...rowOf(pattern, v)].filter((w) => w !== v);
        for (let a = 0; a < pattern.shape[0]; a++) {
          for (const b of next(a)) {
            expect(colours[a]).not.toBe(colours[b]);
            for (const c of next(b)) {
              for (const d of next(c)) {
                if (new Set([a, b, c, d]).size < 4) continue;
                paths++;
                expect(colours[a] === colours[c] && colours[b] === colours[d]).toBe(false);
              }
            }
          }
        }
      }),
      many,
    );
    expect(paths).toBeGreaterThan(1000);
  });

  test("give every entry back, forward and in reverse", () => {
    fc.assert(
      fc.property(patterns, (pattern) => {
        const matrix = denseOf(pattern, entry);
        const mirror = denseOf(transposed(pattern), (j, i) => entry(i, j));
        const forward = (rows: unknown): Float64Array => timesRows(matrix, rows);
        const reverse = (rows: unknown): Float64Array => timesRows(mirror, rows);
        for (const [one, other] of [
          [forward, undefined],
          [undefined, reverse],
          [forward, reverse],
        ] as const) {
          const found = jacobianBy(one, other)(pattern);
          expect(flat(found, pattern, entry)).toBe(true);
        }
      }),
      many,
    );
  });

  test("give every entry of a symmetric matrix back", () => {
    fc.assert(
      fc.property(square, (pattern) => {
        const matrix = denseOf(pattern, mirrored);
        const found = hessianBy((rows: unknown) => timesRows(matrix, rows))(pattern);
        expect(flat(found, pattern, mirrored)).toBe(true);
      }),
      many,
    );
  });

  test("are small where the pattern says so", () => {
    const size = 60;
    const band = (width: number): Sparsity =>
      sparsityOf(
        Array.from({ length: size }, (_, i) =>
          Array.from({ length: 2 * width + 1 }, (__, k) => i + k - width).filter(
            (j) => j >= 0 && j < size,
          ),
        ),
        size,
      );
    expect(band(1).colouring("columns").count).toBe(3);
    expect(band(3).colouring("columns").count).toBe(7);
    expect(band(1).colouring("symmetric").count).toBe(3);
    const arrow = symmetrized(
      sparsityOf(
        Array.from({ length: size }, (_, i) => [0, i]),
        size,
      ),
    );
    expect(arrow.colouring("columns").count).toBe(size);
    expect(arrow.colouring("symmetric").count).toBe(2);
  });

  test("take time in proportion to the entries", () => {
    const size = 1e5;
    const five = sparsityOf(
      Array.from({ length: size }, (_, i) =>
        Array.from({ length: 5 }, (__, k) => (i + k * k * 997) % size),
      ),
      size,
    );
    const arrow = symmetrized(
      sparsityOf(
        Array.from({ length: size }, (_, i) => [0, i]),
        size,
      ),
    );
    const start = performance.now();
    expect(five.colouring("columns").count).toBeLessThan(15);
    expect(arrow.colouring("symmetric").count).toBe(2);
    // Under a second by themselves; a square law would take minutes.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("a probe", () => {
  const masksOf =
    (pattern: Sparsity) =>
    (seeds: Int32Array): Int32Array =>
      Int32Array.from({ length: pattern.shape[0] }, (_, i) =>
        rowOf(pattern, i).reduce((mask, j) => mask | seeds[j]!, 0),
      );

  test("finds any pattern", () => {
    fc.assert(
      fc.property(patterns, (pattern) => {
        const [, size] = pattern.shape;
        const found = probe(size, masksOf(pattern));
        expect(found).toMatchObject({ shape: pattern.shape, columns: pattern.columns });
        expect(found.rowPointers).toEqual(pattern.rowPointers);
      }),
      many,
    );
  });

  test("of a band runs a few times, however wide it is", () => {
    const size = 3000;
    const band = sparsityOf(
      Array.from({ length: size }, (_, i) => [i - 1, i, i + 1].filter((j) => j >= 0 && j < size)),
      size,
    );
    let count = 0;
    const masks = masksOf(band);
    const pattern = patternOf((seeds: unknown) => {
      count++;
      return masks(seeds as Int32Array);
    }, 0)(new Float64Array(size));
    expect(pattern.columns).toEqual(band.columns);
    expect(count).toBeLessThan(9);
  });

  test("of a full matrix runs twice as often as there are sets of columns", () => {
    const size = 512;
    const all = Array.from({ length: size }, (_, j) => j);
    const full = sparsityOf([all, all], size);
    let count = 0;
    const masks = masksOf(full);
    probe(size, (seeds) => {
      count++;
      return masks(seeds);
    });
    expect(count).toBeLessThan((2.5 * size) / 32);
  });
});

describe("patterns of the user's own", () => {
  test("are sorted, without repetitions, from either form", () => {
    const lists = sparsityOf([[2, 0, 2], [], [1]], 3);
    const compressed = sparsityOf({ rowPointers: [0, 3, 3, 4], columns: [2, 0, 2, 1] }, 3);
    for (const { shape, rowPointers, columns } of [lists, compressed]) {
      expect(shape).toEqual([3, 3]);
      expect([...rowPointers]).toEqual([0, 2, 2, 3]);
      expect([...columns]).toEqual([0, 2, 1]);
    }
  });

  test("must fit", () => {
    expect(() => sparsityOf([[0], [3]], 3)).toThrow(
      "sparsityOf: row 1 has column 3, and there are 3 columns",
    );
    expect(() => sparsityOf([[0.5]], 3)).toThrow("row 0 has column 0.5");
    expect(() => sparsityOf({ rowPointers: [0, 2], columns: [0] }, 3)).toThrow(
      "sparsityOf: row 0 is from 0 to 2, and there are 1 entries",
    );
    expect(() => sparsityOf([[1], []], 2).colouring("symmetric")).toThrow(
      "the pattern of a Hessian is symmetric, and row 0 of this one is not as its column 0",
    );
    expect(() => sparsityOf([[1]], 2).colouring("symmetric")).toThrow("this one is 1 × 2");
    const products = (): Float64Array => new Float64Array(5);
    expect(() => jacobianBy(products, undefined)(sparsityOf([[0], [0]], 1))).toThrow(
      "the pattern is 2 × 1, and the result has 5 elements",
    );
  });
});
