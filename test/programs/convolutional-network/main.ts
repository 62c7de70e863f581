import { compile, conv2d, type Dim, maxPool2d, type Tensor, tensor, valueAndGrad } from "fluxion";
import { softmaxCrossEntropy } from "fluxion/nn";
import { sgd } from "fluxion/optim";

interface Params {
  readonly k1: Tensor<[5, 5, 1, 8]>;
  readonly k2: Tensor<[5, 5, 8, 16]>;
  readonly wd: Tensor<[784, 10]>;
  readonly b: Tensor<[10]>;
}

function loss<B extends Dim>(p: Params, x: Tensor<[B, 28, 28, 1]>, y: Tensor<[B], "i32">) {
  const h1 = maxPool2d(conv2d(x, p.k1, { padding: "same" }).relu(), 2);
  const h2 = maxPool2d(conv2d(h1, p.k2, { padding: "same" }).relu(), 2);
  const flat = h2.reshape([x.shape[0], 784]);
  return softmaxCrossEntropy(flat.matmul(p.wd).add(p.b), y).mean();
}

/** A step of training, at the sizes of an image of MNIST. */
const step = compile(
  <B extends Dim>(p: Params, x: Tensor<[B, 28, 28, 1]>, y: Tensor<[B], "i32">) => {
    const [value, gradient] = valueAndGrad(loss)(p, x, y);
    return { value, params: sgd(p, gradient, { learningRate: 0.01 }) };
  },
);

const wave = (count: number, scale: number) =>
  Float32Array.from({ length: count }, (_, k) => scale * Math.sin(1.7 * k + 0.3 * Math.sqrt(k)));

const trained = (batch: number) => {
  const params = {
    k1: tensor(wave(200, 0.2), [5, 5, 1, 8]),
    k2: tensor(wave(3200, 0.1), [5, 5, 8, 16]),
    wd: tensor(wave(7840, 0.05), [784, 10]),
    b: tensor(wave(10, 0.01), [10]),
  };
  const x = tensor(wave(batch * 784, 1), [batch, 28, 28, 1]);
  const y = tensor(
    Int32Array.from({ length: batch }, (_, k) => (3 * k + 1) % 10),
    [batch],
    "i32",
  );
  const { value, params: next } = step(params, x, y);
  const sums = (t: { dataSync(): ArrayLike<number> }) =>
    Array.from(t.dataSync()).reduce(([a, b], v, k) => [a + v, b + v * Math.cos(k)], [0, 0]);
  return [value.item(), sums(next.k1), sums(next.k2), sums(next.wd), sums(next.b)];
};

export const main = () => trained(3);
/** A batch that fills its buffers from the lowest addresses on: test/kernel/addresses.test.ts. */
export const many = () => trained(64);
export const tolerance = 1e-4;
