import {
  compile,
  customJvp,
  customVjp,
  type Dim,
  grad,
  hvp,
  jvp,
  jvps,
  linearize,
  tensor,
  type Tensor,
  vjp,
  vjps,
} from "fluxion";

/**
 * Directions that are arrays of their own: nothing says before the program runs that they are as
 * long as what they are directions of. (What is said where they are not is in
 * `test/transformer/lengths.test.ts`.)
 */
const cube = (x: Float64Array): Float64Array => x.map((v, i) => v ** 3 + (i > 0 ? x[i - 1] : 0));
const energy = (x: Float64Array): number => cube(x).reduce((sum, v) => sum + v * v, 0);
const along = (x: Float64Array, v: Float64Array) => {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = 3 * x[i] ** 2 * v[i] + (i > 0 ? v[i - 1] : 0);
  return out;
};
const back = (x: Float64Array, w: Float64Array) => {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    out[i] = 3 * x[i] ** 2 * w[i] + (i + 1 < x.length ? w[i + 1] : 0);
  }
  return out;
};
const second = (x: Float64Array, v: Float64Array) => {
  const w = cube(x);
  const change = along(x, v);
  const first = back(
    x,
    change.map((d) => 2 * d),
  );
  return first.map((s, i) => s + 12 * x[i] * v[i] * w[i]);
};

const tangent = compile((x: Float64Array, v: Float64Array) => jvp(cube, [x], [v])[1]);
const pushed = compile((x: Float64Array, v: number[]) =>
  linearize(cube, x)[1](Float64Array.from(v)),
);
const pulled = compile((x: Float64Array, w: Float64Array) => vjp(cube, x)[1](w)[0]);
const curved = compile((x: Float64Array, v: Float64Array) => hvp(energy)(x, v));
const manyForward = compile((x: Float64Array, rows: Float64Array[]) => jvps(cube)(rows, x));
const manyReverse = compile((x: Float64Array, rows: Float64Array[]) => vjps(cube)(rows, x));
/** The length of the direction is computed, in a loop, and what is done is differentiated again. */
const searched = (x: Float64Array, n: number) => {
  let sum = 0;
  for (let k = 0; k < 2; k++) {
    const v = new Float64Array(n);
    for (let i = 0; i < n; i++) v[i] = x[i] * (k + 1);
    sum += jvp(energy, [x], [v])[1];
  }
  return sum;
};
const searchedSlopes = grad(searched);
const rule = customJvp(
  (x: Float64Array, own: Float64Array) => x.map((v) => v * own.length),
  ([x, own], [dx]) => [own.map((_, i) => x[i] * own.length), own.map((_, i) => dx[i] * own.length)],
);
const ruled = compile((x: Float64Array, own: Float64Array, v: Float64Array) => {
  const [y, dy] = jvp((z: Float64Array) => rule(z, own), [x], [v]);
  return { y, dy };
});
const reverseRule = customVjp((x: Float64Array) => x.reduce((sum, v) => sum + v, 0), {
  fwd: (x) => [x.reduce((sum, v) => sum + v, 0), 2],
  bwd: (factor, w) => [new Float64Array(3).map(() => factor * w)],
});
const reversed = grad((x: Float64Array) => reverseRule(x) ** 2);

/** Tensors, each with a size of its own; and an array that is shaped by the length of another. */
const tensorAlong = compile(
  <N extends Dim, M extends Dim>(t: Tensor<[N, 2], "f64">, dt: Tensor<[M, 2], "f64">) =>
    jvp((u: Tensor<[N, 2], "f64">) => u.square(), [t], [dt as never])[1],
);
const shaped = compile((flat: Float64Array, rows: Float64Array[]) =>
  tensor(flat, [rows.length, 3], "f64")
    .mul(tensor(rows, [rows.length, 3], "f64"))
    .sum(1),
);

const x = Float64Array.of(0.5, -1.5, 2);
const v = Float64Array.of(1, 0.25, -3);

const t = tensor([1, 2, 3, 4], [2, 2], "f64");

export const functions = {
  tangent,
  pushed,
  pulled,
  curved,
  manyForward,
  manyReverse,
  searchedSlopes,
  ruled,
  reversed,
  tensorAlong,
  shaped,
};

export const main = () => ({
  tangent: tangent(x, v),
  pushed: pushed(x, [...v]),
  pulled: pulled(x, v),
  curved: curved(x, v),
  manyForward: manyForward(x, [v, x]),
  manyReverse: manyReverse(x, [v, x]),
  searched: searchedSlopes(x, 3).map((s) => Math.round(s * 1e6)),
  ruled: ruled(x, v, v),
  reversed: reversed(x),
  tensorAlong: tensorAlong(t, t).dataSync(),
  shaped: shaped(Float64Array.of(1, 2, 3, 4, 5, 6), [x, v]).dataSync(),
});

export const expected = () => {
  const slope = (k: number, h: number) => {
    const at = x.with(k, x[k] + h);
    return 3 * along(at, at).reduce((sum, d, i) => sum + 2 * d * cube(at)[i], 0);
  };
  return {
    tangent: along(x, v),
    pushed: along(x, v),
    pulled: back(x, v),
    curved: second(x, v),
    manyForward: [along(x, v), along(x, x)],
    manyReverse: [back(x, v), back(x, x)],
    searched: x.map((_, k) => {
      const h = 1e-3;
      const around = slope(k, -2 * h) - 8 * slope(k, -h) + 8 * slope(k, h) - slope(k, 2 * h);
      return Math.round((around / (12 * h)) * 1e6);
    }),
    ruled: { y: x.map((a) => a * 3), dy: v.map((a) => a * 3) },
    reversed: x.map(() => 4),
    tensorAlong: Float64Array.of(2, 8, 18, 32),
    shaped: Float64Array.of(0.5 - 3 + 6, 4 + 1.25 - 18),
  };
};
export const tolerance = 1e-13;
