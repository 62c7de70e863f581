/** What the adapter answers, whatever it is asked. */

import { expect, test } from "vitest";
import { converse, message } from "./session.ts";

test("every message has its answer, in order", async () => {
  const { answers, code } = await converse([
    message({ id: 0, kind: "start", eval: "hello" }),
    message({ id: 1, kind: "define", module: "hello" }),
    message({ id: 2, kind: "evaluate", module: "hello", function: "square", input: 5 }),
    message({ id: 3, kind: "analysis", of: 2, valid: true }),
    message({ id: 4, kind: "something else" }),
    message({ id: 5, kind: "define", module: "nothing" }),
    message({ id: 6, kind: "define", module: "toString" }),
    message({ id: 7, kind: "evaluate", module: "hello", function: "triple", input: 5 }),
    message({ id: 8, kind: "evaluate", module: "lse", function: "primal", input: {} }),
    '{"id": 9, "kind"',
    "",
    message({ id: 10, kind: "evaluate", module: "hello", function: "double", input: 5 }),
  ]);
  expect(code).toBe(0);
  expect(answers.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, null, 10]);
  expect(answers[0]).toEqual({ id: 0, tool: "fluxion" });
  expect(answers[1]).toMatchObject({ success: true, timings: [{ name: "define" }] });
  expect(answers[2]).toMatchObject({ success: true, output: 25 });
  expect(answers[3]).toEqual({ id: 3 });
  expect(answers[4]).toEqual({ id: 4 });
  for (const k of [5, 6, 7, 8, 9]) {
    expect(answers[k]).toMatchObject({ success: false, error: expect.any(String) as string });
  }
  expect(answers[10]).toMatchObject({ success: true, output: 10 });
});

test("runs as often and as long as is asked, and times each", async () => {
  const x = Array.from({ length: 300_000 }, (_, k) => Math.cos(k));
  const ask = (id: number, name: string, runs: object) =>
    message({ id, kind: "evaluate", module: "lse", function: name, input: { x, ...runs } });
  const { answers } = await converse([
    ask(0, "primal", { min_runs: 7, min_seconds: 0 }),
    ask(1, "gradient", { min_runs: 1, min_seconds: 0.2 }),
  ]);
  const [seven, long] = answers.map(({ timings = [] }) => timings);
  expect(seven?.map(({ name }) => name)).toEqual(["prepare", ...Array<string>(7).fill("evaluate")]);
  const runs = long?.filter(({ name }) => name === "evaluate") ?? [];
  const total = runs.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  expect(total).toBeGreaterThan(0.15e9);
  expect(runs.length).toBeGreaterThan(3);
  expect(answers[1]?.output).toHaveLength(x.length);
});
