/**
 * Problems of GradBench at its sizes: the plain function, compiled and as it is, and its derivative.
 * Notes give the best native derivative that is known, measured apart on a like machine.
 */

import type { Work } from "../../../examples/gradbench/problem.ts";
import { baLarge, htLarge } from "../../gradbench/data.ts";
import { uniform } from "../data.ts";
import type { Step, Workload } from "../harness.ts";

function numbers(count: number, seed: number, scale = 1, offset = 0): readonly number[] {
  return Array.from(uniform([count], seed, scale, offset).data);
}

function table(rows: number, columns: number, seed: number, scale = 1): readonly number[][] {
  const all = numbers(rows * columns, seed, scale);
  return Array.from({ length: rows }, (_, row) => all.slice(row * columns, (row + 1) * columns));
}

/** A unit of work as a step to time; what it computes is checked by the tests of the examples. */
function step(make: () => Promise<Work>) {
  return async (): Promise<Step> => {
    const { run } = await make();
    return () => {
      run();
      return undefined;
    };
  };
}

/** Each is compiled when it is asked for. */
const load = {
  ba: () => import("../../../examples/gradbench/ba.ts"),
  det: () => import("../../../examples/gradbench/det.ts"),
  gmm: () => import("../../../examples/gradbench/gmm.ts"),
  ht: () => import("../../../examples/gradbench/ht.ts"),
  kmeans: () => import("../../../examples/gradbench/kmeans.ts"),
  llsq: () => import("../../../examples/gradbench/llsq.ts"),
  lse: () => import("../../../examples/gradbench/lse.ts"),
  lstm: () => import("../../../examples/gradbench/lstm.ts"),
  ode: () => import("../../../examples/gradbench/ode.ts"),
  particle: () => import("../../../examples/gradbench/particle.ts"),
  saddle: () => import("../../../examples/gradbench/saddle.ts"),
};

interface Problem {
  readonly name: string;
  readonly primal: () => Promise<Work>;
  readonly gradient: () => Promise<Work>;
  /** The best native derivative, in milliseconds. */
  readonly native: number;
}

const small = { d: 10, k: 25, n: 1000 };
const gmmInput = {
  ...small,
  m: 0,
  gamma: 1,
  alpha: numbers(small.k, 1),
  mu: table(small.k, small.d, 2),
  q: table(small.k, small.d, 3, 0.3),
  l: table(small.k, (small.d * (small.d - 1)) / 2, 4, 0.3),
  x: table(small.n, small.d, 5),
};
const lstmInput = {
  main_params: table(4, 56, 6, 0.5),
  extra_params: table(3, 14, 7, 0.5),
  state: table(4, 14, 8, 0.5),
  sequence: table(1024, 14, 9).map((row) => row.map((value) => (value > 0 ? 1 : 0))),
};
const llsqInput = { x: numbers(128, 10), n: 1024 };
const lseInput = { x: numbers(160_000, 11, 5) };
const detInput = { A: numbers(64, 12, 0.5, 1), ell: 8 };
const odeInput = { x: numbers(1000, 13, 0.5, 1), s: 100 };
const kmeansInput = { points: table(1000, 16, 14), centroids: table(100, 16, 15) };

const problems: readonly Problem[] = [
  {
    name: "llsq",
    primal: async () => (await load.llsq()).primal(llsqInput),
    gradient: async () => (await load.llsq()).gradient(llsqInput),
    native: 0.181,
  },
  {
    name: "lse",
    primal: async () => (await load.lse()).primal(lseInput),
    gradient: async () => (await load.lse()).gradient(lseInput),
    native: 0.516,
  },
  {
    name: "det",
    primal: async () => (await load.det()).primal(detInput),
    gradient: async () => (await load.det()).gradient(detInput),
    native: 0.569,
  },
  {
    name: "ode",
    primal: async () => (await load.ode()).primal(odeInput),
    gradient: async () => (await load.ode()).gradient(odeInput),
    native: 0.301,
  },
  {
    name: "lstm",
    primal: async () => (await load.lstm()).objective(lstmInput),
    gradient: async () => (await load.lstm()).jacobian(lstmInput),
    native: 1.2,
  },
  {
    name: "gmm",
    primal: async () => (await load.gmm()).objective(gmmInput),
    gradient: async () => (await load.gmm()).jacobian(gmmInput),
    native: 2.29,
  },
  {
    name: "kmeans",
    primal: async () => (await load.kmeans()).cost(kmeansInput),
    gradient: async () => (await load.kmeans()).dir(kmeansInput),
    native: 0.356,
  },
  {
    name: "ba",
    primal: async () => (await load.ba()).objective(baLarge),
    gradient: async () => (await load.ba()).jacobian(baLarge),
    native: 3.64,
  },
  {
    name: "ht",
    primal: async () => (await load.ht()).objective(htLarge),
    gradient: async () => (await load.ht()).jacobian(htLarge),
    native: 0.304,
  },
];

/** Derivatives of derivatives, in four modes: the two problems have no primal of their own. */
const modes = ["ff", "fr", "rf", "rr"] as const;
const nested: readonly Workload[] = [
  ...modes.map((mode) => ({
    name: `gradbench-particle-${mode}`,
    systems: { "fluxion-wasm": step(async () => (await load.particle())[mode]({ w: 0 })) },
  })),
  ...modes.map((mode) => ({
    name: `gradbench-saddle-${mode}`,
    systems: { "fluxion-wasm": step(async () => (await load.saddle())[mode]({ start: [1, 1] })) },
  })),
];

export const workloads: readonly Workload[] = [
  ...problems.flatMap(({ name, primal, gradient, native }): readonly Workload[] => [
    { name: `gradbench-${name}-primal`, systems: { "fluxion-wasm": step(primal) } },
    {
      name: `gradbench-${name}-gradient`,
      systems: { "fluxion-wasm": step(gradient) },
      notes: { "fluxion-wasm": `native C++, measured apart: ${native} ms` },
    },
  ]),
  ...nested,
];
