/**
 * Dependence: a function that also says which inputs each of its results may depend on.
 *
 *   y = f(x)   →   y, m(y) = f(x), the union of m(x) over what y depends on
 *
 * A mask has the shape of its value, and 32 bits an element. It is forward mode over sets: 0 is the
 * empty one, sums and products are unions, and a rearrangement rearranges masks. So what masks say
 * contains what is not zero in the derivative, at every value of the active inputs. What decides how
 * the program runs must therefore be the same at all of them. The exception is a branch, both arms of
 * which are followed where they can be.
 */

import type { GraphBuilder } from "../ops/builder.ts";
import type { RuleContext } from "../ops/define.ts";
import { maskOf, maskType, orAt } from "../ops/support/masks.ts";
import { type Block, type Dim, type Equation, type Fn, isFloat, type Value } from "../ir/types.ts";
import { loopOf, renameBlock } from "../ir/walk.ts";
import { opOf } from "../ops/of.ts";
import { decisionOf, smoothInputs, touchedValues } from "./activity.ts";
import type { CustomCallee } from "./callee.ts";
import { checkSmooth, inline } from "./custom.ts";
import { type Algebra, followed, pushBlock, type Sweep, tangentOrZero } from "./follow.ts";
import { FunctionTable, maskText } from "./functions.ts";

/** Where the pattern would not hold at other values of the input: the program runs otherwise there. */
export class PatternFault extends Error {
  /** What the input decides: "how often this loop runs". */
  readonly what: string;
  readonly span: Equation["span"];
  /** The calls that asked for the pattern, innermost first. */
  readonly calls: NonNullable<Equation["span"]>[] = [];
  constructor(what: string, span: Equation["span"]) {
    super(`there is no one sparsity pattern: ${what} depends on the values of the argument`);
    this.what = what;
    this.span = span;
  }
}

/**
 * `active` marks the parameters that have masks, `touched` others that depend on the same inputs
 * and have none: integers and conditions. Parameters and results stand as those of `jvp` do.
 */
export function dependence(
  fn: Fn,
  active: readonly boolean[],
  touched: readonly boolean[] = [],
  functions: FunctionTable = new FunctionTable(),
): Fn {
  const seeds = fn.body.parameters.filter((_, k) => active[k] || touched[k]);
  return followed(fn, active, functions, masks(touchedValues(fn.body, seeds)));
}

function masks(touched: ReadonlySet<Value>): Algebra {
  /** How many branches around run whatever their condition says. */
  let arms = 0;
  return {
    name: "dependence",
    typeOf: maskType,
    nameOf: (name) => `${name}_mask`,
    primitive,
    custom,
    derive({ functions }, call, active) {
      const others = call.inputs.map((input, k) => !active[k] && touched.has(input));
      return {
        suffix: `_${maskText(others)}`,
        make: (fn) => dependence(fn, active, others, functions),
      };
    },
    intercept,
  };

  /** What is not followed as forward mode follows it. */
  function intercept(
    sweep: Sweep,
    builder: GraphBuilder,
    equation: Equation,
  ): "done" | "walk" | undefined {
    const { op, outputs, inputs, span } = equation;
    const isVaried = outputs.some((output) => sweep.varied.has(output));
    const decision = decisionOf(equation);
    const decided = decision !== undefined && touched.has(decision);
    if (op === "if" && decided && isVaried) {
      bothArms(sweep, builder, equation);
      return "done";
    }
    if ((op === "for" || op === "while") && decided && isVaried) {
      throw new PatternFault("how often this loop runs", span);
    }
    if (op === "bind" && inputs.some((input) => touched.has(input))) {
      throw new PatternFault("the length of this array", span);
    }
    return arms > 0 ? inArm(sweep, builder, equation) : undefined;
  }

  /** An equation of a branch that runs whatever its condition says: it may not fail, and must end. */
  function inArm(sweep: Sweep, builder: GraphBuilder, equation: Equation): "done" | "walk" {
    const { op, inputs, span } = equation;
    switch (op) {
      case "at":
        guarded(sweep, builder, equation, inputs.slice(1));
        return "done";
      case "update":
      case "add_at":
        guarded(sweep, builder, equation, inputs.slice(2));
        return "done";
      // Stacks are as deep in the walk back as the way there left them.
      case "pop":
      case "for":
      case "if":
      case "map":
        return "walk";
      case "while":
        throw new PatternFault("whether this loop runs", span);
      case "call":
        throw new PatternFault("whether this function is called", span);
      case "bind":
        throw new PatternFault("whether this array is made", span);
      default:
        if (opOf(equation).laws.partial !== true) return "walk";
        throw new PatternFault("whether these elements are taken", span);
    }
  }

  /**
   * A branch that the input decides: its arms run one after the other, whatever the condition says,
   * and what either gives counts. An array that both write goes through both, since masks only grow
   * there; so does a stack, of which only one arm may make use.
   */
  function bothArms(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
    const { tangents, varied } = sweep;
    const [then, otherwise] = equation.regions as [Block, Block];
    const { outputs, span } = equation;
    arms++;
    pushBlock(sweep, builder, then);
    const before = new Map<Value, Value | undefined>();
    const renaming = new Map<Value, Value>();
    const threaded = outputs.map(({ type }, k) => {
      const [one, other] = [then.results[k], otherwise.results[k]] as [Value, Value];
      const base = writtenBase(then, one);
      const isShared = base !== undefined && base === writtenBase(otherwise, other);
      if (type.stack) {
        if (!isShared || (one !== base && other !== base)) {
          throw new PatternFault("which arm of this branch runs", span);
        }
        if (one !== base) renaming.set(base, one);
        return true;
      }
      // What is made of a varied array is varied: its mask is carried all the way. Of two that are
      // made of one array only the first can be.
      if (!isShared || type.shape.length === 0 || !varied.has(base) || before.has(base)) {
        return false;
      }
      before.set(base, tangents.get(base));
      tangents.set(base, tangentOrZero(sweep, builder, one));
      return true;
    });
    const second = renameBlock(otherwise, renaming);
    const results = otherwise.results.map((result) => renaming.get(result) ?? result);
    pushBlock(sweep, builder, second);
    arms--;
    // The base itself, where an arm leaves it as it was.
    const own = (value: Value): Value | undefined =>
      before.has(value) ? before.get(value) : tangents.get(value);
    const unions = outputs.map((_, k) => {
      const [first, last] = [then.results[k], results[k]] as [Value, Value];
      if (threaded[k]) return tangents.get(last);
      const [one, other] = [own(first), own(last)];
      if (one === undefined || one === other) return other;
      return other === undefined ? one : builder.binary("bit_or", one, other);
    });
    for (const [base, mask] of before) {
      if (mask === undefined) tangents.delete(base);
      else tangents.set(base, mask);
    }
    const firsts = then.results.map((result, k) =>
      outputs[k]?.type.stack === true ? (results[k] as Value) : result,
    );
    const chosen = [firsts, results].map((values): Block => ({
      parameters: [],
      equations: [],
      results: values,
    }));
    builder.put({ ...equation, regions: chosen });
    outputs.forEach((output, k) => {
      const union = unions[k];
      if (union !== undefined && isFloat(output.type.dtype)) tangents.set(output, union);
    });
  }

  /**
   * A read or write that may have been meant for other values only: it happens where its index is in
   * range. Where it is not, the program would fail, and nothing depends on anything.
   */
  function guarded(
    sweep: Sweep,
    builder: GraphBuilder,
    equation: Equation,
    indices: readonly Value[],
  ): void {
    const { inputs, outputs, op } = equation;
    const [array] = inputs as readonly [Value, ...Value[]];
    const [output] = outputs as [Value];
    const isVaried = sweep.varied.has(output);
    const inside = builder.nested();
    const own: Value = { type: output.type, name: output.name };
    inside.put({ ...equation, outputs: [own] });
    const results = [own];
    if (isVaried) results.push(movedMask(sweep, inside, equation));
    const outside = builder.nested();
    const kept = op !== "at";
    const others = [kept ? array : outside.zerosOf(output.type)];
    if (isVaried) {
      const zero = (): Value => outside.zerosOf(maskType(output.type));
      others.push(kept ? tangentOrZero(sweep, outside, array) : zero());
    }
    const mask: Value = { type: maskType(output.type), name: output.name };
    builder.put({
      ...equation,
      op: "if",
      inputs: [inRange(builder, array, indices)],
      parameters: {},
      regions: [
        { parameters: [], equations: inside.equations, results },
        { parameters: [], equations: outside.equations, results: others },
      ],
      outputs: isVaried ? [output, mask] : [output],
    });
    if (isVaried) sweep.tangents.set(output, mask);
  }

  /** One equation of the op table. */
  function primitive(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
    const mask = movedMask(sweep, builder, equation);
    builder.put(equation);
    for (const output of equation.outputs) {
      if (isFloat(output.type.dtype)) sweep.tangents.set(output, mask);
    }
  }

  /** The mask of what an equation gives. */
  function movedMask(sweep: Sweep, builder: GraphBuilder, equation: Equation): Value {
    const { inputs, outputs, parameters } = equation;
    const op = opOf(equation);
    const smooth = smoothInputs(equation);
    const known = inputs.map((input) =>
      smooth.includes(input) ? sweep.tangents.get(input) : undefined,
    );
    const given = known.filter((mask) => mask !== undefined);
    const decided = inputs.some((input) => !smooth.includes(input) && touched.has(input));
    if (op.laws.elementwise === true && (decided || op.laws.rearranges !== true)) {
      return unionOf(builder, given);
    }
    const isPlaced = op.laws.rearranges === true || op.dependence !== undefined;
    if (isPlaced && decided) throw new PatternFault("which element this is", equation.span);
    if (equation.op === "update" && arms > 0) {
      // The write may not have happened.
      const [x, value, ...indices] = inputs as readonly [Value, Value, ...Value[]];
      const [old, added] = [maskOf(builder, x, known[0]), maskOf(builder, value, known[1])];
      return orAt(builder, old, added, indices);
    }
    if (op.laws.rearranges === true) {
      const moved = inputs.map((input, k) =>
        smooth.includes(input) ? maskOf(builder, input, known[k]) : input,
      );
      return builder.one(equation.op, moved, parameters);
    }
    if (op.dependence !== undefined) {
      const context: RuleContext = { builder, equation, inputs, outputs };
      return op.dependence(context, known);
    }
    if (op.lower.kind === "reduce") {
      const { axes = [] } = parameters;
      return builder.one("reduce_or", [given[0] as Value], { axes });
    }
    return everything(builder, given, outputs[0] as Value);
  }

  /** A rule of the user's own may do anything: each result depends on all of the inputs. */
  function custom(
    sweep: Sweep,
    builder: GraphBuilder,
    equation: Equation,
    callee: CustomCallee,
  ): void {
    const { functions, tangents, varied } = sweep;
    const { inputs, outputs } = equation;
    const active = inputs.map((input) => varied.has(input));
    const known = inputs.flatMap((input, k) => {
      const mask = active[k] ? tangents.get(input) : undefined;
      return mask === undefined ? [] : [mask];
    });
    const floats = outputs.filter((output) => isFloat(output.type.dtype));
    if (callee.kind === "checkpoint") {
      const others = inputs.map((input, k) => !active[k] && touched.has(input));
      const given = inputs
        .filter((_, k) => active[k])
        .map((input) => tangentOrZero(sweep, builder, input));
      const of = { kind: "dependence", of: callee.of, active, touched: others } as const;
      const results = inline(functions, builder, of, [...inputs, ...given]);
      builder.put(equation);
      floats.forEach((output, k) => tangents.set(output, results[outputs.length + k] as Value));
      return;
    }
    checkSmooth(equation, callee, active);
    builder.put(equation);
    for (const output of floats) tangents.set(output, everything(builder, known, output));
  }
}

/** Every element of the result depends on all that any element of the inputs depends on. */
function everything(builder: GraphBuilder, given: readonly Value[], output: Value): Value {
  const whole = given.map((mask) => {
    const axes = mask.type.shape.map((_, axis) => axis);
    return builder.one("reduce_or", [mask], { axes });
  });
  return builder.broadcastTo(unionOf(builder, whole), output.type.shape);
}

function unionOf(builder: GraphBuilder, given: readonly Value[]): Value {
  return given.reduce((all, mask) => builder.binary("bit_or", all, mask));
}

/** Whether leading indices are in range. */
function inRange(builder: GraphBuilder, array: Value, indices: readonly Value[]): Value {
  const tests = indices.flatMap((index, axis) => {
    const extent = builder.extent(array.type.shape[axis] as Dim);
    return [builder.binary("ge", index, 0), builder.binary("lt", index, extent)];
  });
  if (tests.length === 0) return builder.constant(1, "bool");
  return tests.reduce((all, test) => builder.one("and", [all, test]));
}

/**
 * The array or stack from around a block that `value` is, after writes alone; undefined where it is
 * anything else.
 */
function writtenBase(block: Block, value: Value): Value | undefined {
  const definition = block.equations.find(({ outputs }) => outputs.includes(value));
  if (definition === undefined) return block.parameters.includes(value) ? undefined : value;
  const { op, inputs, outputs, regions } = definition;
  const k = outputs.indexOf(value);
  switch (op) {
    case "update":
    case "add_at":
    case "push":
      return writtenBase(block, inputs[0] as Value);
    case "pop":
      return k === 0 ? writtenBase(block, inputs[0] as Value) : undefined;
    case "if": {
      const [one, other] = regions.map((region) => writtenBase(region, region.results[k] as Value));
      return one !== undefined && one === other ? writtenBase(block, one) : undefined;
    }
    case "for": {
      const { initial, carried, body } = loopOf(definition);
      const inner = { ...body, parameters: [] };
      const isWritten = writtenBase(inner, body.results[k] as Value) === carried[k];
      return isWritten ? writtenBase(block, initial[k] as Value) : undefined;
    }
    default:
      return undefined;
  }
}
