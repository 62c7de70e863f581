import { compile, grad, hessian, jvp, linearize, tensor, type Tensor, vjp } from "fluxion";

/** Arguments of roots that are not given: their defaults are constants. */
const half = 0.5;
const scaled = (x: number, y = 2) => x * y;
const compiled = compile(scaled);
const several = compile((x: number, y = -0, z = Infinity, w = half * 3) => [x / y, z, w * x]);
const switched = compile((x: number, up = true) => (up ? x + 1 : x - 1));
const sum = compile((x: Float64Array, from = 0, to = 3) =>
  x.slice(from, to).reduce((s, v) => s + v, 0),
);
const options = compile(
  (x: number, { tol, n }: { tol: number; n: number } = { tol: 1e-3, n: 4 }) => x * tol * n,
);
const weighted = compile((x: number, [a, b]: [number, number] = [3, 4]) => a * x + b);
const listed = compile((x: number, weights: number[] = [1, 2, 3]) =>
  weights.reduce((s, w) => s * x + w, 0),
);
const shifted = compile((x: Tensor<[2]>, by = 1) => x.add(by));
const middle = compile((x = 1, y: number) => x - y);

const power = (x: number, scale = 3) => scale * x ** 3;

export const main = () => {
  const slopes = grad(power);
  const inline = grad((x: number, y: number = 2, up: boolean = true) => (up ? x * x * y : 0));
  const second = hessian(power);
  const [value, pull] = vjp(power, 2);
  const [again, push] = linearize(power, 2, 5);
  return [
    results(),
    [slopes(2), slopes(2, 5), slopes(2, undefined)],
    [second(2), second(2, 5)],
    [inline(3), inline(3, 1), inline(3, 1, false)],
    [value, pull(1)],
    [again, push(1, 0), push(0, 1)],
    [jvp(power, [2], [1]), jvp(power, [2, 5], [1, 1])],
  ];
};

const results = () => [
  [compiled(3), compiled(3, 5), compiled(3, undefined)],
  [several(3), several(3, 2), several(3, 2, 1, 0)],
  [switched(1), switched(1, false)],
  [sum(Float64Array.of(1, 2, 3, 4)), sum(Float64Array.of(1, 2, 3, 4), 1)],
  [options(2), options(2, { tol: 1, n: 2 })],
  [weighted(2), weighted(2, [1, 1])],
  [listed(2), listed(2, [1, 1])],
  [shifted(tensor([1, 2])), shifted(tensor([1, 2]), 3)],
  [middle(undefined, 3), middle(5, 3)],
];

export const expected = () => [
  results(),
  [36, 60, 36],
  [36, 60],
  [12, 6, 0],
  [24, [36]],
  [40, 60, 8],
  [
    [24, 36],
    [40, 68],
  ],
];
