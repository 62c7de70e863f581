/** Sorting is differentiable where no two numbers are equal: the gradient finds its way back. */

import { compile, grad } from "fluxion";
import { plot, savePicture } from "../plot.ts";
import { robustLoss, sorted, trimmedMean } from "./model.ts";

const sort = compile(sorted);
console.log(`sorted: ${sort(Float64Array.of(3, -1, 4, 1.5, -5, 9, 2.6)).join(", ")}`);
const influence = grad(trimmedMean)(Float64Array.of(3, -1, 4, 1.5, -5, 9, 2.6, 5));
console.log(
  `who counts in the trimmed mean: ${Array.from(influence, (g) => g.toFixed(2)).join(", ")}`,
);

const count = 40;
const xs = Float64Array.from({ length: count }, (_, k) => k / 10);
const ys = xs.map((x, k) => 1.2 * x - 0.5 + 0.15 * Math.sin(k * k) + (k % 6 === 0 ? 4 : 0));
const slope = grad(robustLoss);
let line = Float64Array.of(0, 0);
for (let round = 0; round < 400; round++) {
  const [a, b] = slope(line, xs, ys);
  line = Float64Array.of(line[0] - 0.05 * a, line[1] - 0.05 * b);
}
console.log(`line: ${line[0].toFixed(3)} x + ${line[1].toFixed(3)}, made from 1.2 x - 0.5`);

savePicture(
  import.meta.url,
  "line.svg",
  plot(
    [
      { name: "line", points: [0, 3.9].map((x) => [x, line[0] * x + line[1]] as const) },
      { name: "points", points: Array.from(xs, (x, k) => [x, ys[k]] as const), kind: "points" },
    ],
    { title: "A line fitted through a sorting network", x: "x", y: "y" },
  ),
);
