/**
 * Activity: a value is *varied* when it depends smoothly on an active input, *useful* when an
 * active result depends smoothly on it. Only values that are both have derivatives worth having.
 */

import { type Block, type Equation, isFloat, type Value } from "../ir/types.ts";
import { loopOf } from "../ir/walk.ts";
import { opOf } from "../ops/of.ts";

/** The values of `block` that depend smoothly on one of `seeds`. */
export function variedValues(block: Block, seeds: Iterable<Value>): ReadonlySet<Value> {
  const varied = new Set(seeds);
  visit(block);
  return varied;

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
        let before: number;
        do {
          before = varied.size;
          loop.initial.forEach((value, k) => {
            if (has(value) || has(loop.body.results[k])) mark(loop.carried[k]);
          });
          visit(loop.body);
        } while (varied.size > before);
        outputs.forEach((output, k) => has(loop.carried[k]) && mark(output));
        return;
      }
      case "call":
        if (inputs.some(has)) outputs.forEach((output) => mark(output));
        return;
      case "stack_new":
      case "push":
      case "pop":
        // Tangents and cotangents of stacks move in lockstep with them from the first push on.
        outputs.forEach((output) => mark(output));
        return;
      default:
        if (smoothInputs(equation).some(has)) outputs.forEach((output) => mark(output));
    }
  }

  function has(value: Value | undefined): boolean {
    return value !== undefined && varied.has(value);
  }

  function mark(value: Value | undefined): void {
    if (value !== undefined && isFloat(value.type.dtype)) varied.add(value);
  }
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
