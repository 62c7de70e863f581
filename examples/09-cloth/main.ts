/** A hanging cloth of masses and springs; the gradient finds the wind that shaped it. */

import { compile, valueAndGrad } from "fluxion";
import { plot, savePicture } from "../plot.ts";
import { drape, loss, side } from "./model.ts";

const slopes = valueAndGrad(loss);
const hang = compile(drape);

const steps = 150;
const truth = Float64Array.from({ length: side }, (_, row) => 0.4 * Math.sin(row));
const seen = hang(truth, steps);
let wind = new Float64Array(side);
const calm = hang(wind, steps);
for (let round = 0; round <= 800; round++) {
  const [value, gradient] = slopes(wind, seen, steps);
  if (round % 200 === 0) console.log(`round ${round}: loss ${value.toExponential(3)}`);
  wind = wind.map((w, k) => w - 20 * gradient[k]);
}
console.log(`wind found: ${Array.from(wind, (w) => w.toFixed(3)).join(", ")}`);
console.log(`wind there: ${Array.from(truth, (w) => w.toFixed(3)).join(", ")}`);

const masses = (x: Float64Array): (readonly [number, number])[] =>
  Array.from({ length: side * side }, (_, k) => [x[2 * k], x[2 * k + 1]] as const);
savePicture(
  import.meta.url,
  "cloth.svg",
  plot(
    [
      { name: "no wind", points: masses(calm), kind: "points" },
      { name: "seen", points: masses(seen), kind: "points" },
      { name: "found", points: masses(hang(wind, steps)), kind: "rings" },
    ],
    { title: "A cloth, and the wind that its shape tells", x: "x", y: "y", square: true },
  ),
);
