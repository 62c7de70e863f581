/** Stacks: growable memory of the host's, with its address, length and room in locals. */

import { dimText } from "../../ir/dim.ts";
import type { Block, DType, Equation, Value } from "../../ir/types.ts";
import { localIndex, scaleIndex } from "../affine.ts";
import {
  add,
  constant,
  type Expr,
  load,
  type Local,
  local,
  maximum,
  multiply,
  op,
  read,
  set,
  type Statement,
  store,
  temporary,
} from "../loop.ts";
import type { Program, Stack } from "../program.ts";
import {
  atMost,
  emptyStack,
  fewer,
  isThere,
  mayLack,
  missing,
  movedTo,
  type Stream,
  streamAddress,
} from "../streams.ts";

/** The first room that a stack asks for, in elements. */
const firstCapacity = 16;

export function stack_new(program: Program, equation: Equation): void {
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = output.type;
  const stack = emptyStack(program, { dtype, shape, stack: false });
  program.define(output, { kind: "stack", stack });
}

export function push(program: Program, equation: Equation): void {
  const [from, value] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const stack = program.stack(from);
  const { element, count } = stack;
  const source = element.shape.length > 0 ? program.buffer(value) : undefined;
  const { stream, roomy } = program.stacks.get(stack) ?? {};
  if (roomy !== true && !program.preparedStacks.has(from)) {
    program.emit(...growth(program, stack, together(program, equation)));
  }
  if (source === undefined) {
    const [at, index] = elementOf(stack, stream);
    program.emit(store(at, index, element.dtype, program.scalar(value)));
  } else {
    program.emit({
      kind: "copy",
      to: addressOf(program, stack, stream),
      from: read(source.pointer),
      bytes: program.dim(program.bytesOf(element)),
    });
  }
  if (stream === undefined) program.emit(set(count, add(read(count), constant(1))));
  program.define(output, { kind: "stack", stack });
}

export function pop(program: Program, equation: Equation): void {
  const [from] = equation.inputs as readonly [Value];
  const [rest, value] = equation.outputs as readonly [Value, Value];
  const stack = program.stack(from);
  const { element, count } = stack;
  const { stream, filled } = program.stacks.get(stack) ?? {};
  const there = mayLack(program, equation) ? local("there", "i32") : undefined;
  if (there !== undefined) {
    if (filled !== true) program.emit(...fewer(program, stack, constant(1)));
    program.emit(set(there, isThere(stack, stream)));
  } else if (filled !== true && !program.preparedStacks.has(from)) {
    const wanted = constant(together(program, equation));
    program.emit(
      {
        kind: "if",
        condition: op("lt", "i32", [read(count), wanted]),
        then: missing(program, stack, wanted, equation),
        otherwise: [],
      },
      ...fewer(program, stack, wanted),
    );
  }
  if (stream === undefined) {
    const left = add(read(count), constant(-1));
    program.emit(set(count, there === undefined ? left : maximum(left, constant(0))));
  }
  program.define(rest, { kind: "stack", stack });
  if (element.shape.length === 0) {
    const [at, index] = elementOf(stack, stream);
    const top = load(at, index, element.dtype);
    program.setScalar(value, there === undefined ? top : orZero(there, top, element.dtype));
    return;
  }
  if (program.uses.count(value) === 0) return;
  if (there === undefined && staysThere(program, value, stack)) {
    const pointer = temporary("popped_at", "i32");
    program.emit(set(pointer, addressOf(program, stack, stream)));
    const buffer = program.makeBuffer("parameter", "popped", program.bytesOf(element), pointer);
    program.define(value, { kind: "array", buffer });
    return;
  }
  const buffer = program.fresh(value);
  const to = read(buffer.pointer);
  const bytes = program.dim(program.bytesOf(element));
  const copy: Statement = { kind: "copy", to, from: addressOf(program, stack, stream), bytes };
  program.emit(
    there === undefined
      ? copy
      : {
          kind: "if",
          condition: read(there),
          then: [copy],
          otherwise: [{ kind: "clear", to, bytes }],
        },
  );
  program.define(value, { kind: "array", buffer });
}

function orZero(there: Local, value: Expr, dtype: DType): Expr {
  const [condition, otherwise] = [read(there), constant(0, dtype)];
  return { kind: "when", dtype, lanes: 1, condition, then: value, otherwise };
}

/** True when nothing is pushed on such a stack while the popped array may be read. */
function staysThere(program: Program, value: Value, { element }: Stack): boolean {
  const frame = program.frames.at(-1);
  if (frame === undefined || frame.block.results.includes(value)) return false;
  const pushes = (block: Block): boolean =>
    block.equations.some((equation) => mayPush(equation) || equation.regions.some(pushes));
  const mayPush = ({ op: name, inputs }: Equation): boolean =>
    (name === "push" || name === "call") &&
    inputs.some((input) => input.type.stack && sameElement(input));
  const sameElement = ({ type }: Value): boolean =>
    type.dtype === element.dtype &&
    type.shape.map(dimText).join() === element.shape.map(dimText).join();
  return !frame.block.equations
    .slice(frame.position)
    .some((equation) => mayPush(equation) || equation.regions.some(pushes));
}

/** The scalar that a push writes or a pop takes, as a base and an index. */
function elementOf({ base, count }: Stack, stream: Stream | undefined): readonly [Expr, Expr] {
  if (stream === undefined) return [read(base), read(count)];
  const { at, counter, direction } = stream;
  return [read(at), scaleIndex(localIndex(counter), direction)];
}

function addressOf(program: Program, stack: Stack, stream: Stream | undefined): Expr {
  if (stream !== undefined) return streamAddress(program, stack, stream);
  const { base, count, element } = stack;
  return add(read(base), multiply(read(count), program.dim(program.bytesOf(element))));
}

/**
 * How many pushes, or pops, come one after the other from here on, with nothing in between that
 * could use the stack: one look at its room or its filling is enough for all of them.
 */
function together(program: Program, equation: Equation): number {
  const { block, position } = program.frames.at(-1) as { block: Block; position: number };
  let count = 1;
  let stack = equation.outputs[0] as Value;
  for (const next of block.equations.slice(position + 1)) {
    if (next.op === "call" || next.regions.length > 0) break;
    if (next.inputs[0] !== stack) continue;
    if (next.op !== equation.op || count === firstCapacity) break;
    if (next.parameters["orZero"] !== equation.parameters["orZero"]) break;
    program.preparedStacks.add(stack);
    stack = next.outputs[0] as Value;
    count++;
  }
  return count;
}

/** Twice the room when there is too little for `more` elements, which are at most the first room. */
function growth(program: Program, stack: Stack, more: number): readonly Statement[] {
  const { base, most, capacity, element } = stack;
  const bytes = program.dim(program.bytesOf(element));
  const [room, moved] = [local("room", "i32"), local("moved", "i32")];
  const wanted = add(read(most), constant(more));
  return [
    {
      kind: "if",
      condition: op("gt", "i32", [wanted, read(capacity)]),
      then: [
        set(
          room,
          op("max", "i32", [constant(firstCapacity), multiply(read(capacity), constant(2))]),
        ),
        ...movedTo(stack, room, moved, bytes),
        set(base, read(moved)),
        set(capacity, read(room)),
      ],
      otherwise: [],
    },
    ...atMost(program, stack, wanted),
  ];
}
