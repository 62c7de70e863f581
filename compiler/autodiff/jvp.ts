/**
 * Forward mode: a function that also carries the derivative along given directions.
 *
 *   y = f(x)   →   y, ẏ = f(x), f'(x) ẋ
 */

import type { GraphBuilder } from "../ops/builder.ts";
import type { RuleContext } from "../ops/define.ts";
import { type Equation, type Fn, isFloat, type Value } from "../ir/types.ts";
import { opOf } from "../ops/of.ts";
import type { CustomCallee } from "./callee.ts";
import { pushCustom } from "./custom.ts";
import { type Algebra, followed, type Sweep, tangentOrZero } from "./follow.ts";
import { FunctionTable } from "./functions.ts";
import { scaled } from "./scale.ts";

/**
 * `active` marks the parameters that have tangents. The result takes the parameters and then the
 * tangents of the active ones; it returns the results and then the tangents of the floating-point
 * ones.
 */
export function jvp(
  fn: Fn,
  active: readonly boolean[],
  functions: FunctionTable = new FunctionTable(),
): Fn {
  return followed(fn, active, functions, derivatives);
}

const derivatives: Algebra = {
  name: "jvp",
  typeOf: (type) => type,
  nameOf: differentialName,
  primitive: pushPrimitive,
  custom: pushRule,
  derive: ({ functions }, _, active) => ({
    suffix: "",
    make: (fn) => jvp(fn, active, functions),
  }),
};

function pushRule(
  sweep: Sweep,
  builder: GraphBuilder,
  equation: Equation,
  callee: CustomCallee,
): void {
  const { functions, tangents, varied } = sweep;
  const known = equation.inputs.map((input) =>
    varied.has(input) ? tangentOrZero(sweep, builder, input) : undefined,
  );
  const changes = pushCustom(functions, builder, equation, callee, known);
  const moved = equation.outputs.filter((output) => isFloat(output.type.dtype));
  moved.forEach((output, k) => tangents.set(output, changes[k] as Value));
}

/** One equation of the op table, by the class of its derivative. */
function pushPrimitive(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
  const { tangents } = sweep;
  const { inputs, outputs, parameters } = equation;
  const op = opOf(equation);
  const directions = inputs.map((input) => tangents.get(input));
  const context: RuleContext = { builder, equation, inputs, outputs };
  const consumes = op.laws.consumes ?? [];
  // A rule may read an input that the equation consumes, so it runs before the equation, unless
  // it reads the result.
  const define = (): void => builder.put(equation);
  const { derivative } = op;
  switch (derivative.kind) {
    case "zero":
      define();
      return;
    case "linear": {
      const linear = derivative.in === "all" ? inputs.map((_, k) => k) : derivative.in;
      const moved = inputs.map((input, k) =>
        linear.includes(k) ? tangentOrZero(sweep, builder, input) : input,
      );
      define();
      const results = builder.emit(equation.op, moved, parameters);
      outputs.forEach((output, k) => tangents.set(output, results[k] as Value));
      return;
    }
    case "multilinear": {
      // (xy)˙ = ẋ y + x ẏ
      define();
      const terms = directions.flatMap((direction, k) =>
        direction === undefined
          ? []
          : [builder.one(equation.op, inputs.with(k, direction), parameters)],
      );
      tangents.set(outputs[0] as Value, sumOf(builder, terms));
      return;
    }
    case "partials": {
      define();
      const terms = directions.flatMap((direction, k) => {
        const partial = direction && derivative.partials[k]?.(context);
        return partial === undefined ? [] : [scaled(builder, partial, direction as Value)];
      });
      if (terms.length > 0) tangents.set(outputs[0] as Value, sumOf(builder, terms));
      return;
    }
    case "rules": {
      // A rule of an op that consumes reads no results.
      if (consumes.length === 0) define();
      const moved = derivative.jvp(context, directions);
      if (consumes.length > 0) define();
      moved.forEach((tangent, k) => {
        if (tangent !== undefined) tangents.set(outputs[k] as Value, tangent);
      });
      return;
    }
  }
}

function sumOf(builder: GraphBuilder, terms: readonly Value[]): Value {
  return terms.reduce((sum, term) => builder.add(sum, term));
}

/** `w` → `dw`, `W` → `dW`. */
export function differentialName(name: string): string {
  return `d${name}`;
}
