import { compile, type Dim, matmul, softmax, type Tensor, tensor, valueAndGrad } from "fluxion";

type Params = { w1: Tensor<[3, 4]>; b1: Tensor<[4]>; w2: Tensor<[4, 2]> };

function predict<B extends Dim>(p: Params, x: Tensor<[B, 3]>) {
  const h = x.matmul(p.w1).add(p.b1);
  const active = h.mul(h.tanh()).add(h.mul(0.1));
  return softmax(matmul(active, p.w2));
}
function loss<B extends Dim>(p: Params, x: Tensor<[B, 3]>) {
  return predict(p, x).log().mean().neg();
}
const forward = compile(<B extends Dim>(p: Params, x: Tensor<[B, 3]>) => predict(p, x));
const train = compile(<B extends Dim>(p: Params, x: Tensor<[B, 3]>, rate: number) => {
  const [value, g] = valueAndGrad(loss)(p, x);
  return { value, w1: p.w1.sub(g.w1.mul(rate)), batch: x.shape[0], rows: x.shape.length };
});

const ramp = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(i * 1.7));
const params = (): Params => ({
  w1: tensor(ramp(12), [3, 4]),
  b1: tensor(ramp(4), [4]),
  w2: tensor(ramp(8), [4, 2]),
});

export const main = () => {
  const p = params();
  const x = tensor(ramp(6), [2, 3]);
  return [forward(p, x), forward(p, tensor(ramp(15), [5, 3])), train(p, x, 0.1)];
};
export const tolerance = 1e-4;
