/** What stays as it was when a function is batched. */

import { expect, test } from "vitest";
import { expand } from "../../compiler/autodiff/expand.ts";
import type { Callee } from "../../compiler/autodiff/callee.ts";
import { ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { arrayType, rootOf } from "../../compiler/ir/types.ts";
import { printFunction } from "../../compiler/ir/print.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { call, define, f64, named } from "./callPrograms.ts";

test("a branch that all elements take batches what depends on them, and nothing else", () => {
  const f = define("f", [f64, f64], (b, [x, y]) => {
    const first = b.block([], (arm) => [arm.unary("sin", y!), arm.mul(x!, y!)]);
    const second = b.block([], (arm) => [arm.unary("exp", y!), arm.add(x!, y!)]);
    const [own, both] = b.if(b.binary("gt", y!, 0), first, second);
    return [b.mul(own!, both!)];
  });
  const rows = arrayType("f64", [3]);
  const callee: Callee = { kind: "vmap", of: named("f"), batched: [true, false], size: 3 };
  const main = define("main", [rows, f64], (b, inputs) => call(b, callee, inputs, [rows]));
  const expanded = rootOf(
    expand({
      root: "main",
      functions: new Map([
        ["f", f],
        ["main", main],
      ]),
    }),
  );
  expect(printFunction(expanded)).toContain("} : f64, f64[3]");
  const x = ndarray("f64", [3], [1, 2, 3]);
  const [up] = interpret(expanded, [x, scalar("f64", 0.5)]);
  expect([...up!.data]).toEqual([1, 2, 3].map((each) => Math.sin(0.5) * (each * 0.5)));
  const [down] = interpret(expanded, [x, scalar("f64", -0.5)]);
  expect([...down!.data]).toEqual([1, 2, 3].map((each) => Math.exp(-0.5) * (each - 0.5)));
});
