import { compile, grad, hessian, jacrev, jvp, valueAndGrad, vmap } from "fluxion";

const power = (x: number, n: number): number => (n === 0 ? 1 : x * power(x, n - 1));
const atPower = compile((x: number, n: number) => ({
  value: power(x, n),
  slope: grad(power)(x, n),
  both: jvp((y: number) => power(y, n), [x], [2]),
  second: grad((y: number) => grad(power)(y, n))(x),
}));

/** Σ over a binary tree of products of sines: two calls a node. */
function tree(x: number, n: number): number {
  if (n === 0) return Math.sin(x);
  return tree(x * 0.5, n - 1) * tree(x + 1, n - 1) + x;
}
const atTree = compile((x: number, n: number) => valueAndGrad(tree)(x, n));

/** The determinant by minors, over linked lists of rows and columns. */
function minor(
  a: Float64Array,
  n: number,
  m: number,
  rows: Int32Array,
  columns: Int32Array,
): number {
  if (m === 0) return 1;
  const row = rows[n]!;
  rows[n] = rows[row]!;
  let sum = 0;
  let sign = 1;
  let before = n;
  for (let k = 0; k < m; k++) {
    const column = columns[before]!;
    columns[before] = columns[column]!;
    sum += sign * a[row * n + column]! * minor(a, n, m - 1, rows, columns);
    columns[before] = column;
    before = column;
    sign = -sign;
  }
  rows[n] = row;
  return sum;
}
function determinant(a: Float64Array, n: number): number {
  const rows = new Int32Array(n + 1);
  const columns = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) {
    rows[i] = i + 1;
    columns[i] = i + 1;
  }
  rows[n] = 0;
  columns[n] = 0;
  return minor(a, n, n, rows, columns);
}
const cofactors = compile((a: Float64Array, n: number) => grad(determinant)(a, n));
const curvature = compile((a: Float64Array, n: number) => hessian(determinant)(a, n));

/** An array that each call writes: a[k] = a[k]² a[k-1]. */
function sweep(a: Float64Array, k: number): void {
  if (k >= a.length) return;
  a[k] = a[k]! * a[k]! * a[k - 1]!;
  sweep(a, k + 1);
}
function last(x: Float64Array): number {
  const own = x.slice();
  sweep(own, 1);
  return own[own.length - 1]!;
}
const atLast = compile((x: Float64Array) => grad(last)(x));

/** Two functions that call each other, and a closure over what is differentiated. */
function descend(f: (t: number) => number, t: number, n: number): number {
  return n <= 0 ? f(t) : climb(f, t * 0.5, n - 1);
}
function climb(f: (t: number) => number, t: number, n: number): number {
  return n <= 0 ? f(t) : descend(f, t + 1, n - 1);
}
const mutual = compile((x: number, n: number) =>
  grad((y: number) => descend((t) => t * t * y, y, n))(x),
);

/** Calls in a loop, whose number of turns is an argument. */
function nested(x: number, n: number): number {
  let total = x;
  for (let i = 0; i < n; i++) total += nested(x * 0.5, i) * x;
  return total;
}
const atNested = compile((x: number, n: number) => [grad(nested)(x, n), nested(x, n)]);

const batch = compile((x: Float64Array) => vmap((y: number) => power(y, 3) + tree(y, 0))(x));
const jacobian = compile((x: Float64Array, n: number) =>
  jacrev((y: Float64Array) => y.map((v) => power(v, n)))(x),
);

export const main = () => [
  atPower(1.5, 4),
  atTree(0.8, 2),
  cofactors(new Float64Array([2, 1, 3, 0, 4, 1, 5, 2, 2]), 3),
  curvature(new Float64Array([2, 1, 3, 4]), 2),
  atLast(new Float64Array([0.5, 1.2, 0.7])),
  mutual(1.5, 3),
  atNested(0.5, 2),
  batch(new Float64Array([1, 2])),
  jacobian(new Float64Array([1.5, 2]), 3),
];

export const expected = () => {
  const x = 1.5;
  const treeAt = (y: number, n: number): [number, number] => {
    if (n === 0) return [Math.sin(y), Math.cos(y)];
    const [l, dl] = treeAt(y * 0.5, n - 1);
    const [r, dr] = treeAt(y + 1, n - 1);
    return [l * r + y, dl * 0.5 * r + l * dr + 1];
  };
  const nestedAt = (y: number, n: number): [number, number] => {
    let [total, slope] = [y, 1];
    for (let i = 0; i < n; i++) {
      const [v, dv] = nestedAt(y * 0.5, i);
      total += v * y;
      slope += dv * 0.5 * y + v;
    }
    return [total, slope];
  };
  const [a, b, c] = [0.5, 1.2, 0.7];
  // Three steps from x: x/2, x/2 + 1, x/4 + 1/2, and then t² x.
  const t = x / 4 + 0.5;
  const [value, slope] = nestedAt(0.5, 2);
  return [
    { value: x ** 4, slope: 4 * x ** 3, both: [x ** 4, 8 * x ** 3], second: 12 * x ** 2 },
    treeAt(0.8, 2),
    new Float64Array([6, 5, -20, 4, -11, 1, -11, -2, 8]),
    [
      new Float64Array([0, 0, 0, 1]),
      new Float64Array([0, 0, -1, 0]),
      new Float64Array([0, -1, 0, 0]),
      new Float64Array([1, 0, 0, 0]),
    ],
    new Float64Array([c * c * b * b, 2 * c * c * b * a, 2 * c * b * b * a]),
    t * t + 2 * t * x * 0.25,
    [slope, value],
    new Float64Array([1 + Math.sin(1), 8 + Math.sin(2)]),
    [new Float64Array([6.75, 0]), new Float64Array([0, 12])],
  ];
};
export const tolerance = 1e-9;
