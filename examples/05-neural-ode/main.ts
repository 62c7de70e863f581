/** A neural network as the right-hand side of a differential equation, trained through the solver. */

import { compile, valueAndGrad } from "fluxion";
import { plot, savePicture } from "../plot.ts";
import { initialField, loss, solve } from "./model.ts";

const gradient = valueAndGrad(loss);
const solution = compile(solve);

/** The spiral y = e^(-t/5) (cos 2t, sin 2t). */
function spiral(steps: number, dt: number): Float64Array {
  const path = new Float64Array(2 * steps);
  for (let n = 0; n < steps; n++) {
    const t = (n + 1) * dt;
    path[2 * n] = Math.exp(-t / 5) * Math.cos(2 * t);
    path[2 * n + 1] = Math.exp(-t / 5) * Math.sin(2 * t);
  }
  return path;
}

const steps = 200;
const dt = 0.02;
const start = Float64Array.of(1, 0);
const target = spiral(steps, dt);
const names = ["w1", "b1", "w2", "b2"] as const;

let field = initialField(16);
const before = solution(field, start, steps, dt);
const mean = initialField(16);
const square = initialField(16);
for (const name of names) {
  mean[name].fill(0);
  square[name].fill(0);
}
for (let epoch = 1; epoch <= 300; epoch++) {
  const [value, slopes] = gradient(field, target, start, dt);
  if (epoch % 100 === 1 || epoch === 300) console.log(`step ${epoch}: loss ${value.toFixed(6)}`);
  // Adam, written out.
  const next = initialField(16);
  for (const name of names) {
    const [g, m, s] = [slopes[name], mean[name], square[name]];
    for (let k = 0; k < g.length; k++) {
      m[k] = 0.9 * m[k] + 0.1 * g[k];
      s[k] = 0.999 * s[k] + 0.001 * g[k] * g[k];
      const [mh, sh] = [m[k] / (1 - 0.9 ** epoch), s[k] / (1 - 0.999 ** epoch)];
      next[name][k] = field[name][k] - (0.02 * mh) / (Math.sqrt(sh) + 1e-8);
    }
  }
  field = next;
}

const points = (path: Float64Array): (readonly [number, number])[] =>
  Array.from({ length: path.length / 2 }, (_, n) => [path[2 * n], path[2 * n + 1]] as const);
savePicture(
  import.meta.url,
  "spiral.svg",
  plot(
    [
      { name: "target", points: points(target).filter((_, n) => n % 8 === 0), kind: "points" },
      { name: "before", points: points(before) },
      { name: "trained", points: points(solution(field, start, steps, dt)) },
    ],
    {
      title: "A neural field, trained through 200 Runge–Kutta steps",
      x: "u",
      y: "v",
      square: true,
    },
  ),
);
