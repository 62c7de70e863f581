import { compile, grad, hvp, jacfwd, type Tensor, tensor, valueAndGrad, vmap } from "fluxion";

/** Matrices whose rows are typed arrays: given, indexed, passed on, returned and differentiated. */
const matrixVector = (a: Float64Array[], x: Float64Array): Float64Array => {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) {
    const row = a[i];
    for (let j = 0; j < row.length; j++) out[i] += row[j] * x[j];
  }
  return out;
};
const energy = (a: Float64Array[], x: Float64Array): number =>
  matrixVector(a, x).reduce((sum, v) => sum + v * v, 0);
const singles = (a: readonly Float32Array[]): number => {
  let sum = 0;
  for (const row of a) for (const v of row) sum += Math.sin(v);
  return sum;
};
const counts = (a: Int32Array[], b: Uint8Array[], weights: Float64Array): number => {
  let sum = 0;
  a.forEach((row, i) => row.forEach((v, j) => (sum += v * b[i][j] * weights[j])));
  return sum;
};
const deep = (a: Float64Array[][]): number => a[1][0][2] * a[0][1][0] + a.length + a[0].length;
const fields = (p: { rows: Float64Array[]; bias: number }, pair: [Float64Array[], number]) =>
  p.rows[1][0] * p.bias * pair[0][0][1] + pair[1];
const changed = (a: Float64Array[], by: number) => {
  const own = a.map((row) => row.map((v) => v * by));
  own[0][1] = -1;
  return { own, same: a, flags: [Array.isArray(own), Array.isArray(own[0])] };
};
const total = (t: Tensor<[2, 3], "f64">, a: Float64Array[]) => t.sum().item() * a[0][0];

const compiled = compile(matrixVector);
const slopes = grad(energy, { argnums: [0, 1] });
const both = valueAndGrad(energy);
const curvature = hvp((a: Float64Array[]) => energy(a, Float64Array.of(1, 2, 3)));
const jacobian = jacfwd((k: number, a: Float64Array[]) => a.map((row) => row[0] * k), {
  argnums: 0,
});
const singleSlopes = grad(singles);
const counted = compile(counts);
const weightSlopes = grad(counts, { argnums: 2 });
const deepSlopes = grad(deep);
const fieldSlopes = grad(fields, { argnums: [0, 1] });
const changes = compile(changed);
const scaled = compile(total);
const batched = vmap((x: Float64Array, k: number) => x.map((v) => v * k)) as unknown as (
  rows: Float64Array[],
  factors: Float64Array,
) => Float64Array[];

const a = [Float64Array.of(1, -2, 3), Float64Array.of(0.5, 4, -1)];
const x = Float64Array.of(0.25, 2, -3);
const cube = [a, [Float64Array.of(7, 8, 9), Float64Array.of(1, 0, 1)]];
const single = [Float32Array.of(0.5, 1), Float32Array.of(-2, 0)];
const whole = [Int32Array.of(1, -2), Int32Array.of(3, 4)];
const bytes = [Uint8Array.of(2, 255), Uint8Array.of(0, 1)];
const weights = Float64Array.of(0.5, 3);
const t = tensor([1, 2, 3, 4, 5, 6], [2, 3], "f64");
const outer = (u: Float64Array, v: Float64Array) => Array.from(u, (p) => v.map((q) => p * q));
const zero = (rows: Float64Array[]) => rows.map((row) => new Float64Array(row.length));
const at = (rows: Float64Array[], i: number, j: number, value: number) =>
  rows.map((row, k) => (k === i ? row.with(j, value) : row));

export const main = () => ({
  product: compiled(a, x),
  slopes: slopes(a, x),
  both: both(a, x),
  curvature: curvature(a, a),
  jacobian: jacobian(2, a),
  single: singleSlopes(single).map((row) => row.map((v) => Math.round(v * 1e5))),
  counted: counted(whole, bytes, weights),
  weights: weightSlopes(whole, bytes, weights),
  deep: deepSlopes(cube),
  fields: fieldSlopes({ rows: a, bias: 2 }, [a, 3]),
  changed: changes(a, 3),
  scaled: scaled(t, a),
  batched: batched(a, Float64Array.of(2, -1)),
  none: compiled([], x),
});

export const expected = () => {
  const y = matrixVector(a, x).map((v) => 2 * v);
  const back = x.map((_, j) => y.reduce((sum, v, i) => sum + v * a[i][j], 0));
  const along = matrixVector(a, Float64Array.of(1, 2, 3)).map((v) => 2 * v);
  return {
    product: matrixVector(a, x),
    slopes: [outer(y, x), back],
    both: [energy(a, x), outer(y, x)],
    curvature: outer(along, Float64Array.of(1, 2, 3)),
    jacobian: [1, 0.5],
    single: single.map((row) => row.map((v) => Math.round(Math.cos(v) * 1e5))),
    counted: counts(whole, bytes, weights),
    weights: Float64Array.of(2, -510 + 4),
    deep: [at(zero(a), 1, 0, 9), at(zero(a), 0, 2, 0.5)],
    fields: [{ rows: at(zero(a), 1, 0, 2 * -2), bias: 0.5 * -2 }, [at(zero(a), 0, 1, 0.5 * 2), 1]],
    changed: changed(a, 3),
    scaled: 21,
    batched: [a[0].map((v) => v * 2), a[1].map((v) => -v)],
    none: new Float64Array(0),
  };
};
export const tolerance = 1e-14;
