/**
 * The problems at the sizes that GradBench asks for by default: the answers of the adapter against
 * the plain functions, known formulas, and differences at some of the columns; `FLUXION_RUNS` says
 * how many (`npm run test:long`: nearly all). With `FLUXION_GRADBENCH`, a folder with a file
 * `<problem>.json` of `{ inputs: { <name>: <input> } }` for each, at those inputs instead.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { residual } from "../../examples/gradbench/ba.ts";
import { determinant } from "../../examples/gradbench/det.ts";
import { logPosterior } from "../../examples/gradbench/gmm.ts";
import { handOf, toTriangles, toVertices } from "../../examples/gradbench/ht.ts";
import { clustering } from "../../examples/gradbench/kmeans.ts";
import { error } from "../../examples/gradbench/llsq.ts";
import { logSumExp } from "../../examples/gradbench/lse.ts";
import { loss } from "../../examples/gradbench/lstm.ts";
import { last, solve } from "../../examples/gradbench/ode.ts";
import { flat } from "../../examples/gradbench/problem.ts";
import { runs } from "../random/runs.ts";
import * as data from "./data.ts";
import { differences, expectClose, slope, strewn, transpose } from "./oracle.ts";
import { type Answer, converse, message } from "./session.ts";

interface Inputs {
  readonly llsq: { readonly x: readonly number[]; readonly n: number };
  readonly lse: { readonly x: readonly number[] };
  readonly det: { readonly A: readonly number[]; readonly ell: number };
  readonly ode: { readonly x: readonly number[]; readonly s: number };
  readonly lstm: typeof data.lstm;
  readonly gmm: typeof data.gmm;
  readonly ba: typeof data.ba;
  readonly ht: typeof data.htVertices;
  readonly kmeans: typeof data.kmeans;
}

const usual: { readonly [P in keyof Inputs]: readonly Inputs[P][] } = {
  llsq: [
    { x: data.wave(128, 1), n: 16 },
    { x: data.wave(128, 1), n: 1024 },
  ],
  lse: [{ x: data.wave(2500, 2) }, { x: data.wave(20_000, 2).map((value) => 5 * value) }],
  det: [
    { A: data.positive(25, 3), ell: 5 },
    { A: data.positive(64, 3), ell: 8 },
  ],
  // The last component is 0 until a step has reached it: four components a step.
  ode: [
    { x: data.positive(1000, 4), s: 10 },
    { x: data.positive(1000, 4), s: 100 },
    { x: data.positive(300, 4).map((value) => 1 + value), s: 100 },
  ],
  lstm: [2, 4].map((layers) => ({
    main_params: data.table(2 * layers, 56, 5),
    extra_params: data.table(3, 14, 6),
    state: data.table(2 * layers, 14, 7),
    sequence: data.table(1024, 14, 8).map((row) => row.map((value) => (value > 0 ? 1 : 0))),
  })),
  gmm: [
    { d: 2, k: 5 },
    { d: 20, k: 25 },
  ].map(({ d, k }) => ({
    ...{ d, k, n: 1000, m: 0, gamma: 1 },
    alpha: data.wave(k, 9),
    mu: data.table(k, d, 10),
    q: data.table(k, d, 11).map((row) => row.map((value) => 0.3 * value)),
    l: data.table(k, (d * (d - 1)) / 2, 12).map((row) => row.map((value) => 0.3 * value)),
    x: data.table(1000, d, 13),
  })),
  ba: [data.baLarge, { ...data.ba, n: 372, m: 47_423, p: 204_472 }],
  ht: [
    data.htLarge,
    {
      ...data.htLarge,
      us: data.table(400, 2, 19),
      data: {
        model: data.htLarge.data.model,
        correspondences: Array.from({ length: 400 }, (_, k) => k % 6),
        points: data.table(400, 3, 18),
      },
    },
  ],
  kmeans: [
    { points: data.table(1000, 8, 14), centroids: data.table(10, 8, 15) },
    { points: data.table(1000, 16, 14), centroids: data.table(100, 16, 15) },
  ],
};

/** The inputs of a problem by their names. */
function inputsOf<P extends keyof Inputs>(problem: P): readonly (readonly [string, Inputs[P]])[] {
  const folder = process.env["FLUXION_GRADBENCH"];
  if (folder === undefined) return usual[problem].map((input, k) => [`size ${k + 1}`, input]);
  const text = readFileSync(join(folder, `${problem}.json`), "utf8");
  const { inputs } = JSON.parse(text) as { inputs: Record<string, Inputs[P]> };
  return Object.entries(inputs);
}

const messages: string[] = [];
let answers: readonly Answer[] = [];

beforeAll(async () => {
  ({ answers } = await converse(messages));
}, 3_600_000);

/** Asks the adapter; what gives its answer, once all are there. */
function ask(module: string, name: string, input: object): () => unknown {
  const id = messages.length;
  const once = { ...input, min_runs: 1, min_seconds: 0 };
  messages.push(message({ id, kind: "evaluate", module, function: name, input: once }));
  return () => {
    const { error, output } = answers[id];
    expect(error).toBeUndefined();
    return output;
  };
}

/** Asks both functions of a problem at every input of it. */
function each<P extends keyof Inputs>(
  problem: P,
  [primal, derivative]: readonly [primal: string, derivative: string],
  check: (input: Inputs[P], primal: unknown, derivative: unknown) => void,
): void {
  for (const [name, input] of inputsOf(problem)) {
    const [value, slope] = [ask(problem, primal, input), ask(problem, derivative, input)];
    test(`${problem}, ${name}`, { timeout: 3_600_000 }, () => check(input, value(), slope()));
  }
}

const { numRuns } = runs(6, 0);
const some = (values: ArrayLike<unknown>): readonly number[] => strewn(values.length, numRuns);
const at = (values: unknown, columns: readonly number[]): readonly number[] =>
  columns.map((column) => (values as readonly number[])[column]);

/**
 * A gradient at some of its columns against differences. How far it may be from them is a part of
 * the largest entry of all.
 */
function expectSlope(found: unknown, f: () => number, x: Float64Array): void {
  expect(found).toHaveLength(x.length);
  const all = found as readonly number[];
  const largest = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const columns = [...new Set([...some(x), all.findIndex((v) => Math.abs(v) === largest)])];
  expectClose(at(all, columns), slope(f, x, { columns }));
}

each("llsq", ["primal", "gradient"], (input, primal, gradient) => {
  const x = Float64Array.from(input.x);
  expectClose(primal, error(x, input.n));
  // ∂/∂xⱼ ½ Σ rᵢ² = -Σ rᵢ tᵢʲ
  const expected = input.x.map(() => 0);
  for (let i = 0; i < input.n; i++) {
    const t = -1 + (2 * i) / (input.n - 1);
    const r = input.x.reduce((rest, value, j) => rest - value * t ** j, Math.sign(t));
    for (let j = 0; j < expected.length; j++) expected[j] -= r * t ** j;
  }
  expectClose(gradient, expected);
});

each("lse", ["primal", "gradient"], (input, primal, gradient) => {
  const value = logSumExp(Float64Array.from(input.x));
  expectClose(primal, value);
  expectClose(
    gradient,
    input.x.map((each) => Math.exp(each - value)),
  );
});

each("det", ["primal", "gradient"], ({ A, ell }, primal, gradient) => {
  const a = Float64Array.from(A);
  const f = () => determinant(a, ell);
  expectClose(primal, f());
  expectSlope(gradient, f, a);
});

each("ode", ["primal", "gradient"], (input, primal, gradient) => {
  const x = Float64Array.from(input.x);
  expectClose(primal, [...solve(x, input.s)]);
  expectSlope(gradient, () => last(x, input.s), x);
});

each("lstm", ["objective", "jacobian"], (input, primal, jacobian) => {
  const weights = { layers: flat(input.main_params), ends: flat(input.extra_params) };
  const text = {
    state: flat(input.state),
    characters: flat(input.sequence),
    width: input.extra_params[0].length,
  };
  const f = () => loss(weights, text);
  expectClose(primal, f());
  const { length } = weights.layers;
  const entries = jacobian as readonly number[];
  expectSlope(entries.slice(0, length), f, weights.layers);
  expectSlope(entries.slice(length), f, weights.ends);
});

each("gmm", ["objective", "jacobian"], (input, primal, jacobian) => {
  const mixture = {
    alpha: Float64Array.from(input.alpha),
    mu: flat(input.mu),
    q: flat(input.q),
    l: flat(input.l),
  };
  const { d, m, gamma } = input;
  expectClose(primal, logPosterior(mixture, { d, m, gamma, x: flat(input.x) }));
  expectClose(jacobian, gmmByHand(input));
});

const softmax = (values: readonly number[]): readonly number[] => {
  const exponentials = values.map((value) => Math.exp(value - Math.max(...values)));
  const sum = exponentials.reduce((left, right) => left + right, 0);
  return exponentials.map((value) => value / sum);
};

/**
 * The gradient of `gmm`, derived by hand: some mixtures are too sharp for differences. With
 * c = x - μ, p = Q c and r the share of a Gaussian in a point, of
 * log Σₐ exp(αₐ + Σ qₐ - |pₐ|² / 2) at each point less the prior (γ² |Q|² / 2 - m Σ q):
 */
function gmmByHand({ d, m, gamma, alpha, mu, q, l, x }: Inputs["gmm"]) {
  // Where a row has the entry of a column, below the diagonal column by column.
  const place = (row: number, column: number) =>
    column * d - (column * (column + 1)) / 2 + row - column - 1;
  const weights = softmax(alpha);
  const slopes = {
    alpha: weights.map((weight) => -x.length * weight),
    mu: mu.map((row) => row.map(() => 0)),
    q: q.map((row) => row.map((value) => m - gamma ** 2 * Math.exp(2 * value))),
    l: l.map((row) => row.map((value) => -(gamma ** 2) * value)),
  };
  for (const point of x) {
    const parts = mu.map((centre, a) => {
      const c = centre.map((value, j) => point[j] - value);
      const p = c.map((value, row) => {
        let sum = Math.exp(q[a][row]) * value;
        for (let column = 0; column < row; column++) sum += l[a][place(row, column)] * c[column];
        return sum;
      });
      const square = p.reduce((sum, value) => sum + value * value, 0);
      const volume = q[a].reduce((sum, value) => sum + value, 0);
      return { c, p, beta: alpha[a] + volume - square / 2 };
    });
    const shares = softmax(parts.map(({ beta }) => beta));
    for (const [a, { c, p }] of parts.entries()) {
      slopes.alpha[a] += shares[a];
      for (let row = 0; row < d; row++) {
        const exponential = Math.exp(q[a][row]);
        slopes.q[a][row] += shares[a] * (1 - p[row] * exponential * c[row]);
        slopes.mu[a][row] += shares[a] * p[row] * exponential;
        for (let column = 0; column < row; column++) {
          slopes.l[a][place(row, column)] -= shares[a] * p[row] * c[column];
          slopes.mu[a][column] += shares[a] * p[row] * l[a][place(row, column)];
        }
      }
    }
  }
  return slopes;
}

each("ba", ["objective", "jacobian"], ({ p, cam, x, w, feat }, primal, jacobian) => {
  const block = Float64Array.from([...cam, ...x, w]);
  const f = (): readonly number[] => {
    const [r0, r1, r2, c0, c1, c2, focus, p0, p1, k1, k2, x0, x1, x2, weight] = block;
    const camera = {
      rotation: [r0, r1, r2],
      centre: [c0, c1, c2],
      focus,
      principal: [p0, p1],
      distortion: [k1, k2],
    } as const;
    return residual(camera, [x0, x1, x2], weight, [feat[0], feat[1]]);
  };
  expectClose(primal, {
    reproj_error: { elements: f(), repeated: p },
    w_err: { element: 1 - w * w, repeated: p },
  });
  const entries = transpose(differences(f, block, { step: 1e-3 })).flat();
  expectClose((jacobian as { vals: readonly number[] }).vals, [...entries, -2 * w]);
});

each("ht", ["objective", "jacobian"], (input, primal, jacobian) => {
  const theta = Float64Array.from(input.theta);
  const us = flat(input.us);
  const { hand, measured } = handOf(input);
  const f = () =>
    us.length === 0
      ? [...toVertices(theta, hand, measured)]
      : [...toTriangles(theta, us, hand, measured)];
  expectClose(primal, f());
  const rows = jacobian as readonly (readonly number[])[];
  const own = us.length === 0 ? 0 : 2;
  expectClose(
    rows.map((row) => row.slice(own)),
    transpose(differences(f, theta)),
  );
  // A place has three rows to itself, and is the first two columns there.
  const columns = us.length === 0 ? [] : some(us);
  for (const [k, column] of differences(f, us, { columns }).entries()) {
    const first = 3 * Math.floor(columns[k] / 2);
    const found = rows.slice(first, first + 3).map((row) => row[columns[k] % 2]);
    expectClose(found, column.slice(first, first + 3));
    expect(column.filter((value, row) => value !== 0 && (row < first || row >= first + 3))).toEqual(
      [],
    );
  }
});

each("kmeans", ["cost", "dir"], ({ points, centroids }, cost, dir) => {
  const d = centroids[0].length;
  expectClose(cost, clustering({ values: flat(centroids), d }, { values: flat(points), d }));
  const sums = centroids.map(() => Array.from({ length: d }, () => 0));
  const counts = centroids.map(() => 0);
  for (const point of points) {
    const distances = centroids.map((centroid) =>
      centroid.reduce((sum, value, j) => sum + (value - point[j]) ** 2, 0),
    );
    const nearest = distances.indexOf(Math.min(...distances));
    counts[nearest]++;
    for (let j = 0; j < d; j++) sums[nearest][j] += point[j];
  }
  expect(Math.min(...counts)).toBeGreaterThan(0);
  // Newton's step goes to the mean of the points.
  expectClose(
    dir,
    centroids.map((centroid, k) => centroid.map((value, j) => value - sums[k][j] / counts[k])),
  );
});
