/** The derivative of a solution, from its equation: Newton's iteration is not differentiated. */

import { grad } from "fluxion";
import { plot, savePicture } from "../plot.ts";
import { distance, newton } from "./model.ts";

const slopes = grad(distance, { argnums: [0, 1] });

for (const mean of [0.5, 1.5, 2.5]) {
  const [byMean, byEccentricity] = slopes(mean, 0.6);
  // From dE/dM = 1 / (1 - e cos E) by hand.
  const e = newton(mean, 0.6);
  const byHand = (0.6 * Math.sin(e)) / (1 - 0.6 * Math.cos(e));
  console.log(
    `M = ${mean}: d/dM ${byMean.toFixed(10)} (by hand ${byHand.toFixed(10)}),`,
    `d/de ${byEccentricity.toFixed(10)}`,
  );
}

const means = Array.from({ length: 121 }, (_, k) => (k / 120) * 2 * Math.PI);
savePicture(
  import.meta.url,
  "kepler.svg",
  plot(
    [
      { name: "d distance / d M", points: means.map((m) => [m, slopes(m, 0.6)[0]] as const) },
      { name: "d distance / d e", points: means.map((m) => [m, slopes(m, 0.6)[1]] as const) },
    ],
    { title: "Slopes of the distance of a planet, e = 0.6", x: "mean anomaly M", y: "slope" },
  ),
);
