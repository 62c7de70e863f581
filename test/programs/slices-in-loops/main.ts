import { compile, grad, hessian, jacfwd, jacrev } from "fluxion";

/** Products of the first numbers, of more of them in each round. */
const products = (x: Float64Array) => {
  let sum = 0;
  for (let n = 1; n <= x.length; n++) {
    let product = 1;
    for (const v of x.slice(0, n)) product *= v;
    sum += product;
  }
  return sum;
};

/** Rows of data, one after the other. */
const rows = (w: Float64Array, data: Float64Array) => {
  let sum = 0;
  for (let n = 0; n < data.length / w.length; n++) {
    const row = data.slice(w.length * n, w.length * n + w.length);
    let dot = 0;
    for (let i = 0; i < row.length; i++) dot += w[i]! * row[i]!;
    sum += dot * dot;
  }
  return sum;
};

const halves = (x: Float64Array, low: number, high: number): number => {
  if (high - low < 2) {
    let sum = 0;
    for (const v of x.slice(low, high)) sum += v * v * v;
    return sum;
  }
  const middle = (low + high) >> 1;
  return halves(x, low, middle) + halves(x, middle, high);
};

const slope = grad(products);
const second = hessian(products);
const ahead = jacfwd(grad(products));
const back = jacrev(grad(products));
const fit = compile((w: Float64Array, data: Float64Array) => [
  grad(rows)(w, data),
  hessian(rows)(w, data),
]);
const split = grad((x: Float64Array) => halves(x, 0, x.length));

const x = Float64Array.of(1, 2, 3);
const w = Float64Array.of(1, -1);
const data = Float64Array.of(1, 2, 3, 4, 5, 7);

export const main = () => [
  slope(x),
  second(x),
  ahead(x),
  back(x),
  fit(w, data),
  split(Float64Array.of(1, 2, 3, 4)),
];

// x + xy + xyz, and Σ (w · row)²
const matrix = [Float64Array.of(0, 4, 2), Float64Array.of(4, 0, 1), Float64Array.of(2, 1, 0)];
export const expected = () => [
  Float64Array.of(9, 4, 2),
  matrix,
  matrix,
  matrix,
  [Float64Array.of(-28, -40), [Float64Array.of(70, 98), Float64Array.of(98, 138)]],
  Float64Array.of(3, 12, 27, 48),
];
