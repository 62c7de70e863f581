/** Numbers and booleans. */

import type { Dim } from "../ir/dim.ts";
import type { Equation, Value } from "../ir/types.ts";
import { atom, castText, narrowText, numberText, scalarText, type Text } from "./expressions.ts";
import { type Facts } from "./facts.ts";
import { Unreadable, type Writing } from "./writing.ts";

/** An equation whose inputs and output are numbers or booleans. */
export function scalarExpression(page: Writing, equation: Equation): Text {
  const { op, inputs, parameters } = equation;
  const [output] = equation.outputs as readonly [Value];
  switch (op) {
    case "constant": {
      const [value] = parameters["values"] as readonly [number];
      return output.type.dtype === "bool"
        ? atom(value === 1 ? "true" : "false")
        : numberText(value);
    }
    case "extent":
      return page.dim(parameters["dim"] as Dim);
    case "reshape":
    case "copy":
      return page.text(inputs[0] as Value);
    case "select": {
      const exact = page.facts.exactIndex(equation);
      if (exact !== undefined) return page.text(exact);
      break;
    }
    case "cast": {
      const [x] = inputs as readonly [Value];
      if (page.inElements) return page.text(x);
      if (output.type.dtype === "i32" && page.facts.isWhole(x)) return page.text(x);
      const text = castText(x.type.dtype, output.type.dtype, page.text(x));
      if (text !== undefined) return text;
      throw new Unreadable(`a ${x.type.dtype} as a ${output.type.dtype}`);
    }
  }
  const { dtype } = (inputs[0] ?? output).type;
  if (op === "add" && dtype === "i32") {
    const [x, y] = inputs as readonly [Value, Value];
    if (page.facts.constant(y) === 0) return page.text(x);
    if (page.facts.constant(x) === 0) return page.text(y);
  }
  const operands = inputs.map((input) => page.text(input));
  const wide =
    page.inElements || dtype === "f64" || dtype === "bool" || isCountOp(page.facts, equation);
  const text = (wide ? scalarText : narrowText)(op, dtype, operands);
  if (text !== undefined) return text;
  throw new Unreadable(`\`${op}\` of numbers`);
}

/** Sums and products of counts stay counts: what is counted fits into memory. */
function isCountOp(facts: Facts, equation: Equation): boolean {
  const { op, inputs } = equation;
  if (op === "div") return false;
  if (op === "rem") {
    const divisor = facts.constant(inputs[1] as Value);
    return divisor !== undefined && divisor > 0 && isCounted(facts, inputs[0] as Value);
  }
  return inputs.every((input) => isCount(facts, input));
}

/** Counters of loops, lengths, known numbers, and what is computed with these. */
function isCount(facts: Facts, value: Value): boolean {
  if (value.type.dtype !== "i32") return false;
  const definition = facts.definitions.get(value);
  if (definition === undefined) return facts.isCounter(value);
  const { op, inputs } = definition;
  if (op === "extent" || op === "constant" || op === "select") return true;
  if (op === "add" || op === "sub" || op === "mul" || op === "rem") {
    return inputs.every((input) => isCount(facts, input));
  }
  return op === "cast" && inputs[0]?.type.dtype === "u8";
}

/** A count that is never below zero, so that no remainder of it is -0. */
function isCounted(facts: Facts, value: Value): boolean {
  const definition = facts.definitions.get(value);
  if (definition === undefined) return facts.isCounter(value);
  if (definition.op === "extent") return true;
  if (definition.op === "constant") return (facts.constant(value) as number) >= 0;
  if (definition.op !== "add" && definition.op !== "mul") return false;
  return definition.inputs.every((input) => isCounted(facts, input));
}
