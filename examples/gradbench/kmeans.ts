/** GradBench `kmeans`: a step of Newton's method on the cost of a clustering. */

import { compile, grad, jvp } from "fluxion";
import { flat, plain, type Prepare, rows, type Runs, work } from "./problem.ts";

/** Rows of `d` numbers, one after the other. */
interface Rows {
  readonly values: Float64Array;
  readonly d: number;
}

function distance(a: Rows, row: number, b: Rows, other: number): number {
  let sum = 0;
  for (let j = 0; j < a.d; j++) {
    const difference = a.values[row * a.d + j] - b.values[other * b.d + j];
    sum += difference * difference;
  }
  return sum;
}

/** Which centroid is nearest to a point. */
function nearest(points: Rows, point: number, centroids: Rows): number {
  let best = 0;
  let least = Infinity;
  for (let k = 0; k < centroids.values.length / centroids.d; k++) {
    const squared = distance(points, point, centroids, k);
    if (squared < least) {
      best = k;
      least = squared;
    }
  }
  return best;
}

/** The squared distances of all points to the nearest centroid of each. */
export function clustering(centroids: Rows, points: Rows): number {
  let total = 0;
  for (let i = 0; i < points.values.length / points.d; i++) {
    total += distance(points, i, centroids, nearest(points, i, centroids));
  }
  return total;
}

/** The gradient over the diagonal of the Hessian, which has nothing beside its diagonal. */
export function newton(centroids: Rows, points: Rows): Float64Array {
  const { values, d } = centroids;
  const slope = grad((c: Float64Array) => clustering({ values: c, d }, points));
  const ones = new Float64Array(values.length).fill(1);
  const [gradient, curvature] = jvp(slope, [values], [ones]);
  return gradient.map((g, i) => g / curvature[i]);
}

export const value = compile(clustering, { reassociate: true });
export const step = compile(newton, { reassociate: true });

interface Input extends Runs {
  readonly points: readonly (readonly number[])[];
  readonly centroids: readonly (readonly number[])[];
}

function read(input: Input): readonly [centroids: Rows, points: Rows] {
  const d = input.centroids[0].length;
  return [
    { values: flat(input.centroids), d },
    { values: flat(input.points), d },
  ];
}

export const cost: Prepare<Input> = (input) => {
  const [centroids, points] = read(input);
  return work(() => value(centroids, points), plain);
};

export const dir: Prepare<Input> = (input) => {
  const [centroids, points] = read(input);
  return work(
    () => step(centroids, points),
    (result) => rows(result, input.centroids.length),
  );
};
