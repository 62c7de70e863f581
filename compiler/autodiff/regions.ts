/**
 * Reverse mode through regions: a forward region where the region was, and a reverse region where
 * the walk comes back to it.
 */

import { elementCount, sameShape, symbolsOf } from "../ir/dim.ts";
import {
  arrayType,
  type Block,
  type DType,
  type Equation,
  scalarType,
  stackType,
  type Value,
  type ValueType,
} from "../ir/types.ts";
import { allEquations, copyBlock, extentsOf, freeValues, loopOf, renameBlock } from "../ir/walk.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { dropDead } from "../passes/dce.ts";
import { runForward } from "./forward.ts";
import { planRecompute, type RecomputePlan } from "./keep.ts";
import {
  Cotangents,
  cotangentOf,
  type Scope,
  type Slot,
  type Step,
  type Sweep,
  walkBack,
} from "./sweep.ts";

/** The forward and reverse halves of the body of a region. */
export interface Halves {
  readonly forward: readonly Equation[];
  /** Stacks after the forward half, one a slot. */
  readonly stacks: readonly Value[];
  /** Stack parameters of the forward half, where it is a loop body. */
  readonly stackParameters: readonly Value[];
  readonly stackTypes: readonly ValueType[];
  readonly reverse: readonly Equation[];
  readonly reverseStackParameters: readonly Value[];
  /** What `finish` returned, then the stacks after the reverse half. */
  readonly reverseResults: readonly Value[];
  readonly reverseStacks: readonly Value[];
  /** Kept without a stack: values of the forward half, and what the reverse half reads instead. */
  readonly handed: readonly Handed[];
}

interface Handed {
  readonly value: Value;
  readonly taken: Value;
}

/** More numbers than these are not worth handing over where only one arm of a branch has them. */
const mostHanded = 8;

/**
 * Splits a block. `walk` is given the reverse builder and cotangents before and after the walk
 * back: it returns the results of the reverse half. `given` are values of the forward block that
 * the reverse half can have for nothing. A block that runs once hands kept scalars over as results.
 */
export function splitBlock(
  sweep: Sweep,
  builder: GraphBuilder,
  block: Block,
  start: (reverse: GraphBuilder, cotangents: Cotangents) => void,
  finish: (reverse: GraphBuilder, cotangents: Cotangents) => readonly Value[],
  given: ReadonlyMap<Value, Value> = new Map(),
  handsOver = false,
): Halves {
  const slots: Slot[] = [];
  const stackParameters: Value[] = [];
  const stackTypes: ValueType[] = [];
  const scope: Scope = {
    requestStack: (type) => {
      const [only] = slots;
      if (sweep.oneStack && only !== undefined) return only;
      const parameter: Value = { type: sweep.oneStack ? numbers : type };
      const slot: Slot = { forward: parameter, reverse: undefined };
      slots.push(slot);
      stackParameters.push(parameter);
      stackTypes.push(parameter.type);
      return slot;
    },
  };
  const forward = builder.nested();
  const steps = runForward(sweep, scope, forward, block);
  const nestedSlots = slots.length;

  // The walk back, written in terms of the forward half's own values.
  const reverse = builder.nested();
  const cotangents = new Cotangents(reverse);
  const reverseStackParameters: Value[] = slots.map((_, k) => ({
    type: stackTypes[k] as ValueType,
  }));
  slots.forEach((slot, k) => (slot.reverse = reverseStackParameters[k]));
  start(reverse, cotangents);
  walkBack(steps, reverse, cotangents);
  const results = finish(reverse, cotangents);
  const nestedStacks = slots.map((slot) => slot.reverse as Value);
  const walked = dropDead({
    parameters: [],
    equations: reverse.equations,
    results: [...results, ...nestedStacks],
  });

  // What the walk needs of the forward half: recomputed, or kept on a stack.
  const own = new Set<Value>(block.parameters);
  for (const equation of forward.equations) for (const v of equation.outputs) own.add(v);
  const needs = freeValues(walked).filter((value) => own.has(value) && !given.has(value));
  const plan = planWithLengths(sweep, forward.equations, walked, needs, { own, given });
  const renaming = new Map<Value, Value>(given);
  const prologue = builder.nested();
  const pushes = new Map<Value, Slot>();
  const handed: Handed[] = [];
  if (sweep.oneStack) takeAllBack();
  else {
    const isScalar = ({ type }: Value): boolean => type.shape.length === 0 && !type.stack;
    const handing =
      handsOver && [...plan.lengths, ...plan.kept].filter(isScalar).length <= mostHanded;
    const take = (kept: Value): void => {
      if (!handing || !isScalar(kept)) return takeFromStack(kept);
      const taken: Value = { type: kept.type, name: kept.name };
      handed.push({ value: kept, taken });
      renaming.set(kept, taken);
    };
    plan.lengths.forEach(take);
    bindAgain();
    plan.kept.forEach(take);
  }
  computeAgain(plan.recomputed);
  const renamed = renameBlock(walked, renaming);

  return {
    forward: sweep.oneStack
      ? keptAtEnd([...plan.kept, ...plan.lengths])
      : withPushes(builder, block.parameters, forward.equations, pushes),
    stacks: slots.map((slot) => slot.forward),
    stackParameters,
    stackTypes,
    reverse: [...prologue.equations, ...renamed.equations],
    reverseStackParameters,
    reverseResults: renamed.results.slice(0, results.length),
    reverseStacks: [
      ...renamed.results.slice(results.length),
      ...slots.slice(nestedSlots).map((slot) => slot.reverse as Value),
    ],
    handed,
  };

  /** The forward equations, then everything kept pushed on the one stack. */
  function keptAtEnd(kept: readonly Value[]): readonly Equation[] {
    const out = builder.nested();
    forward.equations.forEach((equation) => out.put(equation));
    const [slot] = slots;
    if (slot === undefined) return out.equations;
    for (const value of kept) slot.forward = pushParts(out, slot.forward, value);
    return out.equations;
  }

  /** Pops a kept value off a stack of its own, where an array of no fixed length lies in parts. */
  function takeFromStack(kept: Value): void {
    const { dtype, shape } = kept.type;
    const inParts = shape.flatMap(symbolsOf).some((name) => sweep.boundInside.has(name));
    const slot = scope.requestStack(stackType(dtype, inParts ? [] : shape));
    pushes.set(kept, slot);
    const parameter: Value = { type: stackTypes.at(-1) as ValueType };
    reverseStackParameters.push(parameter);
    const [stack, value] = inParts ? popParts(prologue, parameter, kept) : prologue.pop(parameter);
    if (kept.name !== undefined) prologue.name(value, kept.name);
    slot.reverse = stack;
    renaming.set(kept, value);
  }

  function computeAgain(equations: readonly Equation[]): void {
    const again = copyBlock({ parameters: [], equations, results: [] }, renaming);
    again.equations.forEach((equation, k) => {
      prologue.put(equation);
      (equations[k] as Equation).outputs.forEach((output, j) =>
        renaming.set(output, equation.outputs[j] as Value),
      );
    });
  }

  /** The reverse half has the lengths of the forward half's arrays. */
  function bindAgain(): void {
    computeAgain(plan.computed);
    for (const bind of plan.binds) {
      prologue.put({
        ...bind,
        inputs: bind.inputs.map((length) => renaming.get(length) ?? length),
      });
    }
  }

  /** Pops everything kept off the one stack, last first, before the walk back uses the stack. */
  function takeAllBack(): void {
    if (plan.kept.length + plan.lengths.length === 0) return bindAgain();
    scope.requestStack(numbers);
    if (reverseStackParameters.length === 0) reverseStackParameters.push({ type: numbers });
    const [parameter] = reverseStackParameters as [Value];
    const given: Value = { type: numbers };
    let stack = given;
    const take = (value: Value): void => {
      const [rest, taken] = popParts(prologue, stack, value);
      stack = rest;
      renaming.set(value, taken);
    };
    plan.lengths.toReversed().forEach(take);
    bindAgain();
    plan.kept.toReversed().forEach(take);
    // The equations above read `given`; the walk reads the parameter, now what is left.
    reverseStackParameters[0] = given;
    renaming.set(parameter, stack);
    const [slot] = slots as [Slot];
    if (nestedSlots === 0) slot.reverse = stack;
  }
}

/** What the reverse half needs of the forward one, the lengths of its arrays before all else. */
interface Plan extends RecomputePlan {
  /** Lengths that are kept, and equations that compute others again, from what is given. */
  readonly lengths: readonly Value[];
  readonly computed: readonly Equation[];
  readonly binds: readonly Equation[];
}

/**
 * Extents that the forward half binds are bound again in the reverse half, where that mentions them.
 * Lengths come from what the reverse half has for nothing, or else are kept.
 */
function planWithLengths(
  sweep: Sweep,
  forward: readonly Equation[],
  walked: Block,
  needs: readonly Value[],
  { own, given }: { readonly own: ReadonlySet<Value>; readonly given: ReadonlyMap<Value, Value> },
): Plan {
  const bound = forward.filter(({ op }) => op === "bind");
  const isBoundHere = (name: string): boolean =>
    bound.some(({ parameters }) => parameters["symbol"] === name);
  const lengths = new Set<Value>();
  for (;;) {
    const known = new Map([...given, ...[...lengths].map((length) => [length, length] as const)]);
    const plan = planRecompute(
      forward,
      needs.filter((value) => !lengths.has(value)),
      { ...sweep, own, given: known },
    );
    const reverse = { ...walked, equations: [...plan.recomputed, ...walked.equations] };
    const mentioned = new Set([
      ...[...allEquations(reverse)].flatMap(extentsOf),
      ...plan.kept.flatMap(({ type }) => type.shape.flatMap(symbolsOf)),
    ]);
    const binds = bound.filter(({ parameters }) => mentioned.has(String(parameters["symbol"])));
    const before = lengths.size;
    for (const length of binds.flatMap(({ inputs }) => inputs)) {
      if (own.has(length) && !given.has(length)) lengths.add(length);
    }
    if (lengths.size > before) continue;
    const { kept, recomputed } = planRecompute(forward, [...lengths], { ...sweep, own, given });
    const isFree = kept.length === 0 && !recomputed.flatMap(extentsOf).some(isBoundHere);
    return isFree
      ? { ...plan, lengths: [], computed: recomputed, binds }
      : { ...plan, lengths: [...lengths], computed: [], binds };
  }
}

/** The one stack of a function: everything kept is put on it as numbers. */
const numbers: ValueType = stackType("f64", []);

/** Pushes a scalar, or the elements of an array in order; every dtype fits a double. */
function pushParts(builder: GraphBuilder, stack: Value, value: Value): Value {
  const { dtype } = stack.type;
  if (value.type.shape.length === 0) return builder.push(stack, builder.cast(value, dtype));
  const size = elementCount(value.type.shape);
  const flat = builder.reshape(value, [size]);
  const body = builder.block([scalarType("i32"), stack.type], (inner, [index, top]) => [
    inner.push(top as Value, inner.cast(inner.at(flat, [index as Value]), dtype)),
  ]);
  return builder.for(builder.extent(size), [stack], body)[0] as Value;
}

/** What `pushParts` pushed: `[rest, value]`. */
function popParts(
  builder: GraphBuilder,
  stack: Value,
  like: Value,
): readonly [rest: Value, value: Value] {
  const { dtype, shape } = like.type;
  if (shape.length === 0) {
    const [rest, value] = builder.pop(stack);
    return [rest, back(builder, value, dtype)];
  }
  const size = elementCount(shape);
  const flat = arrayType(dtype, [size]);
  const count = builder.extent(size);
  const last = builder.sub(count, builder.constant(1, "i32"));
  const types = [scalarType("i32"), stack.type, flat];
  const body = builder.block(types, (inner, [index, top, array]) => {
    const [rest, value] = inner.pop(top as Value);
    const at = inner.sub(last, index as Value);
    return [rest, inner.update(array as Value, back(inner, value, dtype), [at])];
  });
  const [rest, array] = builder.for(count, [stack, builder.zerosOf(flat)], body);
  return [rest as Value, builder.reshape(array as Value, shape)];
}

/** A number from the stack in the type that it had. */
function back(builder: GraphBuilder, value: Value, dtype: DType): Value {
  if (value.type.dtype === dtype) return value;
  return dtype === "i32" ? builder.wholeNumber(value) : builder.cast(value, dtype);
}

/** The equations of a block, each kept value pushed right after it is defined. */
function withPushes(
  builder: GraphBuilder,
  parameters: readonly Value[],
  equations: readonly Equation[],
  pushes: ReadonlyMap<Value, Slot>,
): readonly Equation[] {
  const out = builder.nested();
  const keep = (value: Value): void => {
    const slot = pushes.get(value);
    if (slot === undefined) return;
    const whole = sameShape(slot.forward.type.shape, value.type.shape);
    slot.forward = whole ? out.push(slot.forward, value) : pushParts(out, slot.forward, value);
  };
  parameters.forEach(keep);
  for (const equation of equations) {
    out.put(equation);
    equation.outputs.forEach(keep);
  }
  return out.equations;
}

/** The active values around a region that it reads: their cotangents are threaded through it. */
function activeCaptures(sweep: Sweep, regions: readonly Block[]): readonly Value[] {
  const captured = new Set(regions.flatMap((region) => freeValues(region)));
  return [...captured].filter(sweep.isActive);
}

/** Asks the scope for the stacks of a split region. */
function requestAll(scope: Scope, types: readonly ValueType[]): readonly Slot[] {
  return types.map((type) => scope.requestStack(type));
}

/** The stacks as the walk back finds them: outermost ones as the forward code left them. */
function takeReverse(slots: readonly Slot[]): readonly Value[] {
  return slots.map((slot) => slot.reverse ?? slot.forward);
}

export function forwardIf(
  sweep: Sweep,
  scope: Scope,
  builder: GraphBuilder,
  equation: Equation,
): Step {
  const [condition] = equation.inputs as [Value];
  const moving = equation.outputs.map(sweep.isActive);
  const captures = activeCaptures(sweep, equation.regions);
  const incoming = captures.map(cotangentOf);
  const seeds = equation.outputs.filter((_, k) => moving[k]).map(cotangentOf);

  const halves = equation.regions.map((region) =>
    splitBlock(
      sweep,
      builder,
      region,
      (_, cotangents) => {
        const read = freeValues(region);
        captures.forEach((capture, k) => {
          const given = incoming[k] as Value;
          // A stack that an arm takes over is nobody else's: what comes in is empty.
          if (capture.type.stack && read.includes(capture)) cotangents.lend(given);
          else cotangents.set(capture, given);
        });
        region.results
          .filter((_, k) => moving[k])
          .forEach((result, k) => {
            if (sweep.isActive(result)) cotangents.contribute(result, seeds[k]);
          });
      },
      (_, cotangents) => captures.map((capture) => cotangents.take(capture)),
      new Map(),
      true,
    ),
  );

  const over = handOver(builder, equation, halves);

  // Each arm threads the stacks of both: its own pushed, the other's as they came.
  const slots = halves.map((half) => requestAll(scope, half.stackTypes));
  const threaded = [...new Set(slots.flat())];
  const regions = equation.regions.map((region, arm): Block => {
    const half = halves[arm] as Halves;
    const before = (slots[arm] as readonly Slot[]).map((slot) => slot.forward);
    const body = renameBlock(
      { parameters: [], equations: half.forward, results: half.stacks },
      renamingOf(half.stackParameters, before),
    );
    const own = slots[arm] as readonly Slot[];
    const threads = threaded.map((slot) => body.results[own.indexOf(slot)] ?? slot.forward);
    const results = [...region.results, ...(over.results[arm] as readonly Value[]), ...threads];
    return { ...region, equations: body.equations, results };
  });
  const outputs = threaded.map((slot): Value => ({ type: slot.forward.type }));
  const extra = [...over.outputs, ...outputs];
  builder.put({ ...equation, regions, outputs: [...equation.outputs, ...extra] });
  threaded.forEach((slot, k) => (slot.forward = outputs[k] as Value));

  return (reverse, cotangents) => {
    const active = equation.outputs.filter((_, k) => moving[k]);
    const given = new Map<Value, Value>();
    captures.forEach((capture, k) => given.set(incoming[k] as Value, cotangents.take(capture)));
    active.forEach((output, k) => given.set(seeds[k] as Value, cotangents.take(output)));
    const stacks = takeReverse(threaded);
    const arms = halves.map((half, arm): Block => {
      const renaming = new Map([...given, ...over.taken]);
      const group = slots[arm] as readonly Slot[];
      half.reverseStackParameters.forEach((parameter, k) =>
        renaming.set(parameter, stacks[threaded.indexOf(group[k] as Slot)] as Value),
      );
      const body = renameBlock(
        {
          parameters: [],
          equations: half.reverse,
          results: [...half.reverseResults, ...half.reverseStacks],
        },
        renaming,
      );
      const results = body.results.slice(0, captures.length);
      const own = body.results.slice(captures.length);
      const threads = threaded.map((slot, k) => own[group.indexOf(slot)] ?? (stacks[k] as Value));
      return { parameters: [], equations: body.equations, results: [...results, ...threads] };
    });
    reverse.span = equation.span;
    const outs = reverse.if(condition, arms[0] as Block, arms[1] as Block);
    captures.forEach((capture, k) => cotangents.set(capture, outs[k] as Value));
    threaded.forEach((slot, k) => (slot.reverse = outs[captures.length + k]));
  };
}

interface HandOver {
  /** More outputs of the branch, and for each arm its results there. */
  readonly outputs: readonly Value[];
  readonly results: readonly (readonly Value[])[];
  /** What the reverse halves read, in terms of the outputs. */
  readonly taken: ReadonlyMap<Value, Value>;
}

/** What the arms of a branch hand over: the n-th of a dtype in each arm is one output. */
function handOver(builder: GraphBuilder, branch: Equation, halves: readonly Halves[]): HandOver {
  const taken = new Map<Value, Value>();
  const outputs: Value[] = [];
  const results = halves.map((): Value[] => []);
  halves.forEach((half, arm) => {
    const own = results[arm] as Value[];
    for (const { value, taken: read } of half.handed) {
      const already = branch.regions[arm]?.results.indexOf(value) ?? -1;
      if (already >= 0) {
        taken.set(read, branch.outputs[already] as Value);
        continue;
      }
      const { dtype } = value.type;
      let at = outputs.findIndex(
        (output, k) => own[k] === undefined && output.type.dtype === dtype,
      );
      if (at < 0) at = outputs.push({ type: value.type, name: value.name }) - 1;
      own[at] = value;
      taken.set(read, outputs[at] as Value);
    }
  });
  const filled = results.map((own) =>
    outputs.map((output, k) => own[k] ?? builder.constant(0, output.type.dtype)),
  );
  return { outputs, results: filled, taken };
}

/** The halves of a loop's body, and what the reverse loop carries. */
interface LoopHalves extends Halves {
  readonly captures: readonly Value[];
  /** Parameters of the reverse body: cotangents of captures, then of active carried values. */
  readonly incoming: readonly Value[];
  readonly seeds: readonly Value[];
  readonly moving: readonly boolean[];
}

function splitLoop(
  sweep: Sweep,
  builder: GraphBuilder,
  equation: Equation,
  given: ReadonlyMap<Value, Value>,
): LoopHalves {
  const { carried, body } = loopOf(equation);
  const moving = carried.map(
    (parameter, k) => sweep.isActive(parameter) || sweep.isActive(equation.outputs[k] as Value),
  );
  const captures = activeCaptures(sweep, [body]);
  const incoming = captures.map(cotangentOf);
  const active = carried.filter((_, k) => moving[k]);
  const seeds = active.map(cotangentOf);
  const results = body.results.filter((_, k) => moving[k]);
  const halves = splitBlock(
    sweep,
    builder,
    body,
    (_, cotangents) => {
      captures.forEach((capture, k) => cotangents.set(capture, incoming[k] as Value));
      results.forEach((result, k) => {
        if (sweep.isActive(result)) cotangents.contribute(result, seeds[k]);
      });
    },
    (_, cotangents) => [
      ...captures.map((capture) => cotangents.take(capture)),
      ...active.map((parameter) => cotangents.take(parameter)),
    ],
    given,
  );
  return { ...halves, captures, incoming, seeds, moving };
}

export function forwardFor(
  sweep: Sweep,
  scope: Scope,
  builder: GraphBuilder,
  equation: Equation,
): Step {
  const [count] = equation.inputs as [Value];
  const { body } = loopOf(equation);
  const index = body.parameters[0] as Value;
  const reverseIndex: Value = { type: index.type, name: index.name };
  const halves = splitLoop(sweep, builder, equation, new Map([[index, reverseIndex]]));
  const slots = requestAll(scope, halves.stackTypes);
  const outputs = slots.map((slot): Value => ({ type: slot.forward.type }));
  builder.put({
    ...equation,
    inputs: [...equation.inputs, ...slots.map((slot) => slot.forward)],
    regions: [
      {
        parameters: [...body.parameters, ...halves.stackParameters],
        equations: halves.forward,
        results: [...body.results, ...halves.stacks],
      },
    ],
    outputs: [...equation.outputs, ...outputs],
  });
  slots.forEach((slot, k) => (slot.forward = outputs[k] as Value));
  return reverseLoop(sweep, equation, halves, slots, count, reverseIndex);
}

export function forwardWhile(
  sweep: Sweep,
  scope: Scope,
  builder: GraphBuilder,
  equation: Equation,
): Step {
  const [condition, body] = equation.regions as [Block, Block];
  const halves = splitLoop(sweep, builder, equation, new Map());
  const slots = requestAll(scope, halves.stackTypes);
  const counter: Value = { type: scalarType("i32") };
  const next = builder.nested();
  const counted = next.add(counter, next.constant(1, "i32"));
  const outputs = slots.map((slot): Value => ({ type: slot.forward.type }));
  const count: Value = { type: scalarType("i32") };
  const ignored = [counter, ...halves.stackParameters].map(({ type }): Value => ({ type }));
  builder.put({
    ...equation,
    inputs: [...equation.inputs, builder.constant(0, "i32"), ...slots.map((slot) => slot.forward)],
    regions: [
      { ...condition, parameters: [...condition.parameters, ...ignored] },
      {
        parameters: [...body.parameters, counter, ...halves.stackParameters],
        equations: [...halves.forward, ...next.equations],
        results: [...body.results, counted, ...halves.stacks],
      },
    ],
    outputs: [...equation.outputs, count, ...outputs],
  });
  slots.forEach((slot, k) => (slot.forward = outputs[k] as Value));
  return reverseLoop(sweep, equation, halves, slots, count, undefined);
}

/** The reverse of a loop: `count` times, from the last iteration to the first. */
function reverseLoop(
  sweep: Sweep,
  equation: Equation,
  halves: LoopHalves,
  slots: readonly Slot[],
  count: Value,
  reverseIndex: Value | undefined,
): Step {
  const { captures, incoming, seeds, moving } = halves;
  const { initial } = loopOf(equation);
  return (reverse, cotangents) => {
    reverse.span = equation.span;
    const active = equation.outputs.filter((_, k) => moving[k]);
    const backward: Value = { type: scalarType("i32") };
    const prologue = reverse.nested();
    const renaming = new Map<Value, Value>();
    if (reverseIndex !== undefined) {
      // i = count - 1 - k
      const last = prologue.sub(count, prologue.constant(1, "i32"));
      renaming.set(reverseIndex, prologue.sub(last, backward));
    }
    const walked = renameBlock(
      {
        parameters: [],
        equations: halves.reverse,
        results: [...halves.reverseResults, ...halves.reverseStacks],
      },
      renaming,
    );
    const body: Block = {
      parameters: [backward, ...incoming, ...seeds, ...halves.reverseStackParameters],
      equations: [...prologue.equations, ...walked.equations],
      results: walked.results,
    };
    const outs = reverse.for(
      count,
      [
        ...captures.map((capture) => cotangents.take(capture)),
        ...active.map((output) => cotangents.take(output)),
        ...takeReverse(slots),
      ],
      body,
    );
    captures.forEach((capture, k) => cotangents.set(capture, outs[k] as Value));
    const entering = outs.slice(captures.length, captures.length + active.length);
    initial
      .filter((_, k) => moving[k])
      .forEach((value, k) => {
        if (sweep.isActive(value)) cotangents.contribute(value, entering[k]);
      });
    slots.forEach((slot, k) => (slot.reverse = outs[captures.length + active.length + k]));
  };
}

/**
 * The adjoint of a map is a map that runs the body forward and back at each element. A scalar
 * that the body captures gets the sum of what the elements contribute.
 */
export function reverseMap(
  builder: GraphBuilder,
  cotangents: Cotangents,
  equation: Equation,
  sweep: Sweep,
): void {
  const [body] = equation.regions as [Block];
  const moving = equation.outputs.map(sweep.isActive);
  const active = equation.outputs.filter((_, k) => moving[k]);
  const captures = activeCaptures(sweep, [body]);
  const arrays = body.parameters.map(sweep.isActive);
  const shape = (equation.outputs[0] as Value).type.shape;

  const inner = builder.nested();
  const scope: Scope = {
    requestStack: () => {
      throw new Error("the body of a map asks for a stack");
    },
  };
  const steps = runForward({ ...sweep, keepNothing: true }, scope, inner, body);
  const seeds = body.results.filter((_, k) => moving[k]).map(cotangentOf);
  const local = new Cotangents(inner);
  body.results
    .filter((_, k) => moving[k])
    .forEach((result, k) => {
      if (sweep.isActive(result)) local.contribute(result, seeds[k]);
    });
  walkBack(steps, inner, local);
  const results = [
    ...body.parameters.filter((_, k) => arrays[k]).map((parameter) => local.take(parameter)),
    ...captures.map((capture) => local.take(capture)),
  ];
  const region = copyBlock({
    parameters: [...body.parameters, ...seeds],
    equations: inner.equations,
    results,
  });
  builder.span = equation.span;
  const incoming = active.map((output) => cotangents.take(output));
  const outs = builder.map(shape, [...equation.inputs, ...incoming], dropDead(region));
  const inputs = equation.inputs.filter((_, k) => arrays[k]);
  inputs.forEach((input, k) => cotangents.contribute(input, outs[k]));
  captures.forEach((capture, k) => {
    cotangents.contribute(capture, builder.sum(outs[inputs.length + k] as Value));
  });
}

function renamingOf(from: readonly Value[], to: readonly Value[]): Map<Value, Value> {
  return new Map(from.map((value, k) => [value, to[k] as Value]));
}
