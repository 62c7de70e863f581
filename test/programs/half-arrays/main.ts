import {
  checkpoint,
  compile,
  customVjp,
  grad,
  hessian,
  jvp,
  jvps,
  sparseJacobian,
  sparsity,
  valueAndGrad,
} from "fluxion";

interface Weights {
  w: Float16Array;
  rows: Float16Array[];
}

const table = Float16Array.of(0.1, 0.2, 0.3, 60000);

const kinds = compile((x: Float16Array, v: number) => {
  const out = new Float16Array(x.length + 1);
  for (let i = 0; i < x.length; i++) out[i] = x[i]! * v;
  out[x.length] = v;
  out[0]! += 1e-3;
  const copy = Float16Array.from(x);
  copy[0] = 65519.999999;
  const large = new Float16Array(2);
  large[0] = 65520;
  // Once rounded to f32 it would lie between two halves.
  large[1] = 1 + 2 ** -11 + 2 ** -30;
  let sum = 0;
  for (const one of x) sum += one;
  return {
    out,
    copy,
    large,
    sum,
    of: Float16Array.of(v, 1 / 3, NaN, -0),
    from: Float16Array.from(x, (one) => one + 1 / 3),
    mapped: x.map((one, i) => one / (i + 3)),
    sliced: x.slice(1, 3),
    filled: new Float16Array(3).fill(v),
    made: new Float16Array([v, 0.1, 2]),
    reversed: x.toReversed(),
    at: x.at(-1)!,
    first: x.indexOf(x[1]!),
    there: x.includes(0.1),
    reduced: x.reduce((a, b) => a * b, 1),
    most: Math.max(...x),
    rounded: [Math.f16round(v), Math.f16round(0.1), Math.f16round(1e6)],
    known: table[3]! + table[0]!,
    widened: Float32Array.from(x),
    bytes: Uint8Array.from(x),
    some: x.some((one) => one > 1),
  };
});

const energy = ({ w, rows }: Weights, scale: number): number => {
  const row = new Float16Array(w.length);
  let sum = 0;
  for (const weights of rows) {
    for (let i = 0; i < w.length; i++) row[i] = weights[i]! * w[i]! * scale;
    for (let i = 0; i < w.length; i++) sum += row[i]! ** 2 * w[i]!;
  }
  return sum;
};
const value = compile(energy);
const slopes = valueAndGrad(energy);

const plain = (x: Float16Array): number => x.reduce((sum, v) => sum + Math.sin(v) * v, 0);
const slope = grad(plain);
const kept = grad((x: Float16Array) => checkpoint(plain)(x));
const along = compile((x: Float16Array, t: Float16Array) => jvp(plain, [x], [t]));
const second = hessian((x: Float64Array) => {
  const half = Float16Array.from(x);
  return half[0]! * half[1]! + half[1]! ** 2;
});

const grown = compile((x: Float16Array, n: number) => {
  const stack: number[] = [];
  for (let i = 0; i < n; i++) stack.push(x[i % x.length]!);
  const part = new Float16Array(n);
  for (let i = 0; i < n; i++) part[i] = stack.pop()! + i;
  return part;
});

function quicksort(a: Float16Array, low: number, high: number): void {
  if (low >= high) return;
  let at = low;
  for (let i = low; i < high; i++) {
    if (a[i]! < a[high]!) {
      [a[i], a[at]] = [a[at]!, a[i]!];
      at++;
    }
  }
  [a[at], a[high]] = [a[high]!, a[at]!];
  quicksort(a, low, at - 1);
  quicksort(a, at + 1, high);
}
const sorted = compile((a: Float16Array) => {
  const own = a.slice();
  quicksort(own, 0, own.length - 1);
  return own;
});

const halving = (a: Float16Array, depth: number): number => {
  if (depth === 0) return a[0]! * a[1]!;
  const next = a.map((v) => v * 0.5);
  return halving(next, depth - 1) + a[1]!;
};
const halvingSlope = grad((a: Float16Array, depth: number) => halving(a, depth));

const squared = customVjp((a: Float16Array) => a.reduce((sum, v) => sum + v * v, 0), {
  fwd: (a) => [a.reduce((sum, v) => sum + v * v, 0), a],
  bwd: (a, w) => [a.map((v) => 3 * v * w)],
});
const ownSlope = grad((a: Float16Array) => squared(a));

interface Layer {
  scale: number;
  w: Float16Array;
}
const layers = valueAndGrad((all: readonly Layer[], a: Float64Array) => {
  let sum = 0;
  for (const { scale, w } of all) for (let i = 0; i < a.length; i++) sum += scale * w[i]! * a[i]!;
  return sum;
});

const shifted = (a: Float16Array) => a.map((v, i) => v * (i > 0 ? a[i - 1]! : 1));
const pattern = sparsity(shifted);
const jacobian = sparseJacobian(shifted);
const directions = jvps((a: Float16Array) => a.map((v) => v * v));
const newton = grad((a: Float16Array) => {
  const root = new Float16Array([1, 1]);
  let rounds = 0;
  while (rounds < 20 && Math.abs(root[0]! ** 2 - a[0]!) > 0.01) {
    root[0] = (root[0]! + a[0]! / root[0]!) / 2;
    rounds++;
  }
  return root[0]!;
});

const x = Float16Array.of(0.1, -0.25, 3, 2.5, 1e-7);
const weights = (): Weights => ({
  w: Float16Array.of(0.5, -1.25, 2),
  rows: [Float16Array.of(1, 2, 3), Float16Array.of(-0.5, 0.25, 0.75)],
});

export const main = () => ({
  kinds: kinds(x, 1.1),
  value: value(weights(), 0.7),
  slopes: slopes(weights(), 0.7),
  slope: slope(x),
  kept: kept(x),
  along: along(x, Float16Array.of(1, 2, 3, 4, 5)),
  second: second(Float64Array.of(1, 2)),
  grown: grown(x, 7),
  sorted: sorted(x),
  halvingSlope: halvingSlope(Float16Array.of(3, 5), 2),
  ownSlope: ownSlope(x),
  layers: layers(
    [
      { scale: 2, w: Float16Array.of(0.1, 0.2) },
      { scale: 0.5, w: Float16Array.of(-1, 3) },
    ],
    Float64Array.of(1.25, 3),
  ),
  values: jacobian(pattern(x), x).values,
  directions: directions([Float16Array.of(1, 0), Float16Array.of(0, 2)], Float16Array.of(3, 0.1)),
  // Two rounds from 1: (r + a/r)/2 with r = (1 + a)/2
  newton: Math.abs(newton(Float16Array.of(2, 0))[0]! - 13 / 36) < 5e-4,
});

/** By hand: what is written is rounded, and the adjoint of the rounding rounds cotangents. */
export const expected = () => {
  const half = Math.f16round;
  const values = [...x];
  const { w, rows } = weights();
  const sum = rows
    .flatMap((row) => [...row].map((one, i) => half(one * w[i]! * 0.7) ** 2 * w[i]!))
    .reduce((a, b) => a + b, 0);
  const gradient = { w: new Float16Array(3), rows: rows.map(() => new Float16Array(3)) };
  // The walk back, from the last row to the first and within a row likewise.
  for (let r = rows.length - 1; r >= 0; r--) {
    const written = rows[r]!.map((one, i) => one * w[i]! * 0.7);
    const cotangents = new Float16Array(3);
    for (let i = 2; i >= 0; i--) {
      cotangents[i]! += half(2 * written[i]! * w[i]!);
      gradient.w[i]! += half(written[i]! ** 2);
    }
    for (let i = 2; i >= 0; i--) {
      const scaled = cotangents[i]! * 0.7;
      gradient.rows[r]![i]! += half(scaled * w[i]!);
      gradient.w[i]! += half(scaled * rows[r]![i]!);
    }
  }
  const out = [...values.map((v) => half(v * 1.1)), half(1.1)];
  out[0] = half(out[0]! + 1e-3);
  const copy = Float16Array.from(x);
  copy[0] = 65504;
  const derivative = values.map((v) => Math.sin(v) + v * Math.cos(v));
  return {
    kinds: {
      out: Float16Array.from(out),
      copy,
      large: Float16Array.of(Infinity, 1 + 2 ** -10),
      sum: values.reduce((a, b) => a + b),
      of: Float16Array.of(1.1, 1 / 3, NaN, -0),
      from: Float16Array.from(x, (one) => one + 1 / 3),
      mapped: x.map((one, i) => one / (i + 3)),
      sliced: x.slice(1, 3),
      filled: new Float16Array(3).fill(1.1),
      made: new Float16Array([1.1, 0.1, 2]),
      reversed: x.toReversed(),
      at: x[4],
      first: 1,
      there: false,
      reduced: values.reduce((a, b) => a * b),
      most: 3,
      rounded: [half(1.1), half(0.1), Infinity],
      known: 60000 + half(0.1),
      widened: Float32Array.from(x),
      bytes: Uint8Array.of(0, 0, 3, 2, 0),
      some: true,
    },
    value: sum,
    slopes: [sum, gradient],
    slope: Float16Array.from(derivative),
    kept: Float16Array.from(derivative),
    along: [
      values.reduce((total, v) => total + Math.sin(v) * v, 0),
      derivative.reduce((total, d, i) => total + d * (i + 1), 0),
    ],
    second: [Float64Array.of(0, 1), Float64Array.of(1, 2)],
    grown: Float16Array.from({ length: 7 }, (_, i) => values[(6 - i) % 5]! + i),
    sorted: x.slice().sort(),
    halvingSlope: Float16Array.of(5 / 16, 3 / 16 + 1 + 0.5),
    ownSlope: x.map((v) => 3 * v),
    layers: [
      2 * (half(0.1) * 1.25 + half(0.2) * 3) + 0.5 * (-1.25 + 9),
      [
        { scale: half(0.1) * 1.25 + half(0.2) * 3, w: Float16Array.of(2.5, 6) },
        { scale: -1.25 + 9, w: Float16Array.of(0.625, 1.5) },
      ],
    ],
    values: Float64Array.of(1, ...[1, 2, 3, 4].flatMap((i) => [values[i]!, values[i - 1]!])),
    directions: [Float16Array.of(6, 0), Float16Array.of(0, 2 * 2 * half(0.1))],
    newton: true,
  };
};
export const tolerance = 1e-15;
