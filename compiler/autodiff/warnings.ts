/**
 * Derivatives that are always zero: asked for, and yet the result does not depend smoothly on what
 * it is differentiated by. The places where a dependence stops are named: `floor`, comparisons, …
 */

import type { Diagnostic, RelatedPlace } from "../diagnostics/diagnostic.ts";
import * as messages from "../diagnostics/messages.ts";
import { type Equation, type Fn, type Graph, isFloat, type Value } from "../ir/types.ts";
import { allEquations } from "../ir/walk.ts";
import { ops } from "../ops/index.ts";
import { touchedValues, usefulValues, variedValues } from "./activity.ts";
import { decodeCallee } from "./callee.ts";

/** Warnings about the derivatives that a program asks for. */
export function derivativeWarnings(graph: Graph): readonly Diagnostic[] {
  const equations = [...graph.functions.values()].flatMap(({ body }) => [...allEquations(body)]);
  return equations.flatMap((equation) => {
    if (equation.op !== "call" || equation.span === undefined) return [];
    const callee = decodeCallee(equation.parameters["callee"]);
    if ((callee.kind !== "vjp" && callee.kind !== "jvp") || callee.of.kind !== "function")
      return [];
    const fn = graph.functions.get(callee.of.name);
    if (fn === undefined) return [];
    const { active } = callee;
    const inputs = fn.body.parameters.filter((_, k) => active[k]);
    const found = zeroDerivatives(fn, inputs);
    // A pullback that gives nothing but zeros has not been meant, used or not.
    const wanted = callee.kind === "vjp" && found.length === inputs.length;
    const warned = found.filter(({ flows, stops }) => (flows && stops.length > 0) || wanted);
    if (warned.length === 0 || warned.some(({ stops }) => stops.some(isDeliberate))) return [];
    const names = warned.map(({ input }) => `\`${input.name ?? "the argument"}\``);
    const inside = new Set(warned.flatMap(({ stops }) => stops));
    const places = [...inside].slice(0, 3).flatMap(placeOf);
    const values = [...new Set(names)].join(", ");
    return [messages.zeroDerivative({ values }, equation.span, places)];
  });
}

interface Zero {
  readonly input: Value;
  /** True where the result depends on it, though not smoothly. */
  readonly flows: boolean;
  /** Where it stops. */
  readonly stops: readonly Equation[];
}

function zeroDerivatives({ body }: Fn, inputs: readonly Value[]): readonly Zero[] {
  const floats = body.results.filter(({ type }) => isFloat(type.dtype));
  const useful = usefulValues(body, floats);
  return inputs
    .filter((input) => !useful.has(input))
    .map((input) => {
      const varied = variedValues(body, [input]);
      const stops = [...allEquations(body)].filter(
        (equation) =>
          ops[equation.op]?.derivative.kind === "zero" &&
          equation.inputs.some((operand) => varied.has(operand)),
      );
      const touched = touchedValues(body, [input]);
      return { input, stops, flows: floats.some((result) => touched.has(result)) };
    });
}

function isDeliberate({ op }: Equation): boolean {
  return op === "stop_gradient";
}

function placeOf({ op, span }: Equation): readonly RelatedPlace[] {
  if (span === undefined) return [];
  return [{ message: `the derivative stops here, at ${described[op] ?? `\`${op}\``}`, span }];
}

const described: Readonly<Record<string, string>> = {
  cast: "a conversion to an integer",
  to_int32: "a conversion to an integer",
  to_uint32: "a conversion to an integer",
  eq: "a comparison",
  ne: "a comparison",
  lt: "a comparison",
  le: "a comparison",
  gt: "a comparison",
  ge: "a comparison",
};
