/**
 * Numbers that a loop carries as doubles, and that are 32-bit integers in every round, are carried
 * as such: an index that is handed on needs no conversion.
 *
 *   for n, (cast k) { (x: f64) … yield cast j }   →   for n, k { (y: i32) x = cast y … yield j }
 *
 * So are the low 32 bits of numbers of which nothing else is read, as in a generator of random
 * numbers, and counters of `while` that move by a constant for as long as they are on one side of a
 * bound: `while (j >= 0 && …) j--`.
 */

import type { Block, Equation, Value } from "../ir/types.ts";
import { scalarType } from "../ir/types.ts";
import { allEquations, loopOf } from "../ir/walk.ts";
import { newBuilder } from "../ops/index.ts";

/** The block with such numbers narrowed, or the very block where there are none. */
export function narrowCarried(block: Block): Block {
  const definitions = new Map<Value, Equation>();
  const rounded = new Set<Value>();
  // What is read otherwise than for its low 32 bits
  const wholly = new Set<Value>(block.results);
  for (const equation of allEquations(block)) {
    for (const output of equation.outputs) definitions.set(output, equation);
    const [input] = equation.inputs;
    if (input !== undefined && roundsToInteger(equation)) rounded.add(input);
    if (!takesBits(equation)) for (const read of equation.inputs) wholly.add(read);
    for (const region of equation.regions) for (const result of region.results) wholly.add(result);
  }
  let changed = false;
  const result = visit(block);
  return changed ? result : block;

  function visit(inner: Block): Block {
    const equations = inner.equations.flatMap((equation): readonly Equation[] => {
      const walked = { ...equation, regions: equation.regions.map(visit) };
      if (equation.op === "if") return narrowBranch(walked);
      return equation.op === "for" || equation.op === "while" ? narrowLoop(walked) : [walked];
    });
    return { ...inner, equations };
  }

  /** A branch whose result is read for its low bits gives those. */
  function narrowBranch(equation: Equation): readonly Equation[] {
    const chosen = equation.outputs.map(
      (output) => isNumber(output) && rounded.has(output) && !wholly.has(output),
    );
    if (!chosen.includes(true)) return [equation];
    changed = true;
    const regions = equation.regions.map((region): Block => {
      const tail = newBuilder(equation.span);
      const results = region.results.map((result, k) =>
        chosen[k] ? tail.unary("to_int32", result) : result,
      );
      return { ...region, equations: [...region.equations, ...tail.equations], results };
    });
    const after: Equation[] = [];
    const outputs = equation.outputs.map((output, k): Value => {
      if (!chosen[k]) return output;
      const integer: Value = { type: scalarType("i32"), name: output.name };
      after.push(castOf(integer, output, equation));
      return integer;
    });
    return [{ ...equation, regions, outputs }, ...after];
  }

  function narrowLoop(equation: Equation): readonly Equation[] {
    const { initial, carried, body } = loopOf(equation);
    const steps = carried.map((_, k) => stepOf(equation, k));
    const chosen = carried.map((parameter, k) => {
      const names = equation.op === "while" ? equation.regions.map((r) => r.parameters[k]) : [];
      const all = [parameter, ...(names as readonly Value[])];
      if (!isNumber(parameter) || !all.some((name) => rounded.has(name))) return false;
      if ([...all, equation.outputs[k] as Value].every((name) => !wholly.has(name))) return "bits";
      if (!isInteger(initial[k] as Value)) return false;
      return (steps[k] !== undefined || isInteger(body.results[k] as Value)) && "whole";
    });
    if (chosen.every((choice) => choice === false)) return [equation];
    changed = true;
    const before = newBuilder(equation.span);
    const narrow = (value: Value, k: number): Value => {
      if (chosen[k] === "bits") return before.unary("to_int32", value);
      return chosen[k] === "whole" ? integerOf(value, before) : value;
    };
    const inputs = [
      ...equation.inputs.slice(0, equation.inputs.length - carried.length),
      ...initial.map(narrow),
    ];
    const regions = equation.regions.map((region, n): Block => {
      const isBody = n === equation.regions.length - 1;
      const lead = region.parameters.length - carried.length;
      const head = newBuilder(equation.span);
      const parameters = region.parameters.map((parameter, k): Value => {
        if (!chosen[k - lead]) return parameter;
        const integer: Value = { type: scalarType("i32"), name: parameter.name };
        head.put(castOf(integer, parameter, equation));
        return integer;
      });
      const tail = newBuilder(equation.span);
      const nextOf = (result: Value, k: number): Value => {
        if (!chosen[k]) return result;
        if (chosen[k] === "bits") return tail.unary("to_int32", result);
        const step = steps[k];
        if (step === undefined) return integerOf(result, tail);
        const by = tail.constant(step, "i32");
        return tail.binary("add", parameters[lead + k] as Value, by);
      };
      const results = isBody ? region.results.map(nextOf) : region.results;
      const equations = [...head.equations, ...region.equations, ...tail.equations];
      return { parameters, equations, results };
    });
    const after: Equation[] = [];
    const outputs = equation.outputs.map((output, k): Value => {
      if (!chosen[k]) return output;
      const integer: Value = { type: scalarType("i32"), name: output.name };
      after.push(castOf(integer, output, equation));
      return integer;
    });
    return [...before.equations, { ...equation, inputs, regions, outputs }, ...after];
  }

  /** By how much a counter of a `while` moves, if it stays an integer of 32 bits. */
  function stepOf(equation: Equation, k: number): number | undefined {
    if (equation.op !== "while") return undefined;
    const [condition, body] = equation.regions as [Block, Block];
    const counter = body.parameters[k] as Value;
    const next = definitions.get(body.results[k] as Value);
    if (next === undefined || counter.type.dtype !== "f64") return undefined;
    const [x, y] = next.inputs as [Value, Value];
    const size = constantOf(x === counter ? y : x);
    if (size === undefined || !Number.isInteger(size) || Math.abs(size) > mostStep)
      return undefined;
    const isMove = x === counter ? ["add", "sub"].includes(next.op) : next.op === "add";
    if (!isMove || (x !== counter && y !== counter) || size === 0) return undefined;
    const step = next.op === "sub" ? -size : size;
    const tested = condition.parameters[k] as Value;
    const [goOn] = condition.results as [Value];
    const isBound = (test: Equation): boolean => boundsMoves(test, tested, step);
    return impliedBy(goOn).some(isBound) ? step : undefined;
  }

  /** The comparisons that hold where a condition does: `a && b` is `if a { b } else { false }`. */
  function impliedBy(condition: Value): readonly Equation[] {
    const definition = definitions.get(condition);
    if (definition === undefined) return [];
    const [a, b, c] = definition.inputs;
    switch (definition.op) {
      case "and":
        return definition.inputs.flatMap(impliedBy);
      case "select":
        return constantOf(c) === 0 ? [a, b].flatMap((part) => impliedBy(part as Value)) : [];
      case "if": {
        const [then, otherwise] = definition.regions as [Block, Block];
        const at = definition.outputs.indexOf(condition);
        if (constantOf(otherwise.results[at]) !== 0) return [];
        return [...impliedBy(a as Value), ...impliedBy(then.results[at] as Value)];
      }
      default:
        return [definition];
    }
  }

  /** True of a comparison that keeps a number, which moves by `step` after it, within 32 bits. */
  function boundsMoves({ op, inputs }: Equation, number: Value, step: number): boolean {
    const [x, y] = inputs as [Value, Value];
    const [bound, relation] = x === number ? [y, op] : [x, turned[op]];
    if (x !== number && y !== number) return false;
    const known = constantOf(bound);
    if (step < 0) {
      if (relation !== "ge" && relation !== "gt") return false;
      return known !== undefined && known >= -(2 ** 31) + mostStep;
    }
    if (relation !== "le" && relation !== "lt") return false;
    if (known !== undefined) return known <= 2 ** 31 - 1 - mostStep;
    const [length] = definitions.get(bound)?.inputs ?? [];
    // Lengths of arrays are far below.
    return (
      definitions.get(bound)?.op === "cast" && definitions.get(length as Value)?.op === "extent"
    );
  }

  function constantOf(value: Value | undefined): number | undefined {
    const definition = value && definitions.get(value);
    if (definition?.op !== "constant") return undefined;
    const [number, ...others] = definition.parameters["values"] as readonly number[];
    return others.length === 0 ? number : undefined;
  }

  /** True of a double that is an integer of 32 bits, and not -0. */
  function isInteger(value: Value): boolean {
    if (value.type.dtype !== "f64" || value.type.shape.length > 0) return false;
    const definition = definitions.get(value);
    if (definition?.op === "cast") return definition.inputs[0]?.type.dtype === "i32";
    if (definition?.op !== "constant") return false;
    const [number] = definition.parameters["values"] as readonly [number];
    return Object.is(number, number | 0);
  }

  /** That integer, made where the builder stands. */
  function integerOf(value: Value, builder: ReturnType<typeof newBuilder>): Value {
    const definition = definitions.get(value) as Equation;
    if (definition.op === "cast") return definition.inputs[0] as Value;
    const [number] = definition.parameters["values"] as readonly [number];
    return builder.constant(number, "i32");
  }
}

/** The largest step of a counter: bounds are that far from the ends of the range. */
const mostStep = 2 ** 20;

/** `a < b` says of b what `b > a` does. */
const turned: Readonly<Record<string, string>> = { ge: "le", gt: "lt", le: "ge", lt: "gt" };

function isNumber({ type: { dtype, shape, stack } }: Value): boolean {
  return dtype === "f64" && shape.length === 0 && !stack;
}

/** Reads the low 32 bits of a number and nothing else of it. */
function takesBits({ op }: Equation): boolean {
  return op === "to_int32" || op === "to_uint32";
}

function roundsToInteger({ op, outputs }: Equation): boolean {
  return op === "to_int32" || (op === "cast" && outputs[0]?.type.dtype === "i32");
}

function castOf(from: Value, to: Value, { span }: Equation): Equation {
  const parameters = { dtype: to.type.dtype };
  return { op: "cast", inputs: [from], parameters, regions: [], outputs: [to], span };
}
