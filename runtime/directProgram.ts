/** Numbers in, one number out: called without ceremony. */

import { givenOr } from "./arguments.ts";
import type { Kinds } from "./kinds/kind.ts";
import type { Linked } from "./link.ts";
import type { Argument, Manifest } from "./manifest.ts";
import { arenaSize } from "./results.ts";
import { explained, releaseTransient, scratchOf, transient } from "./scratch.ts";

/** Whether a program can be called so. */
export function isDirect({ parameters, captured, result, layout }: Manifest): boolean {
  return (
    parameters.every(({ tree }) => tree.kind === "leaf" && tree.as === "number") &&
    captured.length === 0 &&
    layout.symbols.length === 0 &&
    parameters.length <= 8 &&
    result.kind === "leaf" &&
    result.as === "number" &&
    result.dtype === "f64" &&
    layout.results[0]?.kind === "returned"
  );
}

export function directProgram(
  { name, parameters, layout }: Manifest,
  linked: Linked,
  kinds: Kinds,
) {
  const bytes = arenaSize(layout, new Map());
  const count = parameters.length;
  return (...args: readonly unknown[]): unknown => {
    const operands = args.slice(0, count) as number[];
    for (let k = 0; k < count; k++) {
      if (typeof operands[k] === "number") continue;
      const parameter = parameters[k] as Argument;
      const value = givenOr(parameter, operands[k], kinds);
      if (typeof value !== "number") {
        throw new TypeError(`${parameter.name}: expected a number, got ${typeof value}`);
      }
      operands[k] = value;
    }
    operands.push(bytes === 0 ? 0 : scratchOf(bytes));
    try {
      return linked.run(...operands);
    } catch (error) {
      throw explained(error, name);
    } finally {
      if (transient.size > 0) releaseTransient();
    }
  };
}
