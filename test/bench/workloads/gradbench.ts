/**
 * Problems of GradBench at its sizes: the plain function, compiled and as it is, and its derivative.
 * Notes give the best native derivative that is known, measured apart on a like machine.
 */

import * as ba from "../../../examples/gradbench/ba.ts";
import * as det from "../../../examples/gradbench/det.ts";
import * as gmm from "../../../examples/gradbench/gmm.ts";
import * as ht from "../../../examples/gradbench/ht.ts";
import * as kmeans from "../../../examples/gradbench/kmeans.ts";
import * as llsq from "../../../examples/gradbench/llsq.ts";
import * as lse from "../../../examples/gradbench/lse.ts";
import * as lstm from "../../../examples/gradbench/lstm.ts";
import * as ode from "../../../examples/gradbench/ode.ts";
import { ff, fr, rf, rr } from "../../../examples/gradbench/particle.ts";
import type { Work } from "../../../examples/gradbench/problem.ts";
import {
  ff as saddleFf,
  fr as saddleFr,
  rf as saddleRf,
  rr as saddleRr,
} from "../../../examples/gradbench/saddle.ts";
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
function step(make: () => Work) {
  return async (): Promise<Step> => {
    const { run } = make();
    return () => {
      run();
      return undefined;
    };
  };
}

interface Problem {
  readonly name: string;
  readonly primal: () => Work;
  readonly gradient: () => Work;
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
    primal: () => llsq.primal(llsqInput),
    gradient: () => llsq.gradient(llsqInput),
    native: 0.181,
  },
  {
    name: "lse",
    primal: () => lse.primal(lseInput),
    gradient: () => lse.gradient(lseInput),
    native: 0.516,
  },
  {
    name: "det",
    primal: () => det.primal(detInput),
    gradient: () => det.gradient(detInput),
    native: 0.569,
  },
  {
    name: "ode",
    primal: () => ode.primal(odeInput),
    gradient: () => ode.gradient(odeInput),
    native: 0.301,
  },
  {
    name: "lstm",
    primal: () => lstm.objective(lstmInput),
    gradient: () => lstm.jacobian(lstmInput),
    native: 1.2,
  },
  {
    name: "gmm",
    primal: () => gmm.objective(gmmInput),
    gradient: () => gmm.jacobian(gmmInput),
    native: 2.29,
  },
  {
    name: "kmeans",
    primal: () => kmeans.cost(kmeansInput),
    gradient: () => kmeans.dir(kmeansInput),
    native: 0.356,
  },
  {
    name: "ba",
    primal: () => ba.objective(baLarge),
    gradient: () => ba.jacobian(baLarge),
    native: 3.64,
  },
  {
    name: "ht",
    primal: () => ht.objective(htLarge),
    gradient: () => ht.jacobian(htLarge),
    native: 0.304,
  },
];

/** Derivatives of derivatives, in four modes: the two problems have no primal of their own. */
const nested: readonly Workload[] = [
  ...Object.entries({ ff, fr, rf, rr }).map(([mode, particle]) => ({
    name: `gradbench-particle-${mode}`,
    systems: { "fluxion-wasm": step(() => particle({ w: 0 })) },
  })),
  ...Object.entries({ ff: saddleFf, fr: saddleFr, rf: saddleRf, rr: saddleRr }).map(
    ([mode, saddle]) => ({
      name: `gradbench-saddle-${mode}`,
      systems: { "fluxion-wasm": step(() => saddle({ start: [1, 1] })) },
    }),
  ),
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
