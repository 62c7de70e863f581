/**
 * Numbers that a loop carries as doubles, and that are 32-bit integers in every round, are carried
 * as such: an index that is handed on needs no conversion.
 *
 *   for n, (cast k) { (x: f64) … yield cast j }   →   for n, k { (y: i32) x = cast y … yield j }
 */

import type { Block, Equation, Value } from "../ir/types.ts";
import { scalarType } from "../ir/types.ts";
import { allEquations, loopOf } from "../ir/walk.ts";
import { newBuilder } from "../ops/index.ts";

export function narrowCarried(block: Block): Block {
  const definitions = new Map<Value, Equation>();
  const rounded = new Set<Value>();
  for (const equation of allEquations(block)) {
    for (const output of equation.outputs) definitions.set(output, equation);
    const [input] = equation.inputs;
    if (input !== undefined && roundsToInteger(equation)) rounded.add(input);
  }
  return visit(block);

  function visit(inner: Block): Block {
    const equations = inner.equations.flatMap((equation): readonly Equation[] => {
      const walked = { ...equation, regions: equation.regions.map(visit) };
      return equation.op === "for" || equation.op === "while" ? narrowLoop(walked) : [walked];
    });
    return { ...inner, equations };
  }

  function narrowLoop(equation: Equation): readonly Equation[] {
    const { initial, carried, body } = loopOf(equation);
    const chosen = carried.map((parameter, k) => {
      const start = initial[k] as Value;
      const next = body.results[k] as Value;
      return rounded.has(parameter) && isInteger(start) && isInteger(next);
    });
    if (!chosen.includes(true)) return [equation];
    const before = newBuilder(equation.span);
    const narrow = (value: Value, k: number): Value =>
      chosen[k] ? integerOf(value, before) : value;
    const inputs = [
      ...equation.inputs.slice(0, equation.inputs.length - carried.length),
      ...initial.map(narrow),
    ];
    const regions = equation.regions.map((region, n): Block => {
      const isBody = n === equation.regions.length - 1;
      const lead = region.parameters.length - carried.length;
      const head = newBuilder(equation.span);
      const parameters = region.parameters.map((parameter, k): Value => {
        if (chosen[k - lead] !== true) return parameter;
        const integer: Value = { type: scalarType("i32"), name: parameter.name };
        head.put(castOf(integer, parameter, equation));
        return integer;
      });
      const tail = newBuilder(equation.span);
      const results = isBody
        ? region.results.map((result, k) => (chosen[k] ? integerOf(result, tail) : result))
        : region.results;
      const equations = [...head.equations, ...region.equations, ...tail.equations];
      return { parameters, equations, results };
    });
    const after: Equation[] = [];
    const outputs = equation.outputs.map((output, k): Value => {
      if (chosen[k] !== true) return output;
      const integer: Value = { type: scalarType("i32"), name: output.name };
      after.push(castOf(integer, output, equation));
      return integer;
    });
    return [...before.equations, { ...equation, inputs, regions, outputs }, ...after];
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

function roundsToInteger({ op, outputs }: Equation): boolean {
  return op === "to_int32" || (op === "cast" && outputs[0]?.type.dtype === "i32");
}

function castOf(from: Value, to: Value, { span }: Equation): Equation {
  const parameters = { dtype: to.type.dtype };
  return { op: "cast", inputs: [from], parameters, regions: [], outputs: [to], span };
}
