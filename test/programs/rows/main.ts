import { compile } from "fluxion";

/** Nested arrays: a row is not a copy. */
const f = (matrix: number[][], v: number[]) => {
  let best = -Infinity;
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < matrix.length; i++) {
    const row = matrix[i];
    let sum = 0;
    for (let j = 0; j < row.length; j++) sum += row[j] * v[j];
    result[i] = sum;
    best = Math.max(best, matrix[i][0]);
  }
  const table = [
    [1, 2],
    [3, 4],
  ];
  table[1][0] = best;
  let total = 0;
  for (const row of table) for (const value of row) total += value;
  const sums = matrix.map((row) => row.reduce((sum, value) => sum + value, 0));
  const doubled = matrix.map((row, i) => row.map((value) => value * 2 + i));
  const built = Array.from({ length: matrix.length }, (_, i) => [i, v[0], matrix[i][1]]);
  return { result, best, total, sums, doubled, built };
};
const compiled = compile(f);

export const main = () =>
  compiled(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [1, 0, -1],
  );
