/**
 * The greatest (or least) of many numbers depends on one of them. A loop that finds it,
 *
 *   for i { m' = max m e(i) }
 *
 * is followed by a search for the round that it comes from and by that round's number, which alone
 * has the derivative: the adjoint has no loop and keeps nothing.
 *
 *   while e(i) != m { i = i + 1 };  m = e(i)
 *
 * Ties go to the number that `max` takes there: of `max m e(i)` the first, of `max e(i) m` the last.
 */

import { type Block, type Equation, isFloat, scalarType, type Value } from "../ir/types.ts";
import { copyBlock, loopOf } from "../ir/walk.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { newBuilder } from "../ops/index.ts";
import { opOf } from "../ops/of.ts";
import { dropDead } from "../passes/dce.ts";
import { variedValues } from "./activity.ts";

/** The block with such loops taken apart where what they find depends on `seeds`. */
export function extremesApart(block: Block, seeds: readonly Value[]): Block {
  const varied = variedValues(block, seeds);
  const visit = (inner: Block): Block => {
    const renaming = new Map<Value, Value>();
    const rename = (value: Value): Value => renaming.get(value) ?? value;
    const equations = inner.equations.flatMap((equation): readonly Equation[] => {
      const inputs = equation.inputs.map(rename);
      const regions = equation.regions.map((region) => visit(copyRegion(region, renaming)));
      const renamed: Equation = { ...equation, inputs, regions };
      const isActive = renamed.outputs.some((output) => varied.has(output));
      const extremes = isActive ? extremesOf(renamed) : undefined;
      if (extremes === undefined) return [renamed];
      const builder = newBuilder(equation.span);
      builder.put(renamed);
      extremes.forEach((extreme, k) => {
        const output = renamed.outputs[k] as Value;
        const found = numberOfRound(builder, renamed, extreme, output);
        if (output.name !== undefined) builder.name(found, output.name);
        renaming.set(output, found);
      });
      return builder.equations;
    });
    return { ...inner, equations, results: inner.results.map(rename) };
  };
  return visit(block);
}

/** A region whose free values are renamed; its own keep their identity, which `varied` knows. */
function copyRegion(region: Block, renaming: ReadonlyMap<Value, Value>): Block {
  if (renaming.size === 0) return region;
  const rename = (value: Value): Value => renaming.get(value) ?? value;
  return {
    ...region,
    equations: region.equations.map((equation) => ({
      ...equation,
      inputs: equation.inputs.map(rename),
      regions: equation.regions.map((inner) => copyRegion(inner, renaming)),
    })),
    results: region.results.map(rename),
  };
}

/** `m' = max m e` in the body of a loop. */
interface Extreme {
  readonly op: "max" | "min";
  /** What competes in a round. */
  readonly number: Value;
  readonly start: Value;
  /** True where a number that is as good as the best so far takes its place. */
  readonly lastWins: boolean;
}

/** What each carried value finds, if all that the loop does is to find extremes of numbers. */
function extremesOf(equation: Equation): readonly Extreme[] | undefined {
  if (equation.op !== "for") return undefined;
  const { initial, carried, body } = loopOf(equation);
  const dependent = new Set(carried);
  const uses = new Map<Value, number>();
  for (const inner of body.equations) {
    if (inner.regions.length > 0 || inner.op === "call" || inner.op === "bind") return undefined;
    const { effect, consumes } = opOf(inner).laws;
    if (effect === true || consumes !== undefined) return undefined;
    if (inner.inputs.some((input) => dependent.has(input))) {
      for (const output of inner.outputs) dependent.add(output);
    }
    for (const input of inner.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  }
  const extremes = carried.map((best, k): Extreme | undefined => {
    const result = body.results[k] as Value;
    const step = body.equations.find(({ outputs }) => outputs[0] === result);
    if (step === undefined || (step.op !== "max" && step.op !== "min")) return undefined;
    if (!isFloat(result.type.dtype) || result.type.shape.length > 0) return undefined;
    const [x, y] = step.inputs as [Value, Value];
    const number = x === best ? y : x;
    const alone = uses.get(best) === 1 && (x === best || y === best) && !dependent.has(number);
    const start = initial[k] as Value;
    return alone ? { op: step.op, number, start, lastWins: y === best } : undefined;
  });
  return extremes.every((extreme) => extreme !== undefined) ? extremes : undefined;
}

/** The extreme that a loop has found, as the number of the round that it comes from. */
function numberOfRound(
  builder: GraphBuilder,
  loop: Equation,
  extreme: Extreme,
  output: Value,
): Value {
  const best = builder.unary("stop_gradient", output);
  const { start } = extreme;
  const [count] = loop.inputs as [Value];
  const some = builder.binary("gt", count, builder.constant(0, "i32"));
  // The number that the loop started with stands in front of all rounds. NaN is in none.
  const known = builder.binary("eq", best, best);
  const isRound = extreme.lastWins
    ? known
    : builder.one("and", [known, builder.binary("ne", start, best)]);
  const [found] = builder.if(
    builder.one("and", [some, isRound]),
    builder.block([], (inner) => [searched(inner, loop, extreme, best)]),
    builder.block([], () => [start]),
  ) as [Value];
  // The number itself, but NaN and the sign of a zero are those of the best one.
  return builder.binary(extreme.op, found, best);
}

/** The number of the first, or last, round that has the best one; of none, the one at the start. */
function searched(
  builder: GraphBuilder,
  loop: Equation,
  { number, start, lastWins }: Extreme,
  best: Value,
): Value {
  const [count] = loop.inputs as [Value];
  const i32 = scalarType("i32");
  const [zero, one] = [0, 1].map((k) => builder.constant(k, "i32")) as [Value, Value];
  const differs = (inner: GraphBuilder, round: Value): Value =>
    inner.binary("ne", numberIn(inner, loop, number, round), best);
  const next = builder.block([i32], (inner, [i]) => [
    inner.binary(lastWins ? "sub" : "add", i as Value, one),
  ]);
  if (!lastWins) {
    const goOn = builder.block([i32], (inner, [i]) => [differs(inner, i as Value)]);
    const [round] = builder.append("while", [zero], {}, [goOn, next], [i32]) as [Value];
    return numberIn(builder, loop, number, builder.name(round, "winner"));
  }
  const goOn = builder.block([i32], (inner, [i]) => {
    const round = inner.binary("max", i as Value, zero);
    const more = inner.binary("ge", i as Value, zero);
    return [inner.one("and", [more, differs(inner, round)])];
  });
  const [round] = builder.append("while", [builder.sub(count, one)], {}, [goOn, next], [i32]) as [
    Value,
  ];
  builder.name(round, "winner");
  const [found] = builder.if(
    builder.binary("ge", round, zero),
    builder.block([], (inner) => [numberIn(inner, loop, number, round)]),
    builder.block([], () => [start]),
  );
  return found as Value;
}

/** What competes in a round, computed again. */
function numberIn(builder: GraphBuilder, loop: Equation, number: Value, counter: Value): Value {
  const [body] = loop.regions as [Block];
  const [own, ...carried] = body.parameters as [Value, ...Value[]];
  const only = dropDead({ ...body, results: [number] });
  const copy = copyBlock({ ...only, parameters: carried }, new Map([[own, counter]]));
  copy.equations.forEach((equation) => builder.put(equation));
  return copy.results[0] as Value;
}
