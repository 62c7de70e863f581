/** The derivative of a solution, from its equation: Newton's iteration is not differentiated. */

import { implicit } from "fluxion";

/** Kepler's equation E - e sin E = M: the eccentric anomaly E at the mean anomaly M. */
function residual(anomaly: number, mean: number, eccentricity: number): number {
  return anomaly - eccentricity * Math.sin(anomaly) - mean;
}

/** Newton's iteration, until it stands still. */
export function newton(mean: number, eccentricity: number): number {
  let anomaly = mean;
  let change = 1;
  while (Math.abs(change) > 1e-14) {
    change =
      (anomaly - eccentricity * Math.sin(anomaly) - mean) / (1 - eccentricity * Math.cos(anomaly));
    anomaly -= change;
  }
  return anomaly;
}

export const anomaly = implicit(residual, newton);

/** How far a planet is from its sun, in units of the semi-major axis: 1 - e cos E. */
export function distance(mean: number, eccentricity: number): number {
  return 1 - eccentricity * Math.cos(anomaly(mean, eccentricity));
}
