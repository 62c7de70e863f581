import {
  checkpoint,
  customJvp,
  customVjp,
  grad,
  hessianSparsity,
  implicit,
  jacfwd,
  sparseJacfwd,
  sparseJacrev,
  type SparseMatrix,
  type Sparsity,
  sparsity,
  stopGradient,
} from "fluxion";

/** Patterns through functions: recursion, rules of the user's own, derivatives inside. */

const text = ({ shape: [rows, columns], rowPointers, columns: at }: Sparsity) =>
  Array.from({ length: rows }, (_, i) => {
    const line = at.subarray(rowPointers[i], rowPointers[i + 1]);
    return Array.from({ length: columns }, (__, j) => (line.includes(j) ? "x" : ".")).join("");
  });

const near = (a: SparseMatrix, b: readonly Float64Array[]) => {
  const [rows, columns] = a.shape;
  for (let i = 0; i < rows; i++) {
    const row = new Float64Array(columns);
    for (let k = a.rowPointers[i]; k < a.rowPointers[i + 1]; k++) row[a.columns[k]] = a.values[k];
    if (row.some((v, j) => Math.abs(v - b[i][j]) > 1e-12 * Math.max(1, Math.abs(v)))) return false;
  }
  return true;
};

const weights = Float64Array.of(2, 3);

/** The product of a range, by halves. */
function product(x: Float64Array, low: number, high: number): number {
  if (high - low === 1) return x[low];
  const middle = Math.floor((low + high) / 2);
  return product(x, low, middle) * product(x, middle, high);
}
const halves = (x: Float64Array) => {
  const half = x.length >> 1;
  return [product(x, 0, half), product(x, half, x.length), 1];
};

/** Prefix sums, written in place by a function that calls itself. */
function prefix(out: Float64Array, i: number): void {
  if (i >= out.length) return;
  out[i] += out[i - 1];
  prefix(out, i + 1);
}
const prefixes = (x: Float64Array) => {
  const out = x.map((v) => v * v);
  prefix(out, 1);
  return out;
};

const squash = customJvp(
  (x: number) => Math.tanh(x),
  ([x], [dx]) => [Math.tanh(x), dx * (1 - Math.tanh(x) ** 2)],
);
const clip = customVjp((x: number) => Math.min(1, Math.max(-1, x)), {
  fwd: (x) => [Math.min(1, Math.max(-1, x)), x],
  bwd: (x, w) => [Math.abs(x) < 2 ? w : 0],
});
const root = implicit(
  (y: number, a: number) => y * y * y - a,
  (a: number) => Math.cbrt(a),
);
const wave = checkpoint((x: number, y: number) => Math.sin(x) * y);
const rules = (x: Float64Array) =>
  x.map((v, i) => {
    if (i === 0) return squash(v);
    if (i === 1) return clip(v) * x[0];
    if (i === 2) return root(v + 2);
    return wave(v, x[i - 1]);
  });

/** A gradient inside, of neighbours. */
const energy = (x: Float64Array) => {
  let sum = 0;
  for (let i = 1; i < x.length; i++) sum += (x[i] * x[i - 1]) ** 2;
  return sum;
};
const force = (x: Float64Array) => grad(energy)(x).map((v, i) => v * weights[i & 1]);

/** What does not flow: rounding, comparing, \`stopGradient\`. */
const cut = (x: Float64Array) =>
  x.map((v, i) => Math.floor(x[0]) + (x[1] > 0 ? 1 : 2) + stopGradient(v) * (i === 2 ? v : 1));

/** A choice between elements, and a carried state. */
const filter = (x: Float64Array) => {
  const out = new Float64Array(x.length);
  let state = 0;
  for (let i = 0; i < x.length; i++) {
    if (i % 3 === 0) state = 0;
    state = 0.5 * state + (x[i] > 0 ? x[i] : -2 * x[i]);
    out[i] = state;
  }
  return out;
};

/** Writes that the values decide, to other places. */
const scattered = (x: Float64Array) => {
  const out = new Float64Array(x.length);
  for (let i = 0; i + 1 < x.length; i++) {
    if (x[i] > 0) out[i] += x[i];
    else out[i + 1] = x[i] * x[i + 1];
  }
  return out;
};

/** The same outside of a loop, where one arm also writes what does not depend on anything. */
const late = (x: Float64Array) => {
  const out = new Float64Array(3);
  if (x[0] > 0) out[0] = x[1];
  else {
    out[1] = 5;
    out[2] = x[2];
  }
  return out;
};
const other = (x: Float64Array) => {
  const out = new Float64Array(3);
  if (x[0] > 0) out[0] = x[1];
  else for (let i = 0; i < 3; i++) out[i] = i;
  return out;
};

const at = Float64Array.of(0.5, -1.5, 2, 0.25);
const patterns = [
  sparsity(halves),
  sparsity(prefixes),
  sparsity(rules),
  sparsity(force),
  sparsity(cut),
  sparsity(filter),
  sparsity(scattered),
  sparsity(late),
  sparsity(other),
];
const forwards = [
  sparseJacfwd(halves),
  sparseJacfwd(prefixes),
  sparseJacfwd(rules),
  sparseJacfwd(force),
  sparseJacfwd(cut),
  sparseJacfwd(filter),
  sparseJacfwd(scattered),
  sparseJacfwd(late),
  sparseJacfwd(other),
];
const reverses = [
  sparseJacrev(halves),
  sparseJacrev(prefixes),
  sparseJacrev(rules),
  sparseJacrev(force),
  sparseJacrev(cut),
  sparseJacrev(filter),
  sparseJacrev(scattered),
  sparseJacrev(late),
  sparseJacrev(other),
];
const denses = [
  jacfwd((x: Float64Array) => Float64Array.from(halves(x))),
  jacfwd(prefixes),
  jacfwd(rules),
  jacfwd(force),
  jacfwd(cut),
  jacfwd(filter),
  jacfwd(scattered),
  jacfwd(late),
  jacfwd(other),
];
const chain = hessianSparsity(energy);

export const main = () => ({
  texts: patterns.map((pattern) => text(pattern(at))),
  forwards: forwards.map((jacobian, k) => near(jacobian(patterns[k](at), at), denses[k](at))),
  reverses: reverses.map((jacobian, k) => near(jacobian(patterns[k](at), at), denses[k](at))),
  chain: text(chain(at)),
});

const yes = denses.map(() => true);

export const expected = () => ({
  texts: [
    ["xx..", "..xx", "...."],
    ["x...", "xx..", "xxx.", "xxxx"],
    ["x...", "xx..", "..x.", "..xx"],
    ["xx..", "xxx.", ".xxx", "..xx"],
    ["....", "....", "..x.", "...."],
    ["x...", "xx..", "xxx.", "...x"],
    ["x...", "xx..", ".xx.", "..xx"],
    [".x..", "....", "..x."],
    [".x..", "....", "...."],
  ],
  forwards: yes,
  reverses: yes,
  chain: ["xx..", "xxx.", ".xxx", "..xx"],
});
