/** Newton's method on a boundary value problem: three directions tell the whole Jacobian. */

import { compile, jacfwd, sparseJacobian, sparsity } from "fluxion";
import { plot, savePicture } from "../plot.ts";
import { residual, solveTridiagonal } from "./model.ts";

const value = compile(residual);
const pattern = sparsity(residual);
const jacobian = sparseJacobian(residual);
const dense = jacfwd(residual);

const ends = { left: 1, right: 0.2 };
const wind = 40;
const heater = (n: number): Float64Array =>
  Float64Array.from(
    { length: n },
    (_, i) => 60 * Math.exp(-(((i + 1) / (n + 1) - 0.3) ** 2) * 200),
  );

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));

/** Newton's steps with the step halved until the residual falls. */
function solve(n: number): Float64Array {
  const source = heater(n);
  let u = Float64Array.from({ length: n }, (_, i) => 1 - (0.8 * (i + 1)) / (n + 1));
  const entries = pattern(u, source, wind, ends);
  const { count } = entries.colouring(entries.cheapest());
  console.log(`${n} unknowns, ${entries.columns.length} entries, ${count} directions`);
  let r = value(u, source, wind, ends);
  for (let step = 1; norm(r) > 1e-8 * n ** 2 && step <= 50; step++) {
    const { values } = jacobian(entries, u, source, wind, ends);
    const change = solveTridiagonal(values, r);
    let size = 1;
    let next = u;
    let rest = r;
    do {
      next = u.map((v, i) => v - size * change[i]);
      rest = value(next, source, wind, ends);
      size /= 2;
    } while (norm(rest) >= norm(r) && size > 1e-6);
    [u, r] = [next, rest];
    console.log(`  step ${step}: residual ${norm(r).toExponential(2)}`);
  }
  return u;
}

/** The best of a few runs, in ms. */
function time(f: () => unknown): number {
  const runs = Array.from({ length: 5 }, () => {
    const start = performance.now();
    f();
    return performance.now() - start;
  });
  return Math.min(...runs);
}

const small = solve(400);
const source = heater(small.length);
const entries = pattern(small, source, wind, ends);
const sparse = time(() => jacobian(entries, small, source, wind, ends));
const full = time(() => dense(small, source, wind, ends));
console.log(`400 unknowns: ${sparse.toFixed(2)} ms by colours, ${full.toFixed(2)} ms in full`);
const large = solve(100_000);

const curve = (u: Float64Array): (readonly [number, number])[] => {
  const stride = Math.max(1, Math.floor(u.length / 400));
  const inner = Array.from({ length: Math.ceil(u.length / stride) }, (_, k) => {
    const i = k * stride;
    return [(i + 1) / (u.length + 1), u[i]] as const;
  });
  return [[0, ends.left], ...inner, [1, ends.right]];
};
savePicture(
  import.meta.url,
  "temperature.svg",
  plot(
    [
      { name: "400 cells", points: curve(small).filter((_, k) => k % 10 === 0), kind: "points" },
      { name: "100000 cells", points: curve(large) },
    ],
    { title: "Temperatures along a heated rod in the wind", x: "position", y: "temperature" },
  ),
);
