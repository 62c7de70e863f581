import { compile, type Dim, grad, jvps, tensor, type Tensor, vjps } from "fluxion";

/** Jacobians times directions, of numbers, arrays, records and tensors, by hand as by one each. */
const spring = (x: Float64Array, k: number): Float64Array =>
  x.map((v, i) => k * Math.sin(v) * (i > 0 ? x[i - 1] : 1));
const pair = (x: number, y: number) => [x * y, x - y * y] as const;
const record = (p: { a: number; b: number[] }): { s: number; t: number[] } => ({
  s: p.a * p.b.reduce((sum, v) => sum + v, 0),
  t: p.b.map((v) => v * p.a),
});
const layer = <N extends Dim>(x: Tensor<[N], "f64">, w: Tensor<[3, N], "f64">) =>
  w.matmul(x).tanh();

const springForward = jvps(spring);
const springReverse = vjps(spring);
const bySpring = jvps(spring, { argnums: 1 });
const pairForward = jvps(pair, { argnums: 1 });
const pairReverse = vjps(pair);
const recordForward = jvps(record);
const recordReverse = vjps(record);
const layerForward = jvps(layer);
const layerReverse = vjps(layer, { argnums: 1 });
/** Inside compiled code: the squared length of J S, for two directions made there. */
const energy = compile((x: Float64Array, t: number) =>
  grad((y: Float64Array) => {
    const rows = [y.map((_, i) => i), y.map((_, i) => t - i)];
    let sum = 0;
    for (const row of jvps((z: Float64Array) => spring(z, 2))(rows, y)) {
      for (const v of row) sum += v * v;
    }
    return sum;
  })(x),
);
const before = (x: Float64Array, i: number) => (i > 0 ? x[i - 1] : 1);
const springAlong = (x: Float64Array, v: Float64Array, k: number) =>
  x.map((a, i) => k * Math.cos(a) * v[i] * before(x, i) + (i > 0 ? k * Math.sin(a) * v[i - 1] : 0));
const springBack = (x: Float64Array, w: Float64Array, k: number) =>
  x.map((a, i) => {
    const next = i + 1 < x.length ? k * Math.sin(x[i + 1]) * w[i + 1] : 0;
    return k * Math.cos(a) * w[i] * before(x, i) + next;
  });
const energyByHand = (x: Float64Array, t: number) => {
  const rows = [x.map((_, i) => i), x.map((_, i) => t - i)];
  return rows.flatMap((row) => [...springAlong(x, row, 2)]).reduce((sum, v) => sum + v * v, 0);
};

const x = Float64Array.of(0.3, -1.2, 2);
const rows = [Float64Array.of(1, 0, 2), Float64Array.of(0.5, 1, -1)];
const w = tensor(
  [1, 2, 3, 4, 5, 6].map((v) => v / 10),
  [3, 2],
  "f64",
);
const y = tensor([0.5, -0.2], [2], "f64");

export const main = () => ({
  springForward: springForward(rows, x, 2),
  springReverse: springReverse(rows, x, 2),
  bySpring: bySpring(Float64Array.of(1, 3), x, 2),
  pairForward: pairForward(Float64Array.of(1, 2), 3, 4),
  pairReverse: pairReverse([Float64Array.of(1, 0), Float64Array.of(0, 1)], 3, 4),
  recordForward: recordForward(
    {
      a: Float64Array.of(1, 0),
      b: [
        [0, 0],
        [1, 2],
      ],
    },
    { a: 3, b: [5, 7] },
  ),
  recordReverse: recordReverse({ s: Float64Array.of(1), t: [[1, 10]] }, { a: 3, b: [5, 7] }),
  layerForward: layerForward(tensor([1, 0, 0, 1], [2, 2], "f64"), y, w).shape,
  layerReverse: layerReverse(tensor([1, 0, 0, 0, 1, 0], [2, 3], "f64"), y, w).shape,
  slopes: energy(x, 0.7).map((slope, k) => {
    const h = 1e-5;
    const at = (t: number) => energyByHand(x.with(k, x[k] + t), 0.7);
    const byHand = (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
    return Math.abs(slope - byHand) < 1e-7 ? 1 : slope;
  }),
  none: springForward([], x, 2).length,
});

export const expected = () => ({
  springForward: rows.map((row) => springAlong(x, row, 2)),
  springReverse: rows.map((row) => springBack(x, row, 2)),
  bySpring: [1, 3].map((d) => spring(x, d)),
  pairForward: [Float64Array.of(3, 6), Float64Array.of(-8, -16)],
  pairReverse: Float64Array.of(4, 1),
  recordForward: {
    s: Float64Array.of(12, 9),
    t: [
      [5, 7],
      [3, 6],
    ],
  },
  recordReverse: { a: Float64Array.of(12 + 75), b: [[3 + 3, 3 + 30]] },
  layerForward: [2, 3],
  layerReverse: [2, 3, 2],
  slopes: Float64Array.of(1, 1, 1),
  none: 0,
});
export const tolerance = 1e-14;
