/**
 * Our own side of the benchmark, without the peers: what the workloads compute, beside plain formulas
 * or the other target. Nothing here is timed.
 */

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import * as app from "./apps/digits.ts";
import { uniform } from "./data.ts";
import { workloads } from "./workloads/index.ts";

type Values = Readonly<Record<string, readonly number[]>>;

const root = path.resolve(import.meta.dirname, "../..");

/** What our systems compute in their first steps, in a process that compiles them. */
async function valuesOf(names: readonly string[], target: "wasm" | "js" = "wasm"): Promise<Values> {
  const args = ["--import", "fluxion/register", "test/bench/values.ts", ...names];
  const env = { ...process.env, FLUXION_TARGET: target };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
  return JSON.parse(stdout) as Values;
}

/** Compared with the target js. */
const networks = [
  "mlp-train-b32",
  "cnn-train-b64",
  "gpt-train-b1",
  "lstm-train",
  "ode-grad",
  "conv-mobile-3x3",
  "conv-mobile-pointwise",
  "conv-mobile-depthwise",
  "conv-mobile-stack",
];
/** Compared with formulas, or with a smaller one of theirs. */
const others = [
  "mlp-train-b128",
  "gpt-train-b8",
  "matmul-128",
  "matmul-256",
  "matmul-512",
  "matmul-1024",
  "matvec-4096",
  "softmax-forward",
  "softmax-gradient",
  "layernorm-forward",
  "layernorm-gradient",
  "gelu-chain-4m-forward",
  "gelu-chain-4m-gradient",
  "logreg-loop",
];
const processes = ["cold-start", "bundle-size", "peak-memory", "compile-time-edit"];

const timeout = 200_000;
let onWasm: Values = {};
let inJs: Values = {};
let started: Values = {};
beforeAll(async () => {
  [onWasm, inJs, started] = await Promise.all([
    valuesOf([...networks, ...others]),
    valuesOf(networks, "js"),
    valuesOf(processes),
  ]);
}, timeout);

const own = (name: string, system = "fluxion-wasm"): readonly number[] =>
  onWasm[`${name} ${system}`] ?? [];

/** Apart by no more than a part of the expected value. */
function expectClose(actual: number | undefined, expected: number, part = 1e-4): void {
  expect(Math.abs((actual ?? NaN) - expected)).toBeLessThanOrEqual(part * Math.abs(expected));
}

test("every workload is run here, or by the tests of GradBench's problems", () => {
  const here = new Set([...networks, ...others, ...processes, "compile-time-cold"]);
  const left = workloads
    .map(({ name }) => name)
    .filter((name) => !here.has(name) && !name.startsWith("gradbench-"));
  expect(left).toEqual([]);
});

describe("on wasm as in JavaScript, after a step too", () => {
  test.each(networks)("%s", (name) => {
    const expected = inJs[`${name} fluxion-wasm`] ?? [];
    expect(expected.length).toBe(name.includes("-train") ? 2 : 1);
    expected.forEach((value, step) => expectClose(own(name)[step], value));
    if (name.includes("-train")) expect(own(name)[1]).toBeLessThan(own(name)[0] ?? NaN);
  });

  test.each([
    ["mlp-train-b128", Math.log(10)],
    ["gpt-train-b8", Math.log(65)],
  ])("%s begins with guessing, and learns", (name, guessing) => {
    const [first = NaN, second] = own(name);
    expectClose(first, guessing, 0.03);
    expect(second).toBeLessThan(first);
  });
});

/** Σ aₖ bₖ */
function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] ?? 0) * (b[k] ?? 0);
  return sum;
}

describe("products", () => {
  test.each([128, 256, 512, 1024])("matmul-%i", (n) => {
    const a = uniform([n, n], 1).data.subarray(0, n);
    const b = uniform([n, n], 2).data.filter((_, k) => k % n === 1);
    expectClose(own(`matmul-${n}`)[0], dot(a, b), 1e-3);
    if (n <= 256) expectClose(own(`matmul-${n}`, "fluxion-js")[0], dot(a, b), 1e-3);
  });

  test("matvec-4096", () => {
    const row = uniform([2, 4096], 1).data.subarray(4096);
    expectClose(own("matvec-4096")[0], dot(row, uniform([4096], 2).data), 1e-3);
  });
});

/** The element at [0, 1] needs the first row alone. */
describe("rows", () => {
  const columns = 1024;
  const x = Array.from(uniform([columns], 100, 2).data);
  const c = Array.from(uniform([columns], 101).data);
  const scale = Array.from(uniform([columns], 1, 0.1, 1).data);
  const offset = uniform([columns], 2, 0.1).data[1] ?? NaN;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const second = (values: readonly number[]): number => values[1] ?? NaN;

  test("softmax: s, and s ⊙ (c - Σ c s)", () => {
    const powers = x.map(Math.exp);
    const s = powers.map((power) => power / (mean(powers) * columns));
    expectClose(own("softmax-forward")[0], second(s));
    expectClose(own("softmax-gradient")[0], second(s) * (second(c) - dot(c, s)), 1e-3);
  });

  test("layer normalisation: z g + b, and (d - mean d - z mean(d z)) / σ of d = c g", () => {
    const centred = x.map((value) => value - mean(x));
    const deviation = Math.sqrt(mean(centred.map((value) => value * value)) + 1e-5);
    const z = centred.map((value) => value / deviation);
    const d = c.map((value, k) => value * (scale[k] ?? NaN));
    const projected = mean(d.map((value, k) => value * (z[k] ?? NaN)));
    expectClose(own("layernorm-forward")[0], second(z) * second(scale) + offset);
    expectClose(
      own("layernorm-gradient")[0],
      (second(d) - mean(d) - second(z) * projected) / deviation,
      1e-3,
    );
  });

  test("GELU by tanh, and its derivative", () => {
    const u = second(x) * 1.3 + 0.1;
    const root = Math.sqrt(2 / Math.PI);
    const t = Math.tanh(root * (u + 0.044715 * u ** 3));
    const slope = (1 + t) / 2 + (u / 2) * (1 - t * t) * root * (1 + 3 * 0.044715 * u * u);
    expectClose(own("gelu-chain-4m-forward")[0], (u / 2) * (1 + t));
    expectClose(own("gelu-chain-4m-gradient")[0], 1.3 * slope * second(c));
  });
});

test("logreg-loop: gradient descent, written out", () => {
  const [rows, columns] = [16384, 256];
  const w = Float64Array.from(uniform([columns], 1, 0.1).data);
  let b = uniform([1], 2, 0.1).data[0] ?? NaN;
  const x = uniform([rows, columns], 100).data;
  const y = uniform([rows], 9).data.map((value) => (value > 0 ? 1 : 0));
  const losses = Array.from({ length: 20 }, () => {
    let [loss, db] = [0, 0];
    const dw = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      const row = x.subarray(i * columns, (i + 1) * columns);
      const z = b + dot(row, w);
      loss += Math.log1p(Math.exp(z)) - (y[i] ?? NaN) * z;
      const slope = 1 / (1 + Math.exp(-z)) - (y[i] ?? NaN);
      db += slope;
      for (let j = 0; j < columns; j++) dw[j] = (dw[j] ?? NaN) + slope * (row[j] ?? NaN);
    }
    for (let j = 0; j < columns; j++) w[j] = (w[j] ?? NaN) - (0.1 * (dw[j] ?? NaN)) / rows;
    b -= (0.1 * db) / rows;
    return loss / rows;
  });
  for (const system of ["fluxion-wasm", "fluxion-wasm-f32"]) {
    expectClose(own("logreg-loop", system)[0], losses[9] ?? NaN, 1e-6);
    expectClose(own("logreg-loop", system)[1], losses[19] ?? NaN, 1e-6);
  }
});

describe("processes", () => {
  const from = (name: string): number => started[`${name} fluxion-wasm`]?.[0] ?? NaN;

  test("a first gradient, by the formulas of back-propagation", () => {
    const rows = app.batchOfGradient;
    const { images, labels } = app.digits(rows, 0);
    const layers = app.initialWeights();
    const through = (h: ArrayLike<number>, [w, b]: (typeof layers)[number]): Float64Array =>
      Float64Array.from(b, (bias, j) => {
        let sum = bias;
        for (let i = 0; i < h.length; i++) sum += (h[i] ?? 0) * (w[i * b.length + j] ?? 0);
        return sum;
      });
    const [first, second, last] = layers;
    if (first === undefined || second === undefined || last === undefined) throw new Error();
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const pixels = images.subarray(row * 784, (row + 1) * 784);
      const h1 = through(pixels, first).map((value) => Math.max(value, 0));
      const z2 = through(h1, second);
      const logits = through(
        z2.map((value) => Math.max(value, 0)),
        last,
      );
      const powers = logits.map(Math.exp);
      const total = powers.reduce((all, power) => all + power, 0);
      const d = powers.map((power, k) => (power / total - (k === labels[row] ? 1 : 0)) / rows);
      z2.forEach((value, i) => {
        if (value > 0) sum += dot(last[0].subarray(i * 10, (i + 1) * 10), d);
      });
    }
    expectClose(from("cold-start"), sum, 1e-3);
  });

  test("training in a bundle learns, and the bundle holds no compiler", () => {
    expect(from("peak-memory")).toBeLessThan(0.8 * Math.log(10));
    expect(from("bundle-size")).toBeGreaterThan(1000);
    expect(from("bundle-size")).toBeLessThan(14_200);
  });

  test("the edited program compiles", () => expect(from("compile-time-edit")).toBeGreaterThan(0));
});
