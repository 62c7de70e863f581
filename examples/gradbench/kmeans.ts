/** GradBench `kmeans`: a step of Newton's method on the cost of a clustering. */

import { compile, grad, hvp } from "fluxion";
import { flat, plain, type Prepare, rows, type Runs, work } from "./problem.ts";

/** The squared distances of the points to the nearest centroid of each; rows of `d` numbers. */
export function clustering(centroids: Float64Array, points: Float64Array, d: number): number {
  let total = 0;
  for (let point = 0; point < points.length; point += d) {
    let nearest = Infinity;
    for (let centroid = 0; centroid < centroids.length; centroid += d) {
      let distance = 0;
      for (let j = 0; j < d; j++) {
        const difference = points[point + j] - centroids[centroid + j];
        distance += difference * difference;
      }
      nearest = Math.min(nearest, distance);
    }
    total += nearest;
  }
  return total;
}

/** The gradient over the diagonal of the Hessian, which has nothing beside its diagonal. */
export function newton(centroids: Float64Array, points: Float64Array, d: number): Float64Array {
  const of = (c: Float64Array) => clustering(c, points, d);
  const slope = grad(of)(centroids);
  const curvature = hvp(of)(centroids, new Float64Array(centroids.length).fill(1));
  return slope.map((s, i) => s / curvature[i]);
}

export const value = compile(clustering);
export const step = compile(newton);

interface Input extends Runs {
  readonly points: readonly (readonly number[])[];
  readonly centroids: readonly (readonly number[])[];
}

export const cost: Prepare<Input> = (input) => {
  const [points, centroids] = [flat(input.points), flat(input.centroids)];
  const d = input.centroids[0].length;
  return work(() => value(centroids, points, d), plain);
};

export const dir: Prepare<Input> = (input) => {
  const [points, centroids] = [flat(input.points), flat(input.centroids)];
  const count = input.centroids.length;
  const d = input.centroids[0].length;
  return work(
    () => step(centroids, points, d),
    (result) => rows(result, count),
  );
};
