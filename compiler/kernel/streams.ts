/**
 * What a `for` does with stacks, settled in front of it where the number of pushes and pops is
 * known there: room for all of them is made at once, and where a round pushes or pops once, its
 * element stands at a place that follows from the counter.
 *
 *   for i: push(s, x)   →   reserve(s, n); at = end of s; for i: at[i] = x; count of s += n
 */

import type { Block, Equation, Span, Value, ValueType } from "../ir/types.ts";
import { allEquations, freeValues } from "../ir/walk.ts";
import { stackLocals } from "./calls.ts";
import {
  add,
  constant,
  type Expr,
  isConstant,
  less,
  type Local,
  local,
  maximum,
  multiply,
  op,
  read,
  set,
  type Statement,
  subtract,
} from "./loop.ts";
import type { Program, Stack } from "./program.ts";
import {
  isDecided,
  isNone,
  isOnce,
  mostInArms,
  mostTraffic,
  type Traffic,
  trafficOf,
} from "./traffic.ts";

/** The element of round `counter` stands `counter` elements after `at`, or before it. */
export interface Stream {
  readonly at: Local;
  readonly counter: Local;
  readonly direction: 1 | -1;
  /** There may be no element for the last rounds: they take zeros. */
  readonly mayLack?: boolean;
}

/** What is known of a stack inside the loops that are being lowered. */
export interface StackState {
  readonly stream?: Stream | undefined;
  /** There is room for every push. */
  readonly roomy?: boolean | undefined;
  /** There is something for every pop. */
  readonly filled?: boolean | undefined;
}

/** Emits what comes in front of the loop; the function that is returned, what comes after it. */
export function openStreams(
  program: Program,
  equation: Equation,
  limit: Expr,
  counter: Local,
): () => void {
  const [body] = equation.regions as readonly [Block];
  const closing: (() => void)[] = [];
  equation.inputs.forEach((input, k) => {
    if (!input.type.stack) return;
    const parameter = body.parameters[k] as Value;
    const stack = program.stack(input);
    const before = program.stacks.get(stack) ?? {};
    const pushes = known(program, body, trafficOf(body, parameter, "push"));
    const pops = known(program, body, trafficOf(body, parameter, "pop"));
    const opened = pushes
      ? openPushes(program, stack, pushes, limit, counter, before)
      : pops
        ? openPops(program, stack, pops, limit, counter, before, equation)
        : program.options.grid === true
          ? openBranches(program, stack, mostTraffic(body, parameter), limit, before)
          : before;
    program.stacks.set(stack, opened);
    closing.push(() => {
      const { stream } = opened;
      if (stream !== undefined) {
        const moved = multiply(trips(limit), constant(stream.direction));
        const left = add(read(stack.count), moved);
        program.emit(set(stack.count, stream.mayLack === true ? maximum(left, constant(0)) : left));
      }
      program.stacks.set(stack, before);
    });
  });
  return () => {
    for (const close of closing) close();
  };
}

/** Locals for a stack. */
export function newStack({ options }: Program, element: ValueType): Stack {
  const count = local("stack_count", "i32");
  return {
    base: local("stack_at", "i32"),
    count,
    most: options.grid === true ? local("stack_most", "i32") : count,
    capacity: local("stack_room", "i32"),
    element,
  };
}

/** A stack of the block being lowered, which gives its memory back at the end. */
export function emptyStack(program: Program, element: ValueType): Stack {
  const stack = newStack(program, element);
  program.emit(...stackLocals(stack).map((part) => set(part, constant(0))));
  program.frames.at(-1)?.stacks.push(stack);
  return stack;
}

/** The address of the element that a push or pop in this round is about. */
export function streamAddress(program: Program, { element }: Stack, stream: Stream): Expr {
  const { at, counter, direction } = stream;
  const offset = multiply(read(counter), program.dim(program.bytesOf(element)));
  return op(direction === 1 ? "add" : "sub", "i32", [read(at), offset]);
}

/**
 * Emits what comes in front of an `if`: where a device may decide, there is room for what either
 * arm pushes before it does. The function that is returned is called after the `if`.
 */
export function openArms(program: Program, equation: Equation): () => void {
  if (program.options.grid !== true) return () => {};
  const closing: (() => void)[] = [];
  for (const value of new Set(equation.regions.flatMap(freeValues))) {
    if (!value.type.stack) continue;
    const stack = program.stack(value);
    const before = program.stacks.get(stack) ?? {};
    const traffic = mostInArms(equation, value);
    program.stacks.set(stack, openBranches(program, stack, traffic, constant(1), before));
    closing.push(() => program.stacks.set(stack, before));
  }
  return () => {
    for (const close of closing) close();
  };
}

/** Makes room for as much as all rounds may push, where a device decides how much that is. */
function openBranches(
  program: Program,
  stack: Stack,
  traffic: Traffic | undefined,
  limit: Expr,
  before: StackState,
): StackState {
  if (before.roomy === true || traffic === undefined || !isDecided(traffic)) return before;
  const amount = mostOf(program, traffic);
  if (amount === undefined) return before;
  program.emit(...reservation(program, stack, rounds(limit, amount)));
  return { ...before, roomy: true, stream: undefined };
}

interface Known {
  readonly traffic: Traffic;
  /** In one round. */
  readonly amount: Expr;
}

function openPushes(
  program: Program,
  stack: Stack,
  { traffic, amount }: Known,
  limit: Expr,
  counter: Local,
  before: StackState,
): StackState {
  if (before.roomy !== true) program.emit(...reservation(program, stack, rounds(limit, amount)));
  if (!isOnce(traffic)) return { ...before, roomy: true, stream: undefined };
  const at = local("pushed_at", "i32");
  program.streamPointers.add(at);
  program.emit(set(at, add(read(stack.base), bytesFor(program, stack, read(stack.count)))));
  return { ...before, roomy: true, stream: { at, counter, direction: 1 } };
}

function openPops(
  program: Program,
  stack: Stack,
  { traffic, amount }: Known,
  limit: Expr,
  counter: Local,
  before: StackState,
  equation: Equation,
): StackState {
  const { base, count } = stack;
  const { first = equation } = traffic;
  const lacking = mayLack(program, first);
  if (before.filled !== true) {
    const wanted = rounds(limit, amount);
    if (!lacking) {
      program.emit({
        kind: "if",
        condition: op("lt", "f64", [float(read(count)), wanted]),
        then: missing(program, stack, whole(wanted), first),
        otherwise: [],
      });
    }
    program.emit(...fewer(program, stack, whole(wanted)));
  }
  if (!isOnce(traffic)) return { ...before, filled: true, stream: undefined };
  const at = local("popped_from", "i32");
  program.streamPointers.add(at);
  const last = subtract(read(count), constant(1));
  program.emit(set(at, add(read(base), bytesFor(program, stack, last))));
  return { ...before, filled: true, stream: { at, counter, direction: -1, mayLack: lacking } };
}

/** The traffic of one round with its amount, where all trip counts are known in front of it. */
function known(program: Program, body: Block, traffic: Traffic | undefined): Known | undefined {
  if (traffic === undefined || isNone(traffic)) return undefined;
  const amount = amountOf(program, body, traffic);
  return amount && { traffic, amount };
}

function amountOf(program: Program, body: Block, { own, loops }: Traffic): Expr | undefined {
  let sum: Expr = constant(own, "f64");
  for (const { count, inner } of loops) {
    const each = amountOf(program, body, inner);
    const times = program.scalarIfKnown(count) ?? constantIn(body, count);
    if (each === undefined || times === undefined) return undefined;
    sum = op("add", "f64", [sum, rounds(times, each)]);
  }
  return sum;
}

/** As much as the arms that push most, with counts that are computed from what is known. */
function mostOf(program: Program, { own, loops, branches }: Traffic): Expr | undefined {
  let sum: Expr = constant(own, "f64");
  for (const { count, inner } of loops) {
    const each = mostOf(program, inner);
    const times = program.foreseen(count);
    if (each === undefined || times === undefined) return undefined;
    sum = op("add", "f64", [sum, rounds(times, each)]);
  }
  for (const arms of branches) {
    const each = arms.map((arm) => mostOf(program, arm));
    if (!each.every((amount) => amount !== undefined)) return undefined;
    sum = op("add", "f64", [sum, op("max", "f64", each)]);
  }
  return sum;
}

function constantIn(body: Block, value: Value): Expr | undefined {
  for (const { op: name, outputs, parameters } of allEquations(body)) {
    if (name !== "constant" || outputs[0] !== value) continue;
    return constant((parameters["values"] as readonly number[])[0] as number);
  }
  return undefined;
}

/** `max(0, count) · each`: doubles, which do not overflow. */
function rounds(count: Expr, each: Expr): Expr {
  return op("mul", "f64", [float(trips(count)), each]);
}

function trips(count: Expr): Expr {
  if (isConstant(count)) return constant(Math.max(0, count.value));
  return op("max", "i32", [count, constant(0)]);
}

function float(value: Expr): Expr {
  return { kind: "cast", from: "i32", to: "f64", lanes: 1, value };
}

function bytesFor(program: Program, { element }: Stack, count: Expr): Expr {
  return multiply(count, program.dim(program.bytesOf(element)));
}

/** More bytes than there can be: the host says so when it is asked for them. */
const allBytes = 2 ** 31 - 65536;

/**
 * Room for `more` elements, exactly so many at first. Where a stack grows again and again, by
 * loops inside loops of unknown length, it grows to at least twice its size.
 */
function reservation(program: Program, stack: Stack, more: Expr): readonly Statement[] {
  const { base, most: present, capacity, element } = stack;
  const [wanted, room, moved] = [
    local("wanted", "f64"),
    local("room", "i32"),
    local("moved", "i32"),
  ];
  const bytes = program.dim(program.bytesOf(element));
  const most = op("div", "f64", [
    constant(allBytes, "f64"),
    op("max", "f64", [float(bytes), constant(1, "f64")]),
  ]);
  const doubled = op("mul", "f64", [float(read(capacity)), constant(2, "f64")]);
  const generous = op("select", "f64", [
    op("lt", "f64", [doubled, op("mul", "f64", [most, constant(0.5, "f64")])]),
    op("max", "f64", [read(wanted), doubled]),
    read(wanted),
  ]);
  return [
    set(wanted, op("add", "f64", [float(read(present)), more])),
    {
      kind: "if",
      condition: op("gt", "f64", [read(wanted), float(read(capacity))]),
      then: [
        set(room, {
          kind: "cast",
          from: "f64",
          to: "i32",
          lanes: 1,
          value: op("min", "f64", [generous, most]),
        }),
        ...movedTo(stack, room, moved, bytes, program.span),
        set(base, read(moved)),
        set(capacity, read(room)),
      ],
      otherwise: [],
    },
    ...atMost(program, stack, whole(read(wanted))),
  ];
}

/** Notes how many elements there may be soon, where that is not how many there are. */
export function atMost(program: Program, stack: Stack, most: Expr): readonly Statement[] {
  if (stack.most === stack.count) return [];
  program.roomMade.set(stack, program.frames.at(-1)?.block);
  return [set(stack.most, most)];
}

/**
 * Notes that so many elements are gone: in the block that has made room for some, whose code the
 * host runs if it can.
 */
export function fewer(program: Program, stack: Stack, popped: Expr): readonly Statement[] {
  const { most, count } = stack;
  const block = program.frames.at(-1)?.block;
  if (most === count || program.roomMade.get(stack) !== block) return [];
  return [set(most, maximum(subtract(read(most), popped), constant(0)))];
}

/** True of a pop that finds out itself whether there is something: the host cannot. */
export function mayLack({ options }: Program, { parameters }: Equation): boolean {
  return options.grid === true && parameters["orZero"] === true;
}

/** Whether there is an element for such a pop. */
export function isThere({ count }: Stack, stream: Stream | undefined): Expr {
  return stream === undefined
    ? less(constant(0), read(count))
    : less(read(stream.counter), read(count));
}

/** A number of elements that fits the memory. */
function whole(count: Expr): Expr {
  const most = op("min", "f64", [count, constant(allBytes, "f64")]);
  return { kind: "cast", from: "f64", to: "i32", lanes: 1, value: most };
}

/** What is done about a stack with fewer than `wanted` elements, all of which will be popped. */
export function missing(
  program: Program,
  stack: Stack,
  wanted: Expr,
  { op: name, span, parameters, inputs }: Equation,
): readonly Statement[] {
  const { base, count, capacity, element } = stack;
  if (parameters["orZero"] !== true) {
    const site = program.site("stack", name, span, inputs[0]?.name);
    return [{ kind: "fault", site, index: read(count), extent: constant(0) }];
  }
  // Zeros below those that there are.
  const [room, moved, zeros] = [local("room", "i32"), local("moved", "i32"), local("zeros", "i32")];
  const bytes = program.dim(program.bytesOf(element));
  const present = multiply(read(count), bytes);
  return [
    set(room, wanted),
    {
      kind: "call",
      callee: "allocate",
      operands: [multiply(read(room), bytes)],
      results: [moved],
      span,
    },
    set(zeros, multiply(subtract(read(room), read(count)), bytes)),
    { kind: "clear", to: read(moved), bytes: read(zeros) },
    { kind: "copy", to: add(read(moved), read(zeros)), from: read(base), bytes: present },
    { kind: "call", callee: "release", operands: [read(base)], results: [] },
    set(base, read(moved)),
    set(count, read(room)),
    set(capacity, read(room)),
  ];
}

/** Fresh memory for `room` elements with those that there are. */
export function movedTo(
  { base, most }: Stack,
  room: Local,
  moved: Local,
  bytes: Expr,
  span?: Span,
): readonly Statement[] {
  return [
    {
      kind: "call",
      callee: "allocate",
      operands: [multiply(read(room), bytes)],
      results: [moved],
      span,
    },
    { kind: "copy", to: read(moved), from: read(base), bytes: multiply(read(most), bytes) },
    { kind: "call", callee: "release", operands: [read(base)], results: [] },
  ];
}
