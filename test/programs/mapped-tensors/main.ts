import { compile, grad, map, type Tensor, tensor } from "fluxion";

/** A function over the elements of two tensors, and the gradient with respect to both. */
const mixed = <N extends number>(x: Tensor<[N]>, y: Tensor<[N]>) =>
  map((a, b) => (a > b ? a * Math.sin(b) : b * b + a), x, y);
const values = compile(<N extends number>(x: Tensor<[N]>, y: Tensor<[N]>) => mixed(x, y));
const slopes = compile(<N extends number>(x: Tensor<[N]>, y: Tensor<[N]>) =>
  grad((s: Tensor<[N]>, t: Tensor<[N]>) => mixed(s, t).sum(), { argnums: [0, 1] })(x, y),
);

const x = tensor([1, 2, 0.5], [3]);
const y = tensor([2, 1, 0.25], [3]);
export const main = () => [values(x, y), slopes(x, y)];

export const expected = () => {
  const [a, b] = [x.dataSync(), y.dataSync()];
  const each = (f: (p: number, q: number) => number) =>
    tensor(
      Array.from(a, (p, k) => f(p, b[k]!)),
      [3],
    );
  return [
    each((p, q) => (p > q ? p * Math.sin(q) : q * q + p)),
    [each((p, q) => (p > q ? Math.sin(q) : 1)), each((p, q) => (p > q ? p * Math.cos(q) : 2 * q))],
  ];
};
export const tolerance = 1e-6;
