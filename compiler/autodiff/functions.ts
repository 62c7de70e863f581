/**
 * Functions that stay functions, because they call themselves, and what is derived from them.
 *
 * A derived function is declared before its body is made, so that the body can call it:
 *
 *   f(x) = … f(y) …   →   f$jvp(x, ẋ) = … f$jvp(y, ẏ) …
 */

import { type Equation, type Fn, isFloat, type Value } from "../ir/types.ts";
import { type Callee, decodeCallee, encodeCallee } from "./callee.ts";

export class FunctionTable {
  private readonly functions: Map<string, Fn | undefined>;

  /** The body of a callee, transforms applied. */
  readonly resolve: (callee: Callee) => Fn;

  constructor(resolve: (callee: Callee) => Fn = ({ kind }) => unresolved(kind)) {
    this.functions = new Map();
    this.resolve = resolve;
  }

  has(name: string): boolean {
    return this.functions.has(name);
  }

  get(name: string): Fn {
    const fn = this.functions.get(name);
    if (fn === undefined) throw new Error(`the function @${name} has no body yet`);
    return fn;
  }

  /** Makes functions under these names, unless they are there or being made. */
  derive(names: readonly string[], make: () => readonly Fn[]): void {
    if (names.every((name) => this.functions.has(name))) return;
    for (const name of names) this.functions.set(name, undefined);
    for (const fn of make()) this.functions.set(fn.name, fn);
  }

  set(fn: Fn): void {
    this.functions.set(fn.name, fn);
  }
}

function unresolved(kind: string): never {
  throw new Error(`a call of ${kind} stands outside of a program`);
}

/** The name of the function that a call equation calls, transforms expanded. */
export function calledName(equation: Equation): string {
  const callee = decodeCallee(equation.parameters["callee"]);
  if (callee.kind !== "function") throw new Error(`a call of ${callee.kind} is not expanded`);
  return callee.name;
}

export function calledNames(equations: readonly Equation[]): readonly string[] {
  return equations.flatMap((equation) => [
    ...(equation.op === "call" ? [calledName(equation)] : []),
    ...equation.regions.flatMap((region) => calledNames(region.equations)),
  ]);
}

/** A call of a function by name, in place of `equation`. */
export function callOf(
  equation: Equation,
  fn: { readonly name: string; readonly moves?: Fn["moves"] },
  inputs: readonly Value[],
  outputs: readonly Value[],
): Equation {
  const callee: Callee = { kind: "function", name: fn.name };
  const moves = fn.moves ?? [];
  return {
    ...equation,
    inputs,
    outputs,
    parameters: { callee: encodeCallee(callee), moves: moves.map((pair) => [...pair]) },
  };
}

/** `x` marks what is active: part of the name of a derived function. */
export function maskText(active: readonly boolean[]): string {
  return active.map((is) => (is ? "x" : "_")).join("");
}

type Moves = NonNullable<Fn["moves"]>;

/**
 * The moves of a function that has tangents too: a tangent moves with what it is the tangent of.
 * Tangents of active inputs follow the inputs, those of floating-point outputs the outputs.
 */
export function movesWithTangents(
  moves: Moves,
  active: readonly boolean[],
  inputs: readonly Value[],
  outputs: readonly Value[],
): Moves {
  return moves.flatMap(([from, to]): Moves => {
    if (!active[from]) return [[from, to]];
    const before = active.slice(0, from).filter(Boolean).length;
    const floats = outputs.slice(0, to).filter((output) => isFloat(output.type.dtype)).length;
    return [
      [from, to],
      [inputs.length + before, outputs.length + floats],
    ];
  });
}

/** The moves of a call equation, by position. */
export function movesAt(call: Equation): Moves {
  return (call.parameters["moves"] ?? []) as Moves;
}
