import {
  compile,
  type Dim,
  grad,
  map,
  type Tensor,
  tensor,
  valueAndGrad,
  vmap,
  zeros,
} from "fluxion";

type Half<S extends readonly Dim[]> = Tensor<S, "f16">;
type Params = { w1: Half<[3, 8]>; b1: Half<[8]>; w2: Half<[8, 1]> };

/** Weights in half precision; all that is computed is single. */
function predict<B extends Dim>(p: Params, x: Tensor<[B, 3]>) {
  const h = x.matmul(p.w1.cast("f32")).add(p.b1.cast("f32")).tanh();
  return h.matmul(p.w2.cast("f32"));
}
function loss<B extends Dim>(p: Params, x: Tensor<[B, 3]>, y: Tensor<[B, 1]>) {
  return predict(p, x).sub(y).square().mean();
}
const forward = compile(<B extends Dim>(p: Params, x: Tensor<[B, 3]>) => predict(p, x));
const step = compile(
  <B extends Dim>(p: Params, x: Tensor<[B, 3]>, y: Tensor<[B, 1]>, rate: number) => {
    const [value, g] = valueAndGrad(loss)(p, x, y);
    return {
      value,
      params: {
        w1: p.w1.sub(g.w1.mul(rate)),
        b1: p.b1.sub(g.b1.mul(rate)),
        w2: p.w2.sub(g.w2.mul(rate)),
      },
    };
  },
);

/** All in halves: each operation rounds. */
const halves = compile((x: Half<[4, 6]>, v: Half<[6]>, scale: number) => ({
  sum: x.sum(),
  rows: x.sum(1),
  columns: x.max(0),
  mean: x.mean(),
  variance: x.variance(1),
  product: x.matmul(v),
  chain: x.mul(v).add(scale).exp().relu(),
  soft: x.softmax(),
  order: x.argmax(1),
  compared: x.greater(v),
  truncated: x.mul(3).cast("i32"),
  back: x.cast("i32").cast("f16"),
  turned: x.transpose(),
  part: x.slice(1, 1, 4),
  running: x.cumsum(0),
  mapped: map((e) => (e > 0 ? e * 2 + 0.1 : Math.sin(e)), v),
  none: zeros([2], "f16"),
  tests: tensor([0.1, 1e6], [2], "f16").isNaN(),
}));
const slopes = grad((x: Half<[4, 6]>, v: Half<[6]>) => x.matmul(v).mul(0.1).tanh().sum());
const mixed = compile((x: Half<[4, 6]>, d: Tensor<[6], "f64">) => x.cast("f64").mul(d).cast("f16"));
const each = compile((x: Half<[4, 6]>, v: Half<[6]>) =>
  vmap((row: Half<[6]>) => row.mul(v).sum())(x),
);

/** Arrays of integers and of halves become tensors of their own type. */
const made = compile((a: Float16Array, b: Int32Array, c: Float64Array) => ({
  a: tensor(a).mul(0.1),
  b: tensor(b),
  c: tensor(c),
  d: tensor(a, [3], "f32").mul(0.1),
}));
const carried = compile((w: Half<[6]>) => w.mul(0.5).add(1), { donateArgnums: [0] });

type Doubles<S extends readonly Dim[]> = Tensor<S, "f64">;
type Exact = { w1: Doubles<[3, 8]>; b1: Doubles<[8]>; w2: Doubles<[8, 1]> };
const exactStep = grad((p: Exact, x: Doubles<[5, 3]>, y: Doubles<[5, 1]>) =>
  x.matmul(p.w1).add(p.b1).tanh().matmul(p.w2).sub(y).square().mean(),
);
function exact(x: Params): Exact;
function exact<S extends readonly Dim[]>(x: Tensor<S>): Doubles<S>;
function exact(x: Params | Tensor<any>): unknown {
  if (!("w1" in x)) return x.cast("f64");
  return { w1: x.w1.cast("f64"), b1: x.b1.cast("f64"), w2: x.w2.cast("f64") };
}

const ramp = (n: number, phase = 0) =>
  Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + phase));

export const main = () => {
  const x = tensor(ramp(24), [4, 6], "f16");
  const v = tensor(new Float16Array(ramp(6, 1)));
  let params: Params = {
    w1: tensor(ramp(24), [3, 8], "f16"),
    b1: tensor(ramp(8, 2), [8], "f16"),
    w2: tensor(ramp(8, 3), [8, 1], "f16"),
  };
  const inputs = tensor(ramp(15), [5, 3]);
  const wanted = tensor(ramp(5, 4), [5, 1]);
  const first = forward(params, inputs);
  const losses: number[] = [];
  for (let k = 0; k < 40; k++) {
    const { value, params: next } = step(params, inputs, wanted, 0.1);
    losses.push(value.item());
    params = next;
  }
  // The gradient is that of a model of doubles with these weights.
  const same = step(params, inputs, wanted, 1).params;
  const wide = exactStep(exact(params), exact(inputs), exact(wanted));
  for (const name of ["w1", "b1", "w2"] as const) {
    const slopes = wide[name].dataSync();
    [...params[name].dataSync()].forEach((weight, k) => {
      const found = weight - same[name].dataSync()[k]!;
      if (!(Math.abs(found - slopes[k]!) < 1e-3)) throw new Error(`${name}[${k}]: ${found}`);
    });
  }
  const falls = losses.slice(1).filter((value, k) => value < losses[k]!).length;
  if (falls < 30 || losses[39]! > 0.3 * losses[0]!) throw new Error(`losses: ${losses}`);
  return {
    first,
    losses,
    dtypes: [params.w1.dtype, x.dtype, v.dtype, v.dataSync().constructor.name],
    halves: halves(x, v, 0.25),
    slopes: slopes(x, v),
    mixed: mixed(x, tensor(Float64Array.from(ramp(6)), [6], "f64")),
    each: each(x, v),
    made: made(Float16Array.of(1, 2, 3), Int32Array.of(4, 5), Float64Array.of(0.1)),
    carried: carried(carried(tensor(ramp(6), [6], "f16"))),
  };
};
export const tolerance = 2e-3;
