/** Every folder is a program: compiled, its `main` returns what it returns as plain TypeScript. */

import { describe, expect, test } from "vitest";
import { compiledProgram, difference, names, plainProgram } from "./harness.ts";

describe.each(names)("%s", (name) => {
  test.each(["js", "wasm"] as const)("on %s", async (target) => {
    const plain = await plainProgram(name);
    const compiled = await compiledProgram(name, target);
    expect(compiled.roots).toBeGreaterThan(0);
    const found = difference(
      await compiled.main(),
      await (plain.expected ?? plain.main)(),
      plain.tolerance ?? 0,
    );
    expect(found).toBeUndefined();
  });
});
