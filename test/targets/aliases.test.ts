/** Locals that hold the same become one, and no others do. */

import { describe, expect, test } from "vitest";
import {
  add,
  constant,
  type Local,
  local,
  loop,
  type LoopFunction,
  read,
  set,
  type Statement,
} from "../../compiler/kernel/loop.ts";
import { withoutAliases } from "../../compiler/targets/wasm/aliases.ts";

const [p, a, b, c, i] = ["p", "a", "b", "c", "i"].map((name) => local(name, "i32")) as [
  ...Local[],
] as [Local, Local, Local, Local, Local];

function kept(body: readonly Statement[], ...results: readonly Local[]) {
  const fn: LoopFunction = {
    ...{ name: "f", comment: "", parameters: [p], body },
    ...{ results: results.map(read), resultTypes: results.map(() => "i32" as const) },
  };
  const { body: left, results: read_ } = withoutAliases(fn);
  return { left, results: read_.map((expr) => (expr.kind === "local" ? expr.local.name : "")) };
}
const place = add(read(p), constant(16));

describe("locals", () => {
  test("of equal places are one", () => {
    const { left, results } = kept([set(a, place), set(b, place), set(c, read(b))], a, b, c);
    expect(left).toEqual([set(a, place)]);
    expect(results).toEqual(["a", "a", "a"]);
  });

  test("are one inside of loops too", () => {
    const inside = (of: Local): Statement => loop(i, constant(3), [set(c, add(read(c), read(of)))]);
    expect(kept([set(a, read(p)), inside(a)]).left).toEqual([inside(p)]);
  });

  test("that change are not", () => {
    const body = [set(a, place), set(b, read(a)), set(a, constant(1))];
    expect(kept(body, a, b)).toEqual({ left: body, results: ["a", "b"] });
    const parameter = [set(a, read(p)), set(p, constant(1))];
    expect(kept(parameter, a, p)).toEqual({ left: parameter, results: ["a", "p"] });
  });

  test("that are set in a branch or a loop are not", () => {
    const body = [set(a, place), loop(i, read(p), [set(b, read(a))])];
    expect(kept(body, b)).toEqual({ left: body, results: ["b"] });
  });
});
