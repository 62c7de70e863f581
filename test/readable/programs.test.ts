/**
 * Every program of `test/programs` and every problem of GradBench, printed: with the printed
 * functions in place of its roots a file gives what it gives as it stands, and with these compiled
 * once more too.
 */

import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as data from "../gradbench/data.ts";
import {
  asyncNames,
  difference,
  folder as programs,
  names as all,
  plainProgram,
} from "../programs/harness.ts";
import { type AnyFunction, Press, type Printed } from "./support.ts";

// Regions of asynchronous roots are not printed in place of anything.
const names = all.filter((name) => !asyncNames.includes(name));

/** The functions of the problems, and what they are given. */
const problems: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  hello: { square: 3, double: 3 },
  llsq: { primal: data.llsq, gradient: data.llsq },
  lse: { primal: data.lse, gradient: data.lse },
  det: { primal: data.det, gradient: data.det },
  ode: { primal: data.ode, gradient: data.ode },
  lstm: { objective: data.lstm, jacobian: data.lstm },
  gmm: { objective: data.gmm, jacobian: data.gmm },
  ba: { objective: data.ba, jacobian: data.ba },
  ht: { objective: data.htVertices, jacobian: data.htTriangles },
  kmeans: { cost: data.kmeans, dir: data.kmeans },
  particle: { ff: { w: 0 }, rr: { w: 0 } },
  saddle: { ff: { start: [1, 1] }, fr: { start: [1, 1] } },
};

const folder = resolve("test/readable/out/programs");
const press = new Press(folder);

beforeAll(async () => {
  await press.print({
    ...Object.fromEntries(names.map((name) => [name, join(programs, name, "main.ts")])),
    ...Object.fromEntries(
      Object.keys(problems).map((name) => [name, resolve("examples/gradbench", `${name}.ts`)]),
    ),
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const versions: Readonly<Record<string, (one: Printed) => Promise<AnyFunction>>> = {
  "as it stands": (one) => press.plain(one),
  "compiled again": (one) => press.compiled(one),
};

describe.each(Object.keys(versions))("%s", (version) => {
  const functionOf = versions[version] as (one: Printed) => Promise<AnyFunction>;

  test.each(names)("%s", async (name) => {
    const plain = await plainProgram(name);
    const { main } = await press.moduleWith(name, functionOf);
    const expected = (plain.expected ?? plain.main)();
    const tolerance = Math.max(plain.tolerance ?? 0, 1e-12);
    expect(difference((main as () => unknown)(), expected, tolerance)).toBeUndefined();
  });
});

interface Work {
  readonly run: () => void;
  readonly answer: () => unknown;
}

describe.each(Object.entries(problems))("GradBench %s", (name, questions) => {
  test("as it stands, and compiled again", async () => {
    const answersOf = async (functionOf: (one: Printed) => Promise<AnyFunction>) => {
      const module = await press.moduleWith(name, functionOf);
      return Object.entries(questions).map(([question, input]) => {
        const work = (module[question] as (given: unknown) => Work)(input);
        work.run();
        return work.answer();
      });
    };
    const expected = await answersOf((one) => press.original(one));
    expect(JSON.stringify(expected)).toMatch(/\d/);
    for (const functionOf of Object.values(versions)) {
      expect(difference(await answersOf(functionOf), expected, 1e-9)).toBeUndefined();
    }
  });
});

test("they type-check", () => {
  expect(press.typeErrors()).toEqual([]);
});
