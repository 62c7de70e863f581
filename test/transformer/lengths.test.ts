/** Lengths that must agree and do not, as is found when the program runs: it says so. */

import { describe, expect, test } from "vitest";
import { tensor } from "../../runtime/index.ts";
import { compiledProgram } from "../programs/harness.ts";

type Functions = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

const x = Float64Array.of(0.5, -1.5, 2);
const short = x.subarray(0, 2);
const long = Float64Array.of(1, 2, 3, 4);

const pairs = (count: number) => tensor(new Float64Array(2 * count), [count, 2], "f64");

/** The function of the program, what it is given, and what is said. */
const calls: readonly (readonly [string, readonly unknown[], string, number, number])[] = [
  ["tangent", [x, short], "`v`", 2, 3],
  ["tangent", [x, long], "`v`", 4, 3],
  ["pushed", [x, [1]], "an array", 1, 3],
  ["pulled", [x, long], "`w`", 4, 3],
  ["curved", [x, short], "`v`", 2, 3],
  ["manyForward", [x, [short]], "`rows`", 2, 3],
  ["manyReverse", [x, [long, long]], "`rows`", 4, 3],
  ["searchedSlopes", [x, 2], "`v`", 2, 3],
  ["ruled", [x, short, x], "an array", 2, 3],
  ["reversed", [long], "an array", 3, 4],
  ["tensorAlong", [pairs(2), pairs(3)], "`dt`", 3, 2],
  ["shaped", [long, [x, x]], "`flat`", 4, 6],
  ["shaped", [long.subarray(1), [short]], "`rows`", 2, 3],
  ["replacing", [x, 2], "an array", 3, 2],
];

async function functionsOf(program: string, target: "js" | "wasm"): Promise<Functions> {
  const compiled = await compiledProgram(program, target);
  return (compiled as unknown as { readonly functions: Functions }).functions;
}

describe.each(["js", "wasm"] as const)("on %s", async (target) => {
  const functions = {
    ...(await functionsOf("directions-of-other-lengths", target)),
    ...(await functionsOf("rows-of-computed-length", target)),
  };

  test.each(calls)("%s", (name, args, array, found, expected) => {
    const call = (): unknown => functions[name]?.(...args);
    expect(call).toThrow(RangeError);
    expect(call).toThrow(/ at main\.ts:\d+: /);
    expect(call).toThrow(
      new RegExp(
        `^${array} at .*: has ${found} elements, and ${expected} belong here; pass one of this length$`,
      ),
    );
  });
});
