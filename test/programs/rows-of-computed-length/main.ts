import { compile, grad } from "fluxion";

/** Rows as long as a number says that is known before them: made in `Array.from`, and by `map`. */
const table = (rows: number, columns: number) =>
  Array.from({ length: rows }, (_, i) => {
    const row = new Float64Array(columns);
    for (let j = 0; j < columns; j++) row[j] = i * 10 + j;
    return row;
  });
const paths = (x: Float64Array, columns: number) => {
  const reached = x.map((v) => v);
  const grid = Array.from({ length: x.length }, () => new Float64Array(columns));
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < columns; j++) {
      grid[i]![j] = reached[i]! ** (j + 1) + (i > 0 && j > 0 ? grid[i - 1]![j - 1]! : 0);
    }
  }
  return grid;
};
const weight = (x: Float64Array, columns: number) => {
  let sum = 0;
  paths(x, columns).forEach((row, i) => row.forEach((v, j) => (sum += v * v * (i + j + 1))));
  return sum;
};
const records = (x: Float64Array, n: number) => {
  const made = Array.from({ length: x.length }, (_, i) => ({
    at: x[i]!,
    near: new Float64Array(n).fill(x[i]!),
  }));
  return made.map(({ at, near }) => near.reduce((sum, v) => sum * at + v, 0));
};

/** Rows are replaced by arrays of lengths of their own, which are the same. */
const replaced = (x: Float64Array, n: number) => {
  const grid = Array.from({ length: 3 }, () => new Float64Array(n));
  for (let i = 0; i < n; i++) grid[i % 3] = x.map((v) => v * i);
  return grid;
};

const made = compile(table);
const grid = compile(paths);
const slopes = grad(weight);
const folded = compile(records);
const steep = grad((x: Float64Array, n: number) =>
  records(x, n).reduce((sum: number, v: number) => sum + v, 0),
);

const replacing = compile(replaced);
const replacingSlopes = grad((x: Float64Array, n: number) =>
  replaced(x, n).reduce((sum: number, row) => sum + row.reduce((s, v) => s + v * v, 0), 0),
);

const x = Float64Array.of(0.5, -1, 2);

export const functions = { replacing };

export const main = () => ({
  made: made(2, 3),
  none: [made(0, 3), made(2, 0), made(0, -1), made(0, 0.5)],
  grid: grid(x, 2),
  slopes: slopes(x, 2),
  folded: folded(x, 3),
  steep: steep(x, 3),
  replacing: replacing(x, 3),
  replacingSlopes: replacingSlopes(x, 3),
});

export const expected = () => {
  const [a, b, c] = x;
  const d = { b: b * b + a, c: c * c + b };
  return {
    made: table(2, 3),
    none: [[], [new Float64Array(0), new Float64Array(0)], [], []],
    grid: paths(x, 2),
    slopes: Float64Array.of(
      2 * a + 8 * a ** 3 + 6 * d.b,
      4 * b + 12 * b * d.b + 8 * d.c,
      6 * c + 16 * c * d.c,
    ),
    folded: records(x, 3),
    // x³ + x² + x
    steep: x.map((v) => 3 * v * v + 2 * v + 1),
    replacing: replaced(x, 3),
    replacingSlopes: x.map((v) => 10 * v),
  };
};
export const tolerance = 1e-14;
