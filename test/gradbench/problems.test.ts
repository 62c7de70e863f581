/** The answers of the adapter against the plain functions and differences of them. */

import { beforeAll, describe, expect, test } from "vitest";
import { residual } from "../../examples/gradbench/ba.ts";
import { determinant } from "../../examples/gradbench/det.ts";
import { logPosterior } from "../../examples/gradbench/gmm.ts";
import { handOf, toTriangles, toVertices } from "../../examples/gradbench/ht.ts";
import { clustering } from "../../examples/gradbench/kmeans.ts";
import { error } from "../../examples/gradbench/llsq.ts";
import { logSumExp } from "../../examples/gradbench/lse.ts";
import { loss } from "../../examples/gradbench/lstm.ts";
import { last, solve } from "../../examples/gradbench/ode.ts";
import * as data from "./data.ts";
import { differences, expectClose, slope, transpose } from "./oracle.ts";
import { type Answer, converse, message } from "./session.ts";

/** What is asked: the module, its function, the input. */
const questions: (readonly [module: string, name: string, input: unknown])[] = [
  ["hello", "square", 3],
  ["hello", "double", 3],
  ["llsq", "primal", data.llsq],
  ["llsq", "gradient", data.llsq],
  ["lse", "primal", data.lse],
  ["lse", "gradient", data.lse],
  ["det", "primal", data.det],
  ["det", "gradient", data.det],
  ["ode", "primal", data.ode],
  ["ode", "gradient", data.ode],
  ["lstm", "objective", data.lstm],
  ["lstm", "jacobian", data.lstm],
  ["gmm", "objective", data.gmm],
  ["gmm", "jacobian", data.gmm],
  ["ba", "objective", data.ba],
  ["ba", "jacobian", data.ba],
  ["ht", "objective", data.htVertices],
  ["ht", "jacobian", data.htVertices],
  ["ht", "objective", data.htTriangles],
  ["ht", "jacobian", data.htTriangles],
  ["ht", "jacobian", data.htStill],
  ["kmeans", "cost", data.kmeans],
  ["kmeans", "dir", data.kmeans],
  ...["ff", "fr", "rf", "rr"].flatMap(
    (mode) =>
      [
        ["particle", mode, { w: 0 }],
        ["saddle", mode, { start: [1, 1] }],
      ] as const,
  ),
];

let answers: readonly Answer[] = [];

beforeAll(async () => {
  const lines = questions.map(([module, name, input], id) =>
    message({ id, kind: "evaluate", module, function: name, input }),
  );
  ({ answers } = await converse(lines));
});

function answer(module: string, name: string, input?: unknown): unknown {
  const at = questions.findIndex(
    (asked) => asked[0] === module && asked[1] === name && (input ?? asked[2]) === asked[2],
  );
  const found = answers[at];
  expect(found?.error).toBeUndefined();
  expect(found?.id).toBe(at);
  return found?.output;
}

const flat = (rows: readonly (readonly number[])[]) => Float64Array.from(rows.flat());

test("hello", () => {
  expect(answer("hello", "square")).toBe(9);
  expect(answer("hello", "double")).toBe(6);
});

test("llsq", () => {
  const x = Float64Array.from(data.llsq.x);
  expectClose(answer("llsq", "primal"), error(x, data.llsq.n));
  expectClose(
    answer("llsq", "gradient"),
    slope(() => error(x, data.llsq.n), x),
  );
});

test("lse: the gradient is the softmax", () => {
  const x = Float64Array.from(data.lse.x);
  const value = logSumExp(x);
  expectClose(answer("lse", "primal"), value);
  expectClose(
    answer("lse", "gradient"),
    Array.from(x, (each) => Math.exp(each - value)),
  );
});

test("det", () => {
  const a = Float64Array.from(data.det.A);
  const value = determinant(a, data.det.ell);
  expectClose(value, eliminated(data.det.A, data.det.ell));
  expectClose(answer("det", "primal"), value);
  expectClose(
    answer("det", "gradient"),
    slope(() => determinant(a, data.det.ell), a),
  );
});

/** A determinant by elimination. */
function eliminated(values: readonly number[], size: number): number {
  const rows = Array.from({ length: size }, (_, k) => values.slice(k * size, (k + 1) * size));
  let product = 1;
  for (let k = 0; k < size; k++) {
    const pivot = rows[k][k];
    product *= pivot;
    for (let row = k + 1; row < size; row++) {
      const factor = rows[row][k] / pivot;
      for (let j = k; j < size; j++) rows[row][j] -= factor * rows[k][j];
    }
  }
  return product;
}

test("ode", () => {
  const x = Float64Array.from(data.ode.x);
  const { s } = data.ode;
  expectClose(answer("ode", "primal"), [...solve(x, s)]);
  // The last component does not reach the start in so few steps.
  const short = answer("ode", "gradient");
  expectClose(
    short,
    slope(() => last(x, s), x),
  );
});

test("lstm", () => {
  const weights = { layers: flat(data.lstm.main_params), ends: flat(data.lstm.extra_params) };
  const text = {
    state: flat(data.lstm.state),
    characters: flat(data.lstm.sequence),
    width: data.lstm.extra_params[0].length,
  };
  const f = () => loss(weights, text);
  expectClose(answer("lstm", "objective"), f());
  expectClose(answer("lstm", "jacobian"), [...slope(f, weights.layers), ...slope(f, weights.ends)]);
});

test("gmm", () => {
  const { d, m, gamma, k } = data.gmm;
  const mixture = {
    alpha: Float64Array.from(data.gmm.alpha),
    mu: flat(data.gmm.mu),
    q: flat(data.gmm.q),
    l: flat(data.gmm.l),
  };
  const f = () => logPosterior(mixture, { d, m, gamma, x: flat(data.gmm.x) });
  const rows = (values: readonly number[]) =>
    Array.from({ length: k }, (_, row) =>
      values.slice((row * values.length) / k, ((row + 1) * values.length) / k),
    );
  expectClose(answer("gmm", "objective"), f());
  expectClose(answer("gmm", "jacobian"), {
    alpha: slope(f, mixture.alpha),
    mu: rows(slope(f, mixture.mu)),
    q: rows(slope(f, mixture.q)),
    l: rows(slope(f, mixture.l)),
  });
});

test("gmm: the constant of the prior, by factorials", () => {
  // One dimension, m = 0: ν = 2, log Γ₁(1) = 0.
  const none = new Float64Array(0);
  const mixture = {
    alpha: Float64Array.of(0),
    mu: Float64Array.of(0),
    q: Float64Array.of(0),
    l: none,
  };
  const value = logPosterior(mixture, { d: 1, m: 0, gamma: 1, x: none });
  expectClose(value, 2 * Math.log(Math.SQRT1_2) - 0.5);
});

describe("ba", () => {
  const { n, m, p, cam, x, w, feat } = data.ba;
  const block = Float64Array.from([...cam, ...x, w]);
  const f = () => {
    const [r0, r1, r2, c0, c1, c2, focus, p0, p1, k1, k2, x0, x1, x2, weight] = block;
    return residual(
      {
        rotation: [r0, r1, r2],
        centre: [c0, c1, c2],
        focus: focus,
        principal: [p0, p1],
        distortion: [k1, k2],
      },
      [x0, x1, x2],
      weight,
      [feat[0], feat[1]],
    );
  };

  test("errors", () => {
    expectClose(answer("ba", "objective"), {
      reproj_error: { elements: [...f()], repeated: p },
      w_err: { element: 1 - w * w, repeated: p },
    });
  });

  test("the blocks of the Jacobian", () => {
    const entries = transpose(differences(() => f(), block, { step: 1e-3 })).flat();
    const { rows, cols, vals } = answer("ba", "jacobian") as Record<string, readonly number[]>;
    expectClose(vals.slice(0, 30), entries);
    expectClose(vals[30], -2 * w);
    expect(vals).toHaveLength(31);
    expect(rows).toEqual([...Array.from({ length: 30 }, (_, k) => starts(k)), 31 * p]);
    const camera = Array.from({ length: 11 }, (_, k) => k);
    const point = [0, 1, 2].map((k) => 11 * n + k);
    const row = [...camera, ...point, 11 * n + 3 * m];
    expect(cols).toEqual([...row, ...row, 11 * n + 3 * m + p - 1]);
  });

  /** Rows of the projections have 15 entries, those of the weights one. */
  const starts = (row: number) => (row <= 2 * p ? 15 * row : 30 * p + row - 2 * p);
});

describe("ht", () => {
  const checked = (input: typeof data.htVertices) => {
    const theta = Float64Array.from(input.theta);
    const us = flat(input.us);
    const { hand, measured } = handOf(input);
    const f = () =>
      us.length === 0
        ? [...toVertices(theta, hand, measured)]
        : [...toTriangles(theta, us, hand, measured)];
    return { theta, us, f };
  };

  test("vertices", () => {
    const { theta, f } = checked(data.htVertices);
    expectClose(answer("ht", "objective", data.htVertices), f());
    const expected = transpose(differences(f, theta));
    expectClose(answer("ht", "jacobian", data.htVertices), expected);
  });

  test("triangles: a place in its own columns", () => {
    const { theta, us, f } = checked(data.htTriangles);
    expectClose(answer("ht", "objective", data.htTriangles), f());
    const [byPlace, byTheta] = [differences(f, us), transpose(differences(f, theta))];
    const expected = byTheta.map((row, i) => {
      const own = 2 * Math.floor(i / 3);
      return [byPlace[own][i], byPlace[own + 1][i], ...row];
    });
    expectClose(answer("ht", "jacobian", data.htTriangles), expected);
  });

  test("a hand that is not turned", () => {
    const { theta, f } = checked(data.htStill);
    const expected = transpose(differences(f, theta));
    const found = answer("ht", "jacobian", data.htStill) as readonly (readonly number[])[];
    const still = found.map((row) => row.slice(2, 5));
    expect(still.flat().every((value) => value === 0)).toBe(true);
    expectClose(
      found.map((row) => row.slice(5)),
      expected.map((row) => row.slice(3)),
    );
  });
});

test("kmeans: from the mean of its points to a centroid", () => {
  const { points, centroids } = data.kmeans;
  expectClose(
    answer("kmeans", "cost"),
    clustering({ values: flat(centroids), d: 3 }, { values: flat(points), d: 3 }),
  );
  const distance = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0);
  const nearest = points.map((point) => {
    const distances = centroids.map((centroid) => distance(point, centroid));
    return distances.indexOf(Math.min(...distances));
  });
  const expected = centroids.map((centroid, k) => {
    const own = points.filter((_, i) => nearest[i] === k);
    expect(own.length).toBeGreaterThan(0);
    return centroid.map((value, j) => {
      return value - own.reduce((sum, point) => sum + point[j], 0) / own.length;
    });
  });
  expectClose(answer("kmeans", "dir"), expected);
});

// What GradBench compares these with.
test.each(["ff", "fr", "rf", "rr"])("particle and saddle, %s", (mode) => {
  expectClose(answer("particle", mode), 0.2071918746486116);
  expectClose(
    answer("saddle", mode),
    Array.from({ length: 4 }, () => 8.246324826140356e-6),
  );
});
