/**
 * How functions of the program that stay functions are called:
 *
 *   f(…inputs, …addresses of array results, …symbols, free, limit) -> …scalars and stacks
 *
 * A scalar is passed by value, an array as its address, a stack as its address, count and room,
 * which come back as results. An array in `moves` is written where it is and comes back there; the
 * caller says where every other array result goes. From `free` to `limit` is memory for the
 * function's own arrays, of which each call in progress has its own part.
 */

import { calledName, calledNames } from "../autodiff/functions.ts";
import { symbolsOf } from "../ir/dim.ts";
import type { Dim, Equation, Fn, Graph, Parameter, Value } from "../ir/types.ts";
import { allEquations } from "../ir/walk.ts";
import { type Buffer, rootsOf, touch } from "./buffer.ts";
import { type Expr, type Local, local, machine, read } from "./loop.ts";
import type { ModuleParts } from "./module.ts";
import type { Place, Program, Stack } from "./program.ts";

export interface Convention {
  /** Its name in the loop IR. */
  readonly name: string;
  readonly fn: Fn;
  /** The extents that it mentions and does not find itself. */
  readonly symbols: readonly string[];
}

export type Conventions = ReadonlyMap<string, Convention>;

export function conventionsOf(graph: Graph, parts: ModuleParts): Conventions {
  const functions = [...graph.functions.values()].filter(({ name }) => name !== graph.root);
  const symbols = freeSymbols(functions);
  return new Map(
    functions.map((fn) => {
      const name = parts.functionName(`fn_${fn.name.replaceAll(/[^\w$]/g, "_")}`);
      return [fn.name, { name, fn, symbols: [...(symbols.get(fn.name) ?? [])] }];
    }),
  );
}

/** What each function and those that it calls mention, without what it binds itself. */
function freeSymbols(functions: readonly Fn[]): ReadonlyMap<string, ReadonlySet<string>> {
  const free = new Map<string, Set<string>>();
  const bound = new Map<string, ReadonlySet<string>>();
  for (const { name, body } of functions) {
    const equations = [...allEquations(body)];
    const binds = equations.filter(({ op }) => op === "bind");
    const own = new Set(binds.map(({ parameters }) => String(parameters["symbol"])));
    const values = [...body.parameters, ...equations.flatMap(({ outputs }) => outputs)];
    const mentioned = [
      ...values.flatMap(({ type }) => type.shape.flatMap(symbolsOf)),
      ...equations.flatMap(({ parameters }) => Object.values(parameters).flatMap(symbolsIn)),
    ];
    bound.set(name, own);
    free.set(name, new Set(mentioned.filter((symbol) => !own.has(symbol))));
  }
  for (let changed = true; changed;) {
    changed = false;
    for (const { name, body } of functions) {
      const known = free.get(name) as Set<string>;
      const before = known.size;
      for (const called of calledNames(body.equations)) {
        for (const symbol of free.get(called) ?? []) {
          if (bound.get(name)?.has(symbol) !== true) known.add(symbol);
        }
      }
      changed ||= known.size > before;
    }
  }
  return free;
}

function symbolsIn(parameter: Parameter): readonly string[] {
  if (typeof parameter !== "object") return [];
  if (Array.isArray(parameter)) return (parameter as readonly Parameter[]).flatMap(symbolsIn);
  return symbolsOf(parameter as Dim);
}

/** For each result the parameter that it comes back in, where it does. */
export function movedInto(
  moves: Fn["moves"],
  results: readonly unknown[],
): readonly (number | undefined)[] {
  return results.map((_, k) => moves?.find(([, to]) => to === k)?.[0]);
}

export function lowerCall(program: Program, equation: Equation): void {
  const convention = program.conventions.get(calledName(equation));
  if (convention === undefined) throw new Error("a function is called that the program lacks");
  const { fn } = convention;
  const moves = fn.moves ?? [];
  const { inputs, outputs } = equation;
  const buffers = bufferInputs(program, inputs, new Set(moves.map(([from]) => from)));
  const operands: Expr[] = inputs.flatMap((input, k) => {
    const buffer = buffers[k];
    if (buffer !== undefined) return [read(buffer.pointer)];
    if (input.type.stack) return stackLocals(program.stack(input)).map(read);
    return [program.scalar(input)];
  });
  const results: Local[] = [];
  const stacks = inputs.filter(({ type }) => type.stack).map((input) => program.stack(input));
  const origins = movedInto(moves, outputs);
  const places = outputs.map((output, k): Place => {
    const { dtype, shape, stack: isStack } = output.type;
    if (isStack) {
      const stack = stacks.shift();
      if (stack === undefined)
        throw new Error("a function gives back a stack that it was not given");
      results.push(...stackLocals(stack));
      return { kind: "stack", stack };
    }
    if (shape.length === 0) {
      const target = local(output.name ?? "v", machine(dtype));
      results.push(target);
      return { kind: "scalar", expr: read(target) };
    }
    const origin = origins[k];
    if (origin !== undefined) return { kind: "array", buffer: buffers[origin] as Buffer };
    const buffer = program.fresh(output);
    operands.push(read(buffer.pointer));
    return { kind: "array", buffer };
  });
  for (const buffer of buffers) if (buffer !== undefined) touch(buffer, program.step);
  operands.push(...convention.symbols.map((name) => read(program.symbolLocal(name))));
  operands.push(read(program.free), read(program.limit));
  program.emit({ kind: "call", callee: convention.name, operands, results, span: equation.span });
  program.step++;
  outputs.forEach((output, k) => program.define(output, places[k] as Place));
}

/** The memory of array inputs; what the function writes belongs to nobody else. */
function bufferInputs(
  program: Program,
  inputs: readonly Value[],
  moved: ReadonlySet<number>,
): readonly (Buffer | undefined)[] {
  const isArray = ({ type }: Value): boolean => type.shape.length > 0 && !type.stack;
  const buffers = inputs.map((input, k) =>
    isArray(input) && !moved.has(k) ? program.buffer(input) : undefined,
  );
  inputs.forEach((input, k) => {
    if (!moved.has(k)) return;
    const own = program.own(input);
    const others = buffers.flatMap((buffer) => (buffer === undefined ? [] : rootsOf(buffer)));
    const shared = rootsOf(own).some((root) => others.includes(root));
    buffers[k] = shared ? program.copyOf(input, own) : own;
  });
  return buffers;
}

export function stackLocals({ base, count, most, capacity }: Stack): readonly Local[] {
  return most === count ? [base, count, capacity] : [base, count, capacity, most];
}
