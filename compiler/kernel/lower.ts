/** A function of the graph → a module of the loop IR: the door to this folder. */

import { type Dim, symbolsOf } from "../ir/dim.ts";
import type { Fn, Value } from "../ir/types.ts";
import { parameterSymbols } from "../ir/walk.ts";
import { type Buffer, bytesOf, rootsOf } from "./buffer.ts";
import { lowerBlock } from "./frame.ts";
import {
  constant,
  type Expr,
  type Local,
  local,
  type LoopFunction,
  type LoopModule,
  machine,
  read,
  type ResultPlace,
  type Statement,
  store,
} from "./loop.ts";
import { planMemory } from "./memory.ts";
import { spellIndices } from "./nest.ts";
import { Program, type ProgramOptions, type Stack } from "./program.ts";

/** Lowers a closed function: calls inlined, derivatives expanded. */
export function lower(fn: Fn, options: ProgramOptions): LoopModule {
  const program = new Program(fn.body, options);
  const symbols = parameterSymbols(fn.body);
  const symbolLocals = symbols.map((name) => program.declareSymbol(name));
  const ending = new Ending(program, fn.body.results);
  const inputs: Local[] = [];
  const body = program.collect(() =>
    lowerBlock(
      program,
      fn.body,
      false,
      () => {
        fn.body.parameters.forEach((parameter, k) => {
          inputs.push(enterParameter(program, parameter, k));
        });
        ending.prepare();
      },
      (results) => ending.finish(results),
    ),
  );
  const frameBytes = 8 * ending.slots;
  const plan = planMemory(program.buffers, program.arena, frameBytes, (dim) => program.dim(dim));
  const statements = [...plan.prologue, ...program.constantPointers, ...body];
  const run: LoopFunction = {
    name: "run",
    comment: fn.name,
    parameters: [...inputs, ...ending.pointers, ...symbolLocals, program.arena],
    body: spellIndices(statements, program.symbolLocal, new Map()),
    results: ending.returned === undefined ? [] : [ending.returned.expr],
    resultTypes: ending.returned === undefined ? [] : [ending.returned.type],
  };
  return {
    name: fn.name,
    functions: [...program.functions, run],
    constants: program.constants,
    constantsBase: program.constantsBase,
    sites: program.sites,
    symbols,
    arena: plan.slots,
    results: ending.places,
    bound: ending.bound,
    memoryText: plan.text,
  };
}

function enterParameter(program: Program, parameter: Value, k: number): Local {
  const { dtype, shape } = parameter.type;
  const name = parameter.name ?? `p${k}`;
  const input = local(name, shape.length === 0 ? machine(dtype) : "i32");
  if (shape.length === 0) {
    program.define(parameter, { kind: "scalar", expr: read(input) });
  } else {
    const buffer = program.makeBuffer("parameter", name, bytesOf(parameter.type), input);
    program.define(parameter, { kind: "array", buffer });
  }
  return input;
}

/** What the program leaves behind: scalars in its frame, arrays where the caller wants them. */
class Ending {
  readonly pointers: Local[] = [];
  readonly places: ResultPlace[] = [];
  readonly bound: { symbol: string; offset: number }[] = [];
  returned: { readonly expr: Expr; readonly type: Local["type"] } | undefined;
  slots = 0;
  private readonly program: Program;
  private readonly results: readonly Value[];
  private readonly targets: (Buffer | undefined)[] = [];

  constructor(program: Program, results: readonly Value[]) {
    this.program = program;
    this.results = results;
  }

  /** Arrays whose size the caller knows are written to its memory directly where possible. */
  prepare(): void {
    const { program, results } = this;
    results.forEach(({ type, name }, k) => {
      const bytes = bytesOf(type);
      if (type.shape.length === 0 || !program.isPlanned(bytes)) {
        this.targets.push(undefined);
        return;
      }
      const pointer = local(`result${k}`, "i32");
      this.pointers.push(pointer);
      const target = program.makeBuffer("result", name ?? `result${k}`, bytes, pointer);
      this.targets.push(target);
      const origin = this.origin(results[k] as Value);
      if (!program.resultBuffers.has(origin)) program.resultBuffers.set(origin, target);
    });
  }

  /** Emits the code that hands over the results. */
  finish(results: readonly Value[]): readonly (Buffer | Stack)[] {
    const { program } = this;
    const only = results.length === 1;
    const buffers = results.map((result) =>
      result.type.shape.length === 0 ? undefined : program.buffer(result),
    );
    results.forEach((result, k) => {
      const buffer = buffers[k];
      // Arrays that took turns in a loop may lie in each other's target.
      const elsewhere = this.targets.filter((target, j) => target !== undefined && j !== k);
      if (buffer === undefined || buffer.kind !== "joined") return;
      if (!rootsOf(buffer).some((root) => elsewhere.includes(root))) return;
      const kept = program.allocate("kept", bytesOf(result.type));
      this.copyOut(result, buffer, read(kept.pointer));
      buffers[k] = kept;
    });
    results.forEach((result, k) => {
      const { dtype, shape } = result.type;
      if (shape.length === 0) {
        const expr = program.scalar(result);
        if (only) {
          this.returned = { expr, type: machine(dtype) };
          this.places.push({ kind: "returned" });
        } else {
          const offset = this.slot(store(read(program.arena), constant(0), dtype, expr));
          this.places.push({ kind: "stored", offset });
        }
        return;
      }
      const buffer = buffers[k] as Buffer;
      const target = this.targets[k];
      if (target !== undefined) {
        if (buffer !== target) this.copyOut(result, buffer, read(target.pointer));
        this.places.push({ kind: "passed" });
        return;
      }
      const offset = this.allocated(result, buffer);
      this.places.push({ kind: "allocated", offset });
    });
    return [];
  }

  private copyOut(result: Value, buffer: Buffer, to: Expr): void {
    const { program } = this;
    program.buffer(result);
    program.emit({
      kind: "copy",
      to,
      from: read(buffer.pointer),
      bytes: program.dim(bytesOf(result.type)),
    });
  }

  /** A result of a size that the program found itself: its own memory, handed over. */
  private allocated(result: Value, buffer: Buffer): number {
    const { program } = this;
    const pointer = local("handed_over", "i32");
    const size = program.dim(bytesOf(result.type));
    program.emit({ kind: "call", callee: "allocate", operands: [size], results: [pointer] });
    this.copyOut(result, buffer, read(pointer));
    for (const dim of result.type.shape) this.bind(dim);
    return this.slot(store(read(program.arena), constant(0), "i32", read(pointer)));
  }

  private bind(dim: Dim): void {
    for (const symbol of symbolsOf(dim)) {
      if (this.program.isPlanned(dim) || this.bound.some((known) => known.symbol === symbol))
        continue;
      const value = read(this.program.symbolLocal(symbol));
      const offset = this.slot(store(read(this.program.arena), constant(0), "i32", value));
      this.bound.push({ symbol, offset });
    }
  }

  /** Emits a store to the next eight bytes of the frame; their offset. */
  private slot(statement: Statement): number {
    if (statement.kind !== "store") throw new Error("a slot is written by a store");
    const offset = 8 * this.slots++;
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

  /** The value whose memory the result takes over: through renamings and updates in place. */
  private origin(value: Value): Value {
    const producer = this.program.frames[0]?.block.equations.find((equation) =>
      equation.outputs.includes(value),
    );
    if (producer === undefined) return value;
    const at = producer.outputs.indexOf(value);
    const loop = producer.op === "for" ? 1 : producer.op === "while" ? 0 : undefined;
    const input =
      loop === undefined
        ? this.sameMemory(producer.op, producer.inputs)
        : producer.inputs[at + loop];
    if (input === undefined || this.program.uses.count(input) !== 1) return value;
    return input.type.shape.length === 0 ? value : this.origin(input);
  }

  private sameMemory(name: string, inputs: readonly Value[]): Value | undefined {
    if (name === "if" || name === "map" || name === "call") return undefined;
    const { laws, lower } = this.program.op(name);
    const consumed = laws.consumes?.[0];
    if (consumed !== undefined) return inputs[consumed];
    return lower.kind === "element" && lower.alias === true ? inputs[0] : undefined;
  }
}
