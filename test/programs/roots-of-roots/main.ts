import {
  checkpoint,
  compile,
  customJvp,
  customVjp,
  grad,
  hessian,
  hvp,
  jacfwd,
  jvp,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { slopeOfCube } from "./other.ts";

/** Roots of functions that are roots themselves, by the name of a constant. */
const f = (x: number, scale = 2) => scale * x ** 4;
const first = grad(f);
const second = grad(first);
const third = grad(second);
const compiled = compile(second);
const bent = compile(hessian(first));
const both = valueAndGrad(first);
const fast = compile(f, { target: "js" });
const ofCompiled = grad(fast);
const imported = grad(slopeOfCube);

const squares = (x: Float64Array) => x.reduce((sum, v) => sum + v ** 3, 0);
const gradient = grad(squares);
const jacobian = jacfwd(gradient);
const along = hvp(squares);
const alongAgain = compile(along);
const many = vmap(first);
const manyAgain = compile(many);

const softplus = customJvp(
  (x: number) => Math.log1p(Math.exp(x)),
  ([x], [dx]) => [Math.log1p(Math.exp(x)), dx / (1 + Math.exp(-x))],
);
const sigmoid = grad(softplus);
const doubled = customVjp((x: number) => x * x, {
  fwd: (x) => [x * x, x],
  bwd: (x, w) => [w * 4 * x],
});
const four = grad(doubled);
const kept = checkpoint((x: number) => Math.sin(x) * x);
const cosine = grad(kept);

export const tolerance = 1e-12;
export const main = () => {
  const x = Float64Array.of(1, 2);
  const [value, pull] = vjp(second, 3);
  return [
    [first(3), second(3), third(3), compiled(3), bent(3), second(3, 1)],
    both(3),
    ofCompiled(3),
    imported(2),
    [gradient(x), jacobian(x), along(x, x), alongAgain(x, x)],
    [many(x, x), manyAgain(x, x)],
    [sigmoid(0), four(3), cosine(0.5)],
    [jvp(first, [3], [1]), value, pull(1)],
  ];
};

export const expected = () => [
  [216, 216, 144, 216, 144, 108],
  [216, 216],
  216,
  12,
  [
    Float64Array.of(3, 12),
    [Float64Array.of(6, 0), Float64Array.of(0, 12)],
    Float64Array.of(6, 24),
    Float64Array.of(6, 24),
  ],
  [Float64Array.of(4, 64), Float64Array.of(4, 64)],
  [0.5, 12, Math.cos(0.5) * 0.5 + Math.sin(0.5)],
  [[216, 216], 216, [144]],
];
