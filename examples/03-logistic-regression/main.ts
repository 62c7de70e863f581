/** Logistic regression on tensors: shapes are types, and one program serves every batch size. */

import { compile, type Dim, type Tensor, tensor, valueAndGrad } from "fluxion";
import { sigmoidCrossEntropy } from "fluxion/nn";
import { sgd } from "fluxion/optim";

type Params = { w: Tensor<[2]>; b: Tensor<[]> };

function logits<N extends Dim>(p: Params, x: Tensor<[N, 2]>): Tensor<[N]> {
  return x.matmul(p.w).add(p.b);
}

function loss<N extends Dim>(p: Params, x: Tensor<[N, 2]>, y: Tensor<[N]>) {
  return sigmoidCrossEntropy(logits(p, x), y).mean();
}

const step = compile(<N extends Dim>(p: Params, x: Tensor<[N, 2]>, y: Tensor<[N]>) => {
  const [value, gradient] = valueAndGrad(loss)(p, x, y);
  return { value, params: sgd(p, gradient, { learningRate: 0.5 }) };
});

const accuracy = compile(<N extends Dim>(p: Params, x: Tensor<[N, 2]>, y: Tensor<[N]>) =>
  logits(p, x).greater(0).equal(y.greater(0.5)).cast("f32").mean(),
);

/** Points in the plane; those above the line 2x - y + 0.3 = 0 are class 1. */
function points(count: number, phase: number) {
  const x = new Float32Array(count * 2);
  const y = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    const u = Math.sin(k * 3.7 + phase) * 2;
    const v = Math.cos(k * 5.3 + phase) * 2;
    x.set([u, v], k * 2);
    y[k] = 2 * u - v + 0.3 > 0 ? 1 : 0;
  }
  return { x: tensor(x, [count, 2]), y: tensor(y, [count]) };
}

const train = points(500, 0);
const test = points(123, 1);
let params: Params = { w: tensor([0, 0], [2]), b: tensor(0, []) };
for (let epoch = 1; epoch <= 200; epoch++) {
  const next = step(params, train.x, train.y);
  params = next.params;
  if (epoch % 50 === 0) {
    const [value] = await next.value.data();
    console.log(`step ${epoch}: loss ${value.toFixed(4)}`);
  }
}
const w = Array.from(await params.w.data(), (weight) => weight.toFixed(2));
const [b] = await params.b.data();
console.log(`w = ${w.join(", ")}, b = ${b.toFixed(2)}`);
const [right] = await accuracy(params, test.x, test.y).data();
console.log(`accuracy on 123 new points: ${(100 * right).toFixed(1)} %`);
