/** A program of the graph → a module of the loop IR: the door to this folder. */

import { type Dim, sameDim, symbolsOf } from "../ir/dim.ts";
import { type Block, type Graph, rootOf, type Value } from "../ir/types.ts";
import { parameterSymbols } from "../ir/walk.ts";
import { type Buffer, endsBefore } from "./buffer.ts";
import { computedInSingles } from "../passes/half.ts";
import { inSinglePrecision } from "../passes/singlePrecision.ts";
import { lowerBlock } from "./frame.ts";
import { lowerFunction } from "./function.ts";
import { conventionsOf } from "./calls.ts";
import {
  add,
  constant,
  type Expr,
  load,
  type Local,
  local,
  type LoopFunction,
  type LoopModule,
  machine,
  read,
  type ResultPlace,
  set,
  type Statement,
  store,
} from "./loop.ts";
import { planMemory } from "./memory.ts";
import { ModuleParts } from "./module.ts";
import { spellIndices } from "./nest.ts";
import { dropParameters } from "./parameters.ts";
import { Program, type Stack } from "./program.ts";
import { type ProgramOptions } from "./options.ts";
import { readIn } from "./rewrite.ts";
import { inWaves } from "./waves.ts";
import { ResultTargets } from "./results.ts";
import { threadsSymbol } from "./tasks.ts";

/** The first memory that functions have for arrays of their own, in bytes. */
const firstSegment = 65536;

/** Lowers a closed program: transforms expanded, calls left only of functions of the graph. */
export function lower(given: Graph, options: ProgramOptions): LoopModule {
  const graph = computedInSingles(options.singles === true ? inSinglePrecision(given) : given);
  const fn = rootOf(graph);
  const parts = new ModuleParts(options);
  const conventions = conventionsOf(graph, parts);
  const plans: string[] = [];
  for (const convention of conventions.values()) {
    const lowered = lowerFunction(parts, convention, conventions, options);
    parts.functions.push(lowered.fn);
    plans.push(`@${convention.fn.name}: ${lowered.memoryText}`);
  }
  const program = new Program(fn.body, options, parts, conventions);
  const symbols = parameterSymbols(fn.body);
  const symbolLocals = symbols.map((name) => program.declareSymbol(name));
  const ending = new Ending(program, fn.body.results);
  const inputs: Local[] = [];
  const emitted = program.collect(() =>
    lowerBlock(
      program,
      fn.body,
      false,
      () => {
        fn.body.parameters.forEach((parameter, k) => {
          inputs.push(enterParameter(program, parameter, k));
        });
        ending.targets.prepare([]);
      },
      (results) => ending.finish(results),
    ),
  );
  const isInWaves = options.grid === true && options.gathers !== true;
  const body = isInWaves ? inWaves(program, emitted) : emitted;
  const { frame } = program;
  const frameBytes = frame === program.arena ? 8 * ending.slots : 0;
  const frames = frame === program.arena ? [] : [frame];
  const plan = planMemory(program.buffers, program.arena, frameBytes, (dim) => program.dim(dim));
  const statements = [...plan.prologue, ...program.constantPointers, ...body];
  const threads = program.usesThreads ? [program.symbolLocal(threadsSymbol)] : [];
  const run: LoopFunction = {
    name: "run",
    comment: fn.name,
    parameters: [
      ...inputs,
      ...ending.targets.pointers,
      ...symbolLocals,
      ...threads,
      program.arena,
      ...frames,
    ],
    body: spellIndices(statements, program.symbolLocal, new Map()),
    results: ending.returned === undefined ? [] : [ending.returned.expr],
    resultTypes: ending.returned === undefined ? [] : [ending.returned.type],
  };
  const pairs = inPlace(program, fn.body, inputs, ending.targets, options.donated ?? []);
  const pairText = ([position, result]: readonly [number, number]): string =>
    `result ${result} in place of ${fn.body.parameters[position]?.name ?? `p${position}`}`;
  const task = parts.tasks.dispatcher();
  const roots = task === undefined ? [run] : [task, run];
  const functions = [...parts.functions, ...parts.tasks.functions, ...roots];
  return {
    name: fn.name,
    functions: conventions.size === 0 ? functions : withSegment(functions, roots, program),
    constants: parts.constants,
    constantsBase: parts.constantsBase,
    sites: parts.sites,
    symbols: program.usesThreads ? [...symbols, threadsSymbol] : symbols,
    arena: plan.slots,
    results: ending.places,
    bound: ending.bound,
    donated: options.donated ?? [],
    inPlace: pairs,
    memoryText: [plan.text, ...plans, ...pairs.map(pairText)].join("\n"),
  };
}

/**
 * Results that may be written where donated parameters are: those are not read any more, or for the
 * last time by the very kernel that writes the result, each element before it is written.
 */
function inPlace(
  program: Program,
  { parameters, results }: Block,
  inputs: readonly Local[],
  targets: ResultTargets,
  donated: readonly number[],
): readonly (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  const left = new Set(donated);
  results.forEach(({ type }, k) => {
    const target = targets.target(k);
    if (target === undefined) return;
    for (const position of left) {
      const parameter = parameters[position] as Value;
      if (parameter.type.dtype !== type.dtype || parameter.type.shape.length === 0) continue;
      const buffer = program.buffers.find(({ pointer }) => pointer === inputs[position]);
      if (buffer === undefined || !sameDim(buffer.bytes, target.bytes)) continue;
      if (!endsBefore(buffer, target)) continue;
      pairs.push([position, k]);
      left.delete(position);
      return;
    }
  });
  return pairs;
}

/** Asks the host for memory for the functions that are called, if any of them needs some. */
function withSegment(
  functions: readonly LoopFunction[],
  roots: readonly LoopFunction[],
  { free, limit }: Program,
): readonly LoopFunction[] {
  return dropParameters(functions, roots).map((fn): LoopFunction => {
    if (fn.name !== "run" || !readIn(fn.body).has(free)) return fn;
    const segment = local("segment", "i32");
    const size = constant(firstSegment);
    const body: Statement[] = [
      { kind: "call", callee: "allocate", operands: [size], results: [segment] },
      set(free, read(segment)),
      set(limit, add(read(segment), size)),
      ...fn.body,
      { kind: "call", callee: "release", operands: [read(segment)], results: [] },
    ];
    return { ...fn, body };
  });
}

function enterParameter(program: Program, parameter: Value, k: number): Local {
  const { dtype, shape } = parameter.type;
  const name = parameter.name ?? `p${k}`;
  const inMemory = shape.length > 0 || program.options.inMemory?.includes(k) === true;
  const input = local(name, inMemory ? "i32" : machine(dtype));
  if (!inMemory) {
    program.define(parameter, { kind: "scalar", expr: read(input) });
  } else if (shape.length === 0) {
    program.makeBuffer("parameter", name, program.bytesOf(parameter.type), input);
    program.setScalar(parameter, load(read(input), constant(0), dtype));
  } else {
    const buffer = program.makeBuffer("parameter", name, program.bytesOf(parameter.type), input);
    program.define(parameter, { kind: "array", buffer });
  }
  return input;
}

/** What the program leaves behind: scalars in its frame, arrays where the caller wants them. */
class Ending {
  readonly targets: ResultTargets;
  readonly places: ResultPlace[] = [];
  readonly bound: { symbol: string; offset: number }[] = [];
  returned: { readonly expr: Expr; readonly type: Local["type"] } | undefined;
  slots = 0;
  private readonly program: Program;

  constructor(program: Program, results: readonly Value[]) {
    this.program = program;
    this.targets = new ResultTargets(program, results);
  }

  /** Emits the code that hands over the results. */
  finish(results: readonly Value[]): readonly (Buffer | Stack)[] {
    const { program } = this;
    // What a grid of threads leaves is in memory.
    const only = results.length === 1 && program.options.grid !== true;
    const buffers = this.targets.settle(results);
    results.forEach((result, k) => {
      const { dtype, shape } = result.type;
      if (shape.length === 0) {
        const expr = program.scalar(result);
        if (only) {
          this.returned = { expr, type: machine(dtype) };
          this.places.push({ kind: "returned" });
        } else {
          const offset = this.slot(store(read(program.frame), constant(0), dtype, expr));
          this.places.push({ kind: "stored", offset });
        }
        return;
      }
      const buffer = buffers[k] as Buffer;
      const target = this.targets.target(k);
      if (target !== undefined) {
        this.targets.bring(result, buffer, target);
        this.places.push({ kind: "passed" });
        return;
      }
      const offset = this.allocated(result, buffer);
      this.places.push({ kind: "allocated", offset });
    });
    return [];
  }

  /** A result of a size that the program found itself: its own memory, handed over. */
  private allocated(result: Value, buffer: Buffer): number {
    const { program } = this;
    const pointer = local("handed_over", "i32");
    const size = program.dim(program.bytesOf(result.type));
    const span = program.definition(result)?.span;
    program.emit({ kind: "call", callee: "allocate", operands: [size], results: [pointer], span });
    this.targets.copyOut(result, buffer, read(pointer));
    for (const dim of result.type.shape) this.bind(dim);
    return this.slot(store(read(program.frame), constant(0), "i32", read(pointer)), true);
  }

  private bind(dim: Dim): void {
    for (const symbol of symbolsOf(dim)) {
      if (this.program.isPlanned(dim) || this.bound.some((known) => known.symbol === symbol))
        continue;
      const value = read(this.program.symbolLocal(symbol));
      const offset = this.slot(store(read(this.program.frame), constant(0), "i32", value), true);
      this.bound.push({ symbol, offset });
    }
  }

  /** Emits a store to the next eight bytes of the frame; their offset. `isAddress`: or an extent. */
  private slot(statement: Statement, isAddress = false): number {
    if (statement.kind !== "store") throw new Error("a slot is written by a store");
    const offset = 8 * this.slots++;
    if (isAddress && this.program.options.grid === true) {
      // The host knows where it is, and does not ask the device.
      const operands = [constant(offset), statement.value];
      this.program.emit({ kind: "call", callee: "hand_over", operands, results: [] });
      return offset;
    }
    const base: Expr = {
      kind: "op",
      op: "add",
      dtype: "i32",
      lanes: 1,
      operands: [statement.base, constant(offset)],
    };
    this.program.emit({ ...statement, base });
    return offset;
  }
}
