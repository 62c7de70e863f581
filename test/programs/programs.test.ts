/** Every folder is a program: compiled, its `main` returns what it returns as plain TypeScript. */

import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compiledProgram, difference, folder, plainProgram } from "./harness.ts";

const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "out")
  .map((entry) => entry.name);

describe.each(names)("%s", (name) => {
  test.each(["js", "wasm"] as const)("on %s", async (target) => {
    const plain = await plainProgram(name);
    const compiled = await compiledProgram(name, target);
    expect(compiled.roots).toBeGreaterThan(0);
    const found = difference(
      compiled.main(),
      (plain.expected ?? plain.main)(),
      plain.tolerance ?? 0,
    );
    expect(found).toBeUndefined();
  });
});
