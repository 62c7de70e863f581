/**
 * The calls that the programs of `test/programs` make of their roots, once more on graphics devices:
 * in single precision, and answered later.
 */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  compile,
  type CompilerOptions,
  type DeviceTargetName,
  type Graph,
  type Signature,
} from "../../compiler/compile.ts";
import { NotOnDevice } from "../../compiler/targets/gpu/split.ts";
import { loadOn } from "../../runtime/gpu/program.ts";
import { Tensor } from "../../runtime/index.ts";

import { asyncNames, names as all, programWith } from "../programs/harness.ts";
import { devices, queues } from "./devices.ts";
import { type RecordedCall, recorded } from "./recorder.ts";

const names = all.filter((name) => !asyncNames.includes(name));

/** Of the largest number in an array; single precision has 6e-8, halves 5e-4. */
const tolerance = 2e-5;
const halfTolerance = 1e-3;

/** Roots that the device refuses, by program, each with the reason of the `NotOnDevice`. */
const refused: Readonly<Record<string, readonly string[]>> = {
  "arrays-of-tuples": ["recursive: recursion"],
  "custom-in-use": ["aroundRecursion: recursion", "inRecursion: recursion"],
  "derivatives-of-derivatives": ["of: memory"],
  "half-arrays": ["sorted: recursion", "halvingSlope: recursion", "newton: memory"],
  "lengths-in-loops": [
    "branchesGrad: memory",
    "branchesTwice: memory",
    "halvingGrad: memory",
    "halvingTwice: memory",
    "recursiveValue: recursion",
    "recursiveGrad: recursion",
    "recursiveJvp: recursion",
    "recursiveTwice: recursion",
  ],
  "record-gradients": ["recursive: recursion"],
  "records-in-use": ["recursive: recursion", "filtered: memory"],
  recursion: ["all: recursion"],
  "recursive-algorithms": [
    "c1: recursion",
    "c2: recursion",
    "c3: recursion",
    "c4: recursion",
    "c5: recursion",
    "c6: recursion",
    "c7: recursion",
    "c8: recursion",
    "c9: recursion",
  ],
  "recursive-arrays": [
    "sorted: recursion",
    "determinant: recursion",
    "bounced: recursion",
    "paths: recursion",
    "smoothed: recursion",
    "walked: recursion",
    "orders: recursion",
    "rows: recursion",
  ],
  "recursive-derivatives": [
    "atPower: recursion",
    "atTree: recursion",
    "cofactors: recursion",
    "curvature: recursion",
    "atLast: recursion",
    "mutual: recursion",
    "atNested: recursion",
    "jacobian: recursion",
  ],
  "rows-put-in": ["gathered: memory"],
  "slices-in-loops": [
    "slope: memory",
    "second: memory",
    "ahead: memory",
    "back: memory",
    "fit: memory",
    "split: recursion",
  ],
  "sparse-functions": [
    "sparsity_halves: recursion",
    "sparsity_prefixes: recursion",
    "sparseJacfwd_halves: recursion",
    "sparseJacfwd_prefixes: recursion",
    "sparseJacrev_halves: recursion",
    "sparseJacrev_prefixes: recursion",
    "jacfwd: recursion",
    "jacfwd_prefixes: recursion",
  ],
  stacks: ["reached: memory", "shared: recursion"],
};

/** Where single precision has other numbers than doubles, by program; all else agrees. */
const otherNumbers: Readonly<Record<string, readonly string[]>> = {
  // 65519.999999 is 65520 in f32, which is beyond the largest half.
  "half-arrays": ["kinds: it.copy, 0: Infinity, and 65504 is expected"],
  "low-bits": [
    // Words of 32 bits as numbers, from round to round: f32 has their first 24 bits.
    "seen: it, 0: 1218446592, and 10110162 is expected",
    "hash: it, 0: 687725568, and 630495688 is expected",
    // 1e300 % 1, where 1e300 is infinite in f32.
    "remainders: it, 210: NaN, and 0 is expected",
  ],
  // -7.3 % 0.1, of which f32 has neighbours: the one for 0.1 goes into -7.3 once more.
  "scalar-arithmetic": [
    "compiled: it, 2: -8.195638656616211e-8, and -0.09999999999999942 is expected",
  ],
};

interface Root {
  readonly graph: Graph;
  readonly signature: Signature;
  readonly options: CompilerOptions;
  readonly calls: readonly RecordedCall[];
}

function donates({ options }: Root): boolean {
  return (options.donateArgnums ?? []).length > 0;
}

/** The roots of a program that its `main` calls, with their calls. */
async function calledRoots(name: string): Promise<readonly Root[]> {
  const roots = new Map<string, Omit<Root, "calls">>();
  recorded.clear();
  const { main } = await programWith(name, {
    target: "js",
    version: "recorded",
    runtime: join(import.meta.dirname, "recorder.ts"),
    compile: async (graph, signature, options) => {
      const mark = `${name} ${roots.size}`;
      roots.set(mark, { graph, signature, options });
      const { manifest, code } = await compile(graph, signature, options);
      return { manifest: Object.assign({ mark }, manifest), code };
    },
  });
  main();
  return [...roots].flatMap(([mark, root]) => {
    const calls = recorded.get(mark) ?? [];
    return calls.length === 0 ? [] : [{ ...root, calls }];
  });
}

/** A root on the device, whose kernels are compiled meanwhile. */
interface Loaded {
  readonly name: string;
  readonly calls: readonly RecordedCall[];
  readonly program: (call: RecordedCall) => unknown;
}

/** Throws a `NotOnDevice` where the device refuses it. */
async function loadedRoot(
  { graph, signature, options, calls }: Root,
  target: DeviceTargetName,
): Promise<Loaded> {
  const { manifest, code } = await compile(graph, signature, { ...options, target });
  let captured: readonly unknown[] = [];
  const program = loadOn(queues[target], manifest, code, () => captured);
  const run = (call: RecordedCall): unknown => {
    ({ captured } = call);
    return program(...call.args);
  };
  return { name: signature.name, calls, program: run };
}

/** Where a root gives something else on the device; undefined where it does not. */
async function replayed({ name, calls, program }: Loaded): Promise<string | undefined> {
  for (const call of calls) {
    const found = await comparedCall(program, call);
    if (found !== undefined) return `${name}: ${found}`;
  }
  return undefined;
}

async function comparedCall(
  program: Loaded["program"],
  call: RecordedCall,
): Promise<string | undefined> {
  const { result, error } = call;
  if (error === undefined) return difference(await settled(program(call)), await settled(result));
  try {
    await settled(program(call));
  } catch (other) {
    return difference(messageOf(other), messageOf(error));
  }
  return `no error, and ${messageOf(error)} is expected`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface TensorData {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: unknown;
}

/** A result that has been waited for, with tensors as their data. */
async function settled(later: unknown): Promise<unknown> {
  const value = await later;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (value instanceof Tensor) {
    const { shape, dtype } = value;
    const data: TensorData = { shape: [...shape], dtype, data: await value.data() };
    return data;
  }
  if (Array.isArray(value)) return Promise.all(value.map(settled));
  const fields = Object.entries(value).map(async ([name, part]) => [name, await settled(part)]);
  return Object.fromEntries((await Promise.all(fields)) as [string, unknown][]);
}

/** Where two results differ, as a path and the two values; undefined where they agree. */
function difference(actual: unknown, expected: unknown, path = "it"): string | undefined {
  if (typeof expected !== "object" || expected === null) {
    if (typeof actual !== "number" || typeof expected !== "number") {
      return Object.is(actual, expected)
        ? undefined
        : `${path}: ${String(actual)}, and ${String(expected)} is expected`;
    }
    return unlike([actual], [expected], tolerance, path);
  }
  const sameKind = (actual as object | null)?.constructor === expected.constructor;
  const keys = Object.keys(expected);
  if (!sameKind || Object.keys(actual as object).join() !== keys.join()) {
    return `${path}: ${JSON.stringify(actual)}, and ${JSON.stringify(expected)} is expected`;
  }
  const numbers = Object.values(expected);
  if (keys.length > 0 && numbers.every((each) => typeof each === "number")) {
    const allowed = expected instanceof Float16Array ? halfTolerance : tolerance;
    return unlike(Object.values(actual as object) as number[], numbers as number[], allowed, path);
  }
  for (const key of keys) {
    const [one, other] = [actual, expected].map((of) => (of as Record<string, unknown>)[key]);
    const found = difference(one, other, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Numbers of an array that differ by more than a part of the largest one. */
function unlike(
  actual: readonly number[],
  expected: readonly number[],
  allowed: number,
  path: string,
): string | undefined {
  const size = Math.max(1e-30, ...expected.filter(Number.isFinite).map(Math.abs));
  const at = expected.findIndex((one, k) => {
    const other = actual[k] as number;
    return !(Object.is(one, other) || one === other || Math.abs(one - other) <= allowed * size);
  });
  return at < 0 ? undefined : `${path}, ${at}: ${actual[at]}, and ${expected[at]} is expected`;
}

describe.each(names)("%s", (name) => {
  let roots: readonly Root[] | undefined;

  test.each(devices)("gives the same on %s, or is refused", async (target) => {
    // What was donated to another device is not there any more.
    if (roots === undefined || roots.some(donates)) roots = await calledRoots(name);
    expect(roots.length).toBeGreaterThan(0);
    const reasons: string[] = [];
    const others: string[] = [];
    const loaded: Loaded[] = [];
    for (const root of roots) {
      try {
        loaded.push(await loadedRoot(root, target));
      } catch (error) {
        if (!(error instanceof NotOnDevice)) throw error;
        reasons.push(`${root.signature.name}: ${error.reason}`);
      }
    }
    for (const each of loaded) {
      const found = await replayed(each);
      if (found !== undefined) others.push(found);
    }
    expect(reasons).toEqual(refused[name] ?? []);
    expect(others).toEqual(otherNumbers[name] ?? []);
  });
});

test("the lists name programs", () => {
  expect(names).toEqual(expect.arrayContaining(Object.keys({ ...refused, ...otherNumbers })));
});
