/** One function that stays a function, as a function of the loop IR. */

import type { Fn, Value } from "../ir/types.ts";
import { type Buffer } from "./buffer.ts";
import { lowerBlock } from "./frame.ts";
import { type Convention, type Conventions, stackLocals } from "./calls.ts";
import {
  add,
  constant,
  type Expr,
  isValue,
  less,
  type Local,
  local,
  type LoopFunction,
  machine,
  op,
  read,
  set,
  type Statement,
  subtract,
} from "./loop.ts";
import { planMemory } from "./memory.ts";
import type { ModuleParts } from "./module.ts";
import { spellIndices } from "./nest.ts";
import { Program, type Stack } from "./program.ts";
import { type ProgramOptions } from "./options.ts";
import { ResultTargets } from "./results.ts";
import { newStack } from "./streams.ts";

export interface LoweredFunction {
  readonly fn: LoopFunction;
  readonly memoryText: string;
}

/** Where there is too little memory for a call's arrays, it asks for so much more than it needs. */
const segment = 1 << 20;

export function lowerFunction(
  parts: ModuleParts,
  { name, fn, symbols }: Convention,
  conventions: Conventions,
  options: ProgramOptions,
): LoweredFunction {
  const program = new Program(fn.body, options, parts, conventions);
  program.isCalled = true;
  const symbolLocals = symbols.map((symbol) => program.declareSymbol(symbol));
  const targets = new ResultTargets(program, fn.body.results, fn.moves);
  const inputs: Local[] = [];
  const results: Local[] = [];
  const body = program.collect(() =>
    lowerBlock(
      program,
      fn.body,
      false,
      () => {
        const moved = new Set(fn.moves?.map(([from]) => from));
        const buffers = fn.body.parameters.map((parameter, k) => {
          const entered = enterParameter(program, parameter, k, moved.has(k));
          inputs.push(...entered.locals);
          return entered.buffer;
        });
        targets.prepare(buffers);
      },
      (values) => {
        const finished = finish(program, targets, fn, values);
        results.push(...finished.results);
        return finished.stacks;
      },
    ),
  );
  const plan = planMemory(program.buffers, program.arena, 0, (dim) => program.dim(dim));
  const [entry, exit] = frameCode(program, plan.size);
  const statements = [...entry, ...plan.prologue, ...program.constantPointers, ...body, ...exit];
  return {
    fn: {
      name,
      comment: fn.name,
      parameters: [...inputs, ...targets.pointers, ...symbolLocals, program.free, program.limit],
      body: spellIndices(statements, program.symbolLocal, new Map()),
      results: results.map(read),
      resultTypes: results.map(({ type }) => type),
    },
    memoryText: plan.text,
  };
}

function enterParameter(
  program: Program,
  parameter: Value,
  k: number,
  moved: boolean,
): { readonly locals: readonly Local[]; readonly buffer?: Buffer } {
  const { dtype, shape, stack: isStack } = parameter.type;
  const name = parameter.name ?? `p${k}`;
  if (isStack) {
    const stack = newStack(program, { dtype, shape, stack: false });
    program.define(parameter, { kind: "stack", stack });
    return { locals: stackLocals(stack) };
  }
  if (shape.length === 0) {
    const input = local(name, machine(dtype));
    program.define(parameter, { kind: "scalar", expr: read(input) });
    return { locals: [input] };
  }
  const input = local(name, "i32");
  // What has been moved in may be overwritten.
  const kind = moved ? "result" : "parameter";
  const buffer = program.makeBuffer(kind, name, program.bytesOf(parameter.type), input);
  program.define(parameter, { kind: "array", buffer });
  return { locals: [input], buffer };
}

/** Emits the code that hands over the results; the locals that are returned. */
function finish(
  program: Program,
  targets: ResultTargets,
  fn: Fn,
  values: readonly Value[],
): { readonly results: readonly Local[]; readonly stacks: readonly Stack[] } {
  const buffers = targets.settle(values);
  const stacks: Stack[] = [];
  const results = values.flatMap((value, k): readonly Local[] => {
    const buffer = buffers[k];
    if (buffer !== undefined) {
      const target = targets.target(k);
      if (target === undefined) {
        throw new Error(`@${fn.name} gives back an array whose length it finds itself`);
      }
      targets.bring(value, buffer, target);
      return [];
    }
    if (value.type.stack) {
      const stack = program.stack(value);
      stacks.push(stack);
      return stackLocals(stack);
    }
    const result = local(value.name ?? "result", machine(value.type.dtype));
    program.emit(set(result, program.scalar(value)));
    return [result];
  });
  return { results, stacks };
}

/** Takes `size` bytes at `free` on entry, of a new segment where they do not fit below `limit`. */
function frameCode(
  { arena, free, limit }: Program,
  size: Expr,
): readonly [readonly Statement[], readonly Statement[]] {
  if (isValue(size, 0)) return [[], []];
  const own = local("own_segment", "i32");
  const bytes = local("frame_bytes", "i32");
  const whole = add(read(bytes), constant(segment));
  const entry: Statement[] = [
    set(bytes, size),
    set(own, constant(0)),
    {
      kind: "if",
      condition: less(subtract(read(limit), read(free)), read(bytes)),
      then: [
        { kind: "call", callee: "allocate", operands: [whole], results: [own] },
        set(free, read(own)),
        set(limit, add(read(own), whole)),
      ],
      otherwise: [],
    },
    set(arena, read(free)),
    set(free, add(read(free), read(bytes))),
  ];
  const release: Statement = {
    kind: "call",
    callee: "release",
    operands: [read(own)],
    results: [],
  };
  const exit: Statement = {
    kind: "if",
    condition: op("ne", "i32", [read(own), constant(0)]),
    then: [release],
    otherwise: [],
  };
  return [entry, [exit]];
}
