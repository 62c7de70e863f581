import {
  checkpoint,
  compile,
  customJvp,
  customVjp,
  grad,
  implicit,
  tensor,
  type Tensor,
  vmap,
} from "fluxion";

/** Rules on tensors, in recursion, in maps and loops, on records. */
const square = customVjp((x: Tensor<[3]>) => x.mul(x), {
  fwd: (x) => [x.mul(x), x],
  bwd: (x, w) => [w.mul(x).mul(2)],
});
const onTensors = compile((x: Tensor<[3]>) => grad((y: Tensor<[3]>) => square(y).sum())(x));

interface Layer {
  readonly w: Tensor<[3, 3]>;
  readonly b: Tensor<[3]>;
}
const plainLayer = (p: Layer, x: Tensor<[3]>) =>
  x.reshape([1, 3]).matmul(p.w).reshape([3]).add(p.b).tanh();
const layer = checkpoint(plainLayer);
const onRecords = compile((p: Layer, x: Tensor<[3]>) =>
  grad((q: Layer) => layer(q, layer(q, x)).sum())(p),
);

const nested = (x: number, n: number): number => {
  const f = (k: number): number => (k <= 0 ? x : Math.sin(f(k - 1)) * x);
  return f(n);
};
const recomputed = checkpoint(nested);
const aroundRecursion = compile((x: number, n: number) => grad(recomputed)(x, n));

const relu = customJvp(
  (x: number) => (x > 0 ? x : 0),
  ([x], [dx]) => [x > 0 ? x : 0, x > 0 ? dx : 0],
);
function deep(x: number, n: number): number {
  return n <= 0 ? x : relu(deep(x, n - 1) * 1.1 - 0.01);
}
const inRecursion = compile((x: number, n: number) => [grad(deep)(x, n), deep(x, n)]);

interface Pair {
  readonly a: number;
  readonly b: number;
}
const solve = ({ a, b }: Pair) => {
  let x = 0;
  for (let i = 0; i < 200; i++) x = a * Math.cos(x) + b;
  return x;
};
const fixed = implicit((x: number, { a, b }: Pair) => x - a * Math.cos(x) - b, solve);
const inLoop = compile((x: number, n: number) =>
  grad((t: number) => {
    let s = t;
    for (let i = 0; i < n; i++) s = fixed({ a: 0.5, b: s * 0.1 });
    return s;
  })(x),
);
const mapped = compile((xs: Float64Array) => ({
  batch: vmap((x: number) => fixed({ a: x, b: 0.1 }))(xs),
  slopes: grad((ys: Float64Array) =>
    ys.map((y) => fixed({ a: y, b: 0.1 })).reduce((s, v) => s + v, 0),
  )(xs),
}));

const parameters = (): readonly [Layer, Tensor<[3]>] => [
  {
    w: tensor([
      [0.1, 0.2, 0.3],
      [0.4, 0.5, 0.6],
      [0.7, 0.8, 0.9],
    ]),
    b: tensor([0, 0.1, 0]),
  },
  tensor([1, 2, 3]),
];

export const main = () => [
  onTensors(tensor([1, 2, 3])),
  onRecords(...parameters()),
  aroundRecursion(0.7, 4),
  inRecursion(0.5, 3),
  inLoop(0.3, 3),
  mapped(new Float64Array([0.2, 0.5])),
];

/** Where a rule says nothing else, the derivative is that of the function. */
export const expected = () => {
  const [p, x] = parameters();
  const slope = (f: (t: number) => number, t: number) => (f(t + 1e-5) - f(t - 1e-5)) / 2e-5;
  const looped = (t: number) => {
    let s = t;
    for (let i = 0; i < 3; i++) s = solve({ a: 0.5, b: s * 0.1 });
    return s;
  };
  const at = (a: number) => solve({ a, b: 0.1 });
  return [
    tensor([2, 4, 6]),
    grad((q: Layer) => plainLayer(q, plainLayer(q, x)).sum())(p),
    slope((t) => nested(t, 4), 0.7),
    [1.1 ** 3, deep(0.5, 3)],
    slope(looped, 0.3),
    {
      batch: new Float64Array([at(0.2), at(0.5)]),
      slopes: new Float64Array([slope(at, 0.2), slope(at, 0.5)]),
    },
  ];
};
export const tolerance = 1e-6;
