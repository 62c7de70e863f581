/**
 * Batching: a function that maps over a leading axis.
 *
 *   y = f(x, w)   →   y[b] = f(x[b], w)   for all b, as one program
 *
 * An op batches by its own rule. A region stays a region where the batch does not decide its
 * control flow; where it does, the region runs for one element at a time, in a `map` if it deals
 * in scalars and in a loop if it does not.
 */

import { newBuilder } from "../ops/index.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import {
  type Block,
  type Dim,
  type Equation,
  type Fn,
  scalarType,
  type Value,
} from "../ir/types.ts";
import { allEquations, copyBlock, freeValues, loopOf, operandsOf } from "../ir/walk.ts";
import { symbolsOf } from "../ir/dim.ts";
import { opOf } from "../ops/of.ts";
import { repairUniqueness } from "../passes/copies.ts";
import { type Callee, type CustomCallee, encodeCallee } from "./callee.ts";
import { customCallee, identity } from "./custom.ts";

/**
 * `batched` marks the parameters that have the new leading axis, of length `size`. All results
 * have it. With `inTurn` the function runs for one element after the other.
 */
export function vmap(fn: Fn, batched: readonly boolean[], size: Dim, inTurn = false): Fn {
  if (inTurn) return elementLoop(fn, batched, size);
  try {
    return batchFunction(fn, batched, size);
  } catch (error) {
    if (error instanceof ElementsWouldMix) return elementLoop(fn, batched, size);
    throw error;
  }
}

/**
 * Thrown where an equation that uses stacks from around it would have to run for one element at a
 * time: elements would mix on the stacks, so the whole function has to.
 */
class ElementsWouldMix extends Error {}

/** Elements give arrays of lengths of their own, which do not fit into one. */
export class BatchFault extends Error {
  readonly span: Equation["span"];
  constructor(span: Equation["span"]) {
    super("the length of an array differs within a batch");
    this.span = span;
  }
}

function batchFunction(fn: Fn, batched: readonly boolean[], size: Dim): Fn {
  const { parameters, results } = fn.body;
  const builder = newBuilder();
  const batch: Batch = { size, values: new Map() };
  const outer = parameters.map((parameter, k) => {
    if (!batched[k]) return parameter;
    return declare(batch, parameter);
  });
  batchBlock(batch, builder, fn.body);
  const spread = results.map((result) => batchedValue(batch, builder, result));
  return {
    name: `${fn.name}$vmap`,
    body: repairUniqueness({
      parameters: outer,
      equations: builder.equations,
      results: spread,
    }),
  };
}

interface Batch {
  readonly size: Dim;
  /** The batched form of each value that has one. */
  readonly values: Map<Value, Value>;
}

/** A batched value that stands for `value` from now on. */
function declare(batch: Batch, value: Value): Value {
  const { type, name } = value;
  const batched: Value = { type: { ...type, shape: [batch.size, ...type.shape] }, name };
  batch.values.set(value, batched);
  return batched;
}

/** The batched form of a value: repeated where it does not depend on the batch. */
function batchedValue(batch: Batch, builder: GraphBuilder, value: Value): Value {
  const { type } = value;
  const own = batch.values.get(value);
  if (own !== undefined) return own;
  const axes = type.shape.map((_, axis) => axis + 1);
  return builder.broadcast(value, [batch.size, ...type.shape], axes);
}

function batchBlock(batch: Batch, builder: GraphBuilder, block: Block): void {
  for (const equation of block.equations) {
    builder.span = equation.span;
    batchEquation(batch, builder, equation);
  }
}

function batchEquation(batch: Batch, builder: GraphBuilder, equation: Equation): void {
  const { values, size } = batch;
  const isBatched = (value: Value): boolean => values.has(value);
  // A stack holds batched values from the start, whatever is pushed on it later.
  const stacks = equation.outputs.some((output) => output.type.stack);
  if (!stacks && !operandsOf(equation).some(isBatched)) {
    builder.put(equation);
    return;
  }
  const assign = (outputs: readonly Value[]): void =>
    equation.outputs.forEach((output, k) => values.set(output, outputs[k] as Value));

  switch (equation.op) {
    case "if":
      if (isBatched(equation.inputs[0] as Value)) oneByOne(batch, builder, equation);
      else batchIf(batch, builder, equation);
      return;
    case "for":
    case "while":
      batchLoop(batch, builder, equation);
      return;
    case "map":
      batchMap(batch, builder, equation);
      return;
    case "call":
      batchCall(batch, builder, equation);
      return;
    case "stack_new": {
      const [stack] = equation.outputs as [Value];
      assign([builder.stackNew(stack.type.dtype, [size, ...stack.type.shape])]);
      return;
    }
    case "push": {
      const [stack, value] = equation.inputs as [Value, Value];
      const whole = batchedValue(batch, builder, value);
      assign([builder.push(values.get(stack) as Value, whole)]);
      return;
    }
    case "pop":
      assign(
        builder.emit(
          "pop",
          [values.get(equation.inputs[0] as Value) as Value],
          equation.parameters,
        ),
      );
      return;
  }

  const { batch: rule } = opOf(equation);
  if (rule === "apart") throw new ElementsWouldMix();
  if (rule === "loop") {
    oneByOne(batch, builder, equation);
  } else if (rule === "elementwise") {
    const inputs = equation.inputs.map((input) => batchedValue(batch, builder, input));
    assign(builder.emit(equation.op, inputs, equation.parameters));
  } else {
    const flags = equation.inputs.map(isBatched);
    const inputs = equation.inputs.map((input) => values.get(input) ?? input);
    assign(rule({ builder, equation, size }, inputs, flags));
  }
}

/** A function that stays a function is called for each element; one with a rule is batched. */
function batchCall(batch: Batch, builder: GraphBuilder, equation: Equation): void {
  const callee = customCallee(equation);
  if (callee === undefined) return oneByOne(batch, builder, equation);
  const { size, values } = batch;
  // What has a derivative is batched, so that the derivative is.
  const batched = equation.inputs.map(
    (input, k) => values.has(input) || (callee.kind === "custom" && callee.smooth[k] === true),
  );
  const inputs = equation.inputs.map((input, k) =>
    batched[k] ? batchedValue(batch, builder, input) : input,
  );
  const types = equation.outputs.map(({ type }) => ({ ...type, shape: [size, ...type.shape] }));
  const parameters = { callee: encodeCallee(batchCallee(callee, batched, size)) };
  const outputs = builder.append("call", inputs, parameters, [], types);
  equation.outputs.forEach((output, k) => values.set(output, outputs[k] as Value));
}

function batchCallee(callee: CustomCallee, batched: readonly boolean[], size: Dim): Callee {
  const over = (of: Callee, flags: readonly boolean[]): Callee => ({
    kind: "vmap",
    of,
    batched: flags,
    size,
  });
  if (callee.kind === "checkpoint") return { ...callee, of: over(callee.of, batched) };
  const primal = over(callee.primal, batched);
  if ("jvp" in callee) {
    const tangents = callee.smooth.filter(Boolean);
    return { ...callee, primal, jvp: over(callee.jvp, [...batched, ...tangents]) };
  }
  const constants = batched.slice(batched.length - callee.captured);
  const { residuals, cotangents } = callee;
  const backward = [...every(residuals), ...constants, ...every(cotangents)];
  return { ...callee, primal, fwd: over(callee.fwd, batched), bwd: over(callee.bwd, backward) };
}

function every(count: number): readonly boolean[] {
  return Array.from({ length: count }, () => true);
}

/** A branch that all elements take together: its arms are batched, and what one of them changes. */
function batchIf(batch: Batch, builder: GraphBuilder, equation: Equation): void {
  const arms = equation.regions.map((region) => {
    const inner = builder.nested();
    batchBlock(batch, inner, region);
    return { region, inner };
  });
  const moving = equation.outputs.map((output, k) =>
    arms.some(({ region }) => output.type.stack || batch.values.has(region.results[k] as Value)),
  );
  const regions = arms.map(({ region, inner }): Block => {
    const results = region.results.map((result, k) =>
      moving[k] ? batchedValue(batch, inner, result) : result,
    );
    return { parameters: [], equations: inner.equations, results };
  });
  const [then, otherwise] = regions as readonly Block[] as [Block, Block];
  const outputs = builder.if(equation.inputs[0] as Value, then, otherwise);
  equation.outputs.forEach((output, k) => {
    if (moving[k]) batch.values.set(output, outputs[k] as Value);
    else builder.put(identity(outputs[k] as Value, output));
  });
}

/** A loop that all elements run together, if it is one; else one loop for each element. */
function batchLoop(batch: Batch, builder: GraphBuilder, equation: Equation): void {
  const { initial, carried, body } = loopOf(equation);
  const count = equation.op === "for" ? equation.inputs[0] : undefined;
  const depends = dependsOnBatch(batch, equation);
  const condition = equation.op === "while" ? equation.regions[0] : undefined;
  const decided = condition?.results.some((result) => depends.has(result)) ?? false;
  if ((count !== undefined && batch.values.has(count)) || decided) {
    oneByOne(batch, builder, equation);
    return;
  }
  const moving = carried.map((parameter) => parameter.type.stack || depends.has(parameter));
  const start = initial.map((value, k) =>
    moving[k] ? batchedValue(batch, builder, value) : value,
  );
  const parameters = carried.map((parameter, k) =>
    moving[k] ? declare(batch, parameter) : parameter,
  );
  const inner = builder.nested();
  batchBlock(batch, inner, body);
  const results = body.results.map((result, k) =>
    moving[k] ? batchedValue(batch, inner, result) : result,
  );
  const lead = body.parameters.slice(0, body.parameters.length - carried.length);
  const region: Block = {
    parameters: [...lead, ...parameters],
    equations: inner.equations,
    results,
  };
  const regions = [region];
  if (condition !== undefined) regions.unshift(batchCondition(condition, moving, batch.size));
  const inputs = count === undefined ? start : [count, ...start];
  const types = start.map((value) => value.type);
  const outputs = builder.append(equation.op, inputs, equation.parameters, regions, types);
  equation.outputs.forEach((output, k) => {
    if (moving[k]) batch.values.set(output, outputs[k] as Value);
    else builder.put(identity(outputs[k] as Value, output));
  });
}

/** A condition that no batched value decides: their parameters change type, and go unread. */
function batchCondition(condition: Block, moving: readonly boolean[], size: Dim): Block {
  const parameters = condition.parameters.map((parameter, k): Value => {
    if (!moving[k]) return parameter;
    const { type } = parameter;
    return { type: { ...type, shape: [size, ...type.shape] } };
  });
  return { ...condition, parameters };
}

/** The values in and after a region equation that depend on the batch, by data alone. */
function dependsOnBatch(batch: Batch, equation: Equation): ReadonlySet<Value> {
  const depends = new Set<Value>(batch.values.keys());
  const visitBlock = (block: Block): void => block.equations.forEach(visit);
  const link = (from: Value | undefined, to: Value | undefined): void => {
    if (from !== undefined && to !== undefined && depends.has(from)) depends.add(to);
  };
  // What is popped is batched, because stacks always are.
  const addStacks = (values: readonly Value[]): void => {
    for (const value of values) if (value.type.stack) depends.add(value);
  };
  const visit = (inner: Equation): void => {
    addStacks(inner.outputs);
    if (inner.op === "for" || inner.op === "while") {
      const { initial, carried, body } = loopOf(inner);
      addStacks(carried);
      let before: number;
      do {
        before = depends.size;
        carried.forEach((parameter, k) => {
          link(initial[k], parameter);
          link(body.results[k], parameter);
          if (inner.op === "while") link(parameter, inner.regions[0]?.parameters[k]);
        });
        inner.regions.forEach(visitBlock);
      } while (depends.size > before);
      carried.forEach((parameter, k) => link(parameter, inner.outputs[k]));
      const decided = inner.op === "for" ? inner.inputs[0] : inner.regions[0]?.results[0];
      if (decided && depends.has(decided)) inner.outputs.forEach((output) => depends.add(output));
      return;
    }
    if (inner.regions.length > 0) {
      const parameters = inner.regions[0]?.parameters ?? [];
      parameters.forEach((parameter, k) => link(inner.inputs[k], parameter));
      inner.regions.forEach(visitBlock);
      for (const region of inner.regions) {
        region.results.forEach((result, k) => link(result, inner.outputs[k]));
      }
    }
    // A branch that all elements take together gives what its arms give; other regions that read
    // a batched value are batched as a whole.
    const read = inner.op === "if" ? inner.inputs : operandsOf(inner);
    if (read.some((operand) => depends.has(operand))) {
      inner.outputs.forEach((output) => depends.add(output));
    }
  };
  visit(equation);
  return depends;
}

/** A map over a bigger shape; scalars that the body captures become arrays of that shape. */
function batchMap(batch: Batch, builder: GraphBuilder, equation: Equation): void {
  const [body] = equation.regions as [Block];
  const captured = freeValues(body).filter((value) => batch.values.has(value));
  if (captured.some((value) => value.type.shape.length > 0)) {
    oneByOne(batch, builder, equation);
    return;
  }
  const shape = [batch.size, ...(equation.outputs[0] as Value).type.shape];
  const arrays = equation.inputs.map((input) => batchedValue(batch, builder, input));
  const spread = captured.map((value) =>
    builder.broadcast(batch.values.get(value) as Value, shape, [0]),
  );
  const extra = captured.map((value): Value => ({ type: value.type, name: value.name }));
  const copy = copyBlock(body, new Map(captured.map((value, k) => [value, extra[k] as Value])));
  const region = { ...copy, parameters: [...copy.parameters, ...extra] };
  const outputs = builder.map(shape, [...arrays, ...spread], region);
  equation.outputs.forEach((output, k) => batch.values.set(output, outputs[k] as Value));
}

/** The equation as it was, for one element after the other. */
function oneByOne(batch: Batch, builder: GraphBuilder, equation: Equation): void {
  const operands = operandsOf(equation).filter((value) => batch.values.has(value));
  if ([...operands, ...equation.outputs].some((value) => value.type.stack)) {
    throw new ElementsWouldMix();
  }
  const whole = operands.map((value) => batch.values.get(value) as Value);
  const scalars = [...operands, ...equation.outputs].every(
    (value) => value.type.shape.length === 0,
  );
  const element = elementBlock(equation, operands);
  const outputs =
    scalars && equation.op !== "call" && dealsInScalars(equation)
      ? builder.map([batch.size], whole, element)
      : loopOver(builder, batch.size, element, whole);
  equation.outputs.forEach((output, k) => batch.values.set(output, outputs[k] as Value));
}

/** True when no value that the equation's regions define is an array. */
function dealsInScalars(equation: Equation): boolean {
  return equation.regions.every((region) =>
    [...allEquations(region)].every((inner) =>
      inner.outputs.every((output) => output.type.shape.length === 0 && !output.type.stack),
    ),
  );
}

/** The equation in a block of its own, with its batched operands as parameters. */
function elementBlock(equation: Equation, operands: readonly Value[]): Block {
  return copyBlock({ parameters: operands, equations: [equation], results: equation.outputs });
}

/** Runs a block for each element of arrays; its results, stacked. */
function loopOver(
  builder: GraphBuilder,
  size: Dim,
  block: Block,
  whole: readonly Value[],
): readonly Value[] {
  const types = block.results.map(({ type }) => ({ ...type, shape: [size, ...type.shape] }));
  const initial = types.map((type) => builder.zerosOf(type));
  const body = builder.block([scalarType("i32"), ...types], (inner, [index, ...results]) => {
    const at = [index as Value];
    const elements = whole.map((array) => inner.at(array, at));
    const renaming = new Map(block.parameters.map((p, k) => [p, elements[k] as Value]));
    const element = copyBlock({ ...block, parameters: [] }, renaming);
    element.equations.forEach((copied) => inner.put(copied));
    return results.map((result, k) => inner.update(result, element.results[k] as Value, at));
  });
  return builder.for(builder.extent(size), initial, body);
}

/**
 * The function as it was, for one element after the other. What is the same for all, lengths of
 * arrays above all, is computed once.
 */
function elementLoop(fn: Fn, batched: readonly boolean[], size: Dim): Fn {
  const builder = newBuilder();
  const outer = fn.body.parameters.map((parameter, k): Value => {
    if (!batched[k]) return parameter;
    const { type, name } = parameter;
    return { type: { ...type, shape: [size, ...type.shape] }, name };
  });
  const moving = fn.body.parameters.filter((_, k) => batched[k]);
  const depends = new Set(moving);
  const equations = fn.body.equations.filter((equation) => {
    const values = [...operandsOf(equation), ...equation.outputs];
    // A stack is filled and emptied for each element.
    const isSame = !values.some((value) => depends.has(value) || value.type.stack);
    if (isSame) builder.put(equation);
    else equation.outputs.forEach((output) => depends.add(output));
    return !isSame;
  });
  checkLengths(equations, fn.body.results);
  const results = loopOver(
    builder,
    size,
    { ...fn.body, parameters: moving, equations },
    outer.filter((_, k) => batched[k]),
  );
  const body = { parameters: outer, equations: builder.equations, results };
  return { name: `${fn.name}$vmap`, body: repairUniqueness(body) };
}

/** The results of all elements are one array: no element may bind its extents. */
function checkLengths(equations: readonly Equation[], results: readonly Value[]): void {
  const mentioned = new Set(results.flatMap(({ type }) => type.shape.flatMap(symbolsOf)));
  const bind = equations.find(
    ({ op, parameters }) => op === "bind" && mentioned.has(String(parameters["symbol"])),
  );
  if (bind !== undefined) throw new BatchFault(bind.span);
}
