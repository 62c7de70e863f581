/**
 * Activity: a value is *varied* when it depends smoothly on an active input, *useful* when an
 * active result depends smoothly on it. Only values that are both have derivatives worth having.
 */

import { type Block, type Equation, isFloat, type Value } from "../ir/types.ts";
import { loopOf } from "../ir/walk.ts";
import { opOf } from "../ops/of.ts";

/** The values of `block` that depend smoothly on one of `seeds`; seeds included. */
export function variedValues(block: Block, seeds: Iterable<Value>): ReadonlySet<Value> {
  return reachedValues(block, seeds, {
    through: smoothInputs,
    holds: ({ type }) => isFloat(type.dtype),
    byControl: false,
    // Tangents and cotangents of stacks move in lockstep with them from the first push on.
    stacks: true,
  });
}

/**
 * The values of `block` that may be another where one of `seeds` is, smoothly or not: through
 * comparisons, roundings, branches and trip counts too.
 */
export function touchedValues(block: Block, seeds: Iterable<Value>): ReadonlySet<Value> {
  return reachedValues(block, seeds, {
    through: ({ inputs }) => inputs,
    holds: () => true,
    byControl: true,
    stacks: false,
  });
}

/** What carries a dependence forward. */
interface Flow {
  /** The inputs of an equation of the op table through which it flows. */
  readonly through: (equation: Equation) => readonly Value[];
  /** The values that it can flow into. */
  readonly holds: (value: Value) => boolean;
  /** Whether conditions and trip counts carry it into results. */
  readonly byControl: boolean;
  /** Whether all stacks have it, whatever is on them. */
  readonly stacks: boolean;
}

function reachedValues(block: Block, seeds: Iterable<Value>, flow: Flow): ReadonlySet<Value> {
  const reached = new Set(seeds);
  visit(block);
  return reached;

  function visit(inner: Block): void {
    for (const equation of inner.equations) visitEquation(equation);
  }

  function visitEquation(equation: Equation): void {
    const { inputs, outputs, regions } = equation;
    switch (equation.op) {
      case "if":
        regions.forEach(visit);
        outputs.forEach((output, k) => {
          if (regions.some((region) => has(region.results[k]))) mark(output);
        });
        if (flow.byControl && has(inputs[0])) outputs.forEach(mark);
        return;
      case "map": {
        const [body] = regions as [Block];
        body.parameters.forEach((parameter, k) => has(inputs[k]) && mark(parameter));
        visit(body);
        outputs.forEach((output, k) => has(body.results[k]) && mark(output));
        return;
      }
      case "for":
      case "while": {
        const loop = loopOf(equation);
        const condition = equation.op === "while" ? regions[0] : undefined;
        let before: number;
        do {
          before = reached.size;
          loop.initial.forEach((value, k) => {
            if (!has(value) && !has(loop.body.results[k])) return;
            mark(loop.carried[k]);
            mark(condition?.parameters[k]);
          });
          if (condition !== undefined) visit(condition);
          visit(loop.body);
        } while (reached.size > before);
        outputs.forEach((output, k) => has(loop.carried[k]) && mark(output));
        if (flow.byControl && has(decisionOf(equation))) outputs.forEach(mark);
        return;
      }
      case "call":
        if (inputs.some(has)) outputs.forEach(mark);
        return;
      case "stack_new":
      case "push":
      case "pop":
        if (flow.stacks || inputs.some(has)) outputs.forEach(mark);
        return;
      default:
        if (flow.through(equation).some(has)) outputs.forEach(mark);
    }
  }

  function has(value: Value | undefined): boolean {
    return value !== undefined && reached.has(value);
  }

  function mark(value: Value | undefined): void {
    if (value !== undefined && flow.holds(value)) reached.add(value);
  }
}

/** What decides how an `if`, a `for` or a `while` runs: its condition, or its trip count. */
export function decisionOf(equation: Equation): Value | undefined {
  return equation.op === "while" ? equation.regions[0]?.results[0] : equation.inputs[0];
}

/** The values that one of `seeds`, values of `block`, depends smoothly on; seeds included. */
export function usefulValues(block: Block, seeds: Iterable<Value>): ReadonlySet<Value> {
  const useful = new Set(seeds);
  visit(block);
  return useful;

  function visit(inner: Block): void {
    for (const equation of inner.equations.toReversed()) visitEquation(equation);
  }

  function visitEquation(equation: Equation): void {
    const { inputs, outputs, regions } = equation;
    switch (equation.op) {
      case "if":
        for (const region of regions) {
          outputs.forEach((output, k) => has(output) && mark(region.results[k]));
          visit(region);
        }
        return;
      case "map": {
        const [body] = regions as [Block];
        outputs.forEach((output, k) => has(output) && mark(body.results[k]));
        visit(body);
        body.parameters.forEach((parameter, k) => has(parameter) && mark(inputs[k]));
        return;
      }
      case "for":
      case "while": {
        const loop = loopOf(equation);
        let before: number;
        do {
          before = useful.size;
          outputs.forEach((output, k) => {
            if (has(output) || has(loop.carried[k])) mark(loop.body.results[k]);
          });
          visit(loop.body);
        } while (useful.size > before);
        loop.carried.forEach((parameter, k) => {
          if (has(parameter) || has(outputs[k])) mark(loop.initial[k]);
        });
        return;
      }
      case "call":
        if (outputs.some(has)) inputs.forEach((input) => mark(input));
        return;
      case "stack_new":
      case "push":
      case "pop":
        for (const value of [...outputs, ...inputs]) mark(value);
        return;
      default:
        if (outputs.some(has)) smoothInputs(equation).forEach((input) => mark(input));
    }
  }

  function has(value: Value | undefined): boolean {
    return value !== undefined && useful.has(value);
  }

  function mark(value: Value | undefined): void {
    if (value !== undefined && isFloat(value.type.dtype)) useful.add(value);
  }
}

/** The inputs that an op-table equation depends on smoothly. */
export function smoothInputs(equation: Equation): readonly Value[] {
  const { derivative } = opOf(equation);
  switch (derivative.kind) {
    case "zero":
      return [];
    case "linear":
      return derivative.in === "all"
        ? equation.inputs
        : derivative.in.map((k) => equation.inputs[k] as Value);
    case "multilinear":
    case "partials":
    case "rules":
      return equation.inputs;
  }
}
