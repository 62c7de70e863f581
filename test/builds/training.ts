/** A small network that learns a function of the plane: what trains it, in any build. */

import { compile, type Tensor, tensor, valueAndGrad } from "fluxion";
import { type Dense, dense, initDense } from "fluxion/nn";
import { adam, initAdam } from "fluxion/optim";
import { type Key, key, split } from "fluxion/random";

interface Params {
  readonly first: Dense<2, 16>;
  readonly last: Dense<16, 1>;
}
type Points = Tensor<[48, 2]>;
type Values = Tensor<[48, 1]>;

function loss(p: Params, points: Points, values: Values): Tensor<[]> {
  const error = dense(p.last, dense(p.first, points).tanh()).sub(values);
  return error.mul(error).mean();
}

const init = compile(() => {
  const [a, b] = split(key(3), 2) as [Key, Key];
  const params: Params = { first: initDense(a, 2, 16), last: initDense(b, 16, 1) };
  return { params, state: initAdam(params) };
});

const step = compile(
  (p: Params, s: ReturnType<typeof initAdam<Params>>, points: Points, values: Values) => {
    const [value, gradient] = valueAndGrad(loss)(p, points, values);
    const next = adam(p, gradient, s, { learningRate: 1e-2 });
    return { loss: value, params: next.params, state: next.state };
  },
  { donateArgnums: [0, 1] },
);

/** Points that are others at each step, and the values to learn. */
function batch(number: number): readonly [Points, Values] {
  const at = Float32Array.from({ length: 96 }, (_, k) => Math.sin(37 * k + 11 * number));
  const to = Float32Array.from({ length: 48 }, (_, k) => at[2 * k]! * Math.cos(3 * at[2 * k + 1]!));
  return [tensor(at, [48, 2]) as Points, tensor(to, [48, 1]) as Values];
}

/** The loss of each step, as a tensor. */
export function* train(steps: number): Generator<Tensor<[]>> {
  let { params, state } = init();
  for (let k = 0; k < steps; k++) {
    const next = step(params, state, ...batch(k));
    ({ params, state } = next);
    yield next.loss;
  }
}
