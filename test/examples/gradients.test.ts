/** Gradients of the examples against differences of their plain functions. */

import path from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import * as cloth from "../../examples/09-cloth/model.ts";
import * as kepler from "../../examples/07-kepler/model.ts";
import * as bodies from "../../examples/06-n-body/model.ts";
import * as ode from "../../examples/05-neural-ode/model.ts";
import * as sorting from "../../examples/08-sorting-network/model.ts";
import { load } from "../../runtime/load.ts";
import { readFile } from "../../transformer/plan.ts";
import { ProjectCache } from "../../transformer/project.ts";

interface Case {
  readonly file: string;
  /** A root that gives `[value, gradient]`, or the gradient. */
  readonly root: string;
  readonly plain: (...args: never[]) => number;
  readonly args: readonly unknown[];
  /** How many leading arguments the gradient is of. */
  readonly active: number;
}

const wave = (size: number, phase = 0): Float64Array =>
  Float64Array.from({ length: size }, (_, k) => Math.sin(1.7 * k + phase));

const cases: readonly Case[] = [
  {
    file: "05-neural-ode",
    root: "gradient",
    plain: ode.loss,
    args: [ode.initialField(4), wave(400), Float64Array.of(1, 0), 0.02],
    active: 1,
  },
  {
    file: "06-n-body",
    root: "aim",
    plain: bodies.miss,
    args: [Float64Array.of(0.4, 0.9), bodies.system, Float64Array.of(1, 1), 1],
    active: 1,
  },
  { file: "07-kepler", root: "slopes", plain: kepler.distance, args: [1.2, 0.6], active: 2 },
  {
    file: "08-sorting-network",
    root: "slope",
    plain: sorting.robustLoss,
    args: [Float64Array.of(0.7, -0.2), wave(21), wave(21, 1)],
    active: 1,
  },
  {
    file: "09-cloth",
    root: "slopes",
    plain: cloth.loss,
    args: [wave(cloth.side), wave(2 * cloth.side ** 2, 2), 20],
    active: 1,
  },
];

type Numbers = number | Float64Array | { readonly [key: string]: Numbers } | readonly Numbers[];

/** Every number of a structure replaced, in order. */
function mapped(value: Numbers, f: (x: number) => number): Numbers {
  if (typeof value === "number") return f(value);
  if (value instanceof Float64Array) return value.map(f);
  if (Array.isArray(value)) return value.map((entry) => mapped(entry as Numbers, f));
  const entries = Object.entries(value as { readonly [key: string]: Numbers });
  return Object.fromEntries(entries.map(([key, entry]) => [key, mapped(entry, f)]));
}

function flat(value: Numbers): readonly number[] {
  const numbers: number[] = [];
  mapped(value, (x) => {
    numbers.push(x);
    return x;
  });
  return numbers;
}

const projects = new ProjectCache();

describe.each(["js", "wasm"] as const)("on %s", (target) => {
  test.each(cases)("$file", async ({ file, root, plain, args, active }) => {
    const source = path.resolve(`examples/${file}/main.ts`);
    const { world, program } = projects.projectOf(source);
    const read = readFile(world, program.getSourceFile(source)!);
    const [only] = read.roots.find(({ name }) => name === root)!.programs;
    const { manifest, code } = await compile(only!.graph, only!.signature, { target });
    const result = load(manifest, code)(...args) as Numbers;
    const moving = args.slice(0, active) as Numbers;
    const size = flat(moving).length;
    const gradient = flat(result).slice(-size);
    const f = plain as (...given: readonly unknown[]) => number;
    for (const phase of [0, 1]) {
      const direction = Array.from({ length: size }, (_, k) => Math.cos(2.3 * k + phase));
      const at = (h: number): number => {
        let next = 0;
        const moved = mapped(moving, (x) => x + h * direction[next++]!) as readonly Numbers[];
        return f(...moved, ...args.slice(active));
      };
      const h = 1e-5;
      const slope = (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
      const along = gradient.reduce((sum, g, k) => sum + g * direction[k]!, 0);
      expect(Math.abs(along - slope)).toBeLessThan(1e-6 * Math.max(1, Math.abs(slope)));
    }
  });
});
