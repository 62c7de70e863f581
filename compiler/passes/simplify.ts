/**
 * Algebra on equations, exact in IEEE arithmetic, then common subexpressions and dead code:
 *
 *   mul x 1 → x     transpose (transpose x) → transpose x     if true { a } else { b } → a
 */

import { hasHalves } from "../../runtime/arrays.ts";
import { evaluateDim } from "../ir/dim.ts";
import { type Block, type Equation, isFloat, type Value } from "../ir/types.ts";
import { copyBlock, equationCount, loopOf } from "../ir/walk.ts";
import { scalar } from "../ir/ndarray.ts";
import { ops } from "../ops/index.ts";
import { mergeCommon } from "./cse.ts";
import { dropDead } from "./dce.ts";
import { rewrite, type RewriteContext, type Rule } from "./rewrite.ts";

/** Simplifies until nothing changes; the usual tidying between two other passes. */
export function cleanUp(block: Block): Block {
  let current = dropDead(block);
  for (let round = 0; round < 8; round++) {
    const next = dropDead(mergeCommon(rewrite(current, rules)));
    const settled = equationCount(next) === equationCount(current) && round > 0;
    current = next;
    if (settled) break;
  }
  return current;
}

/** x op y where one side is the number `k`: gives the other side. */
function identity(k: number, side: "right" | "both", arraysOnly = false): Rule {
  return ({ inputs: [x, y] }, { constant }) => {
    if (arraysOnly && x?.type.shape.length === 0) return undefined;
    if (Object.is(constant(y), k)) return [x as Value];
    return side === "both" && Object.is(constant(x), k) ? [y as Value] : undefined;
  };
}

/** 0 + x → x in sums of cotangents and over tensors, where the sign of a zero means nothing. */
const addZero: Rule = (equation, context) => {
  const lenient = equation.parameters["accumulate"] === true;
  return identity(0, "both", !lenient)(equation, context);
};

/** f(f(x)) → x */
const involution: Rule = ({ op, inputs: [x] }, { definition }) => {
  const inner = definition(x as Value);
  return inner?.op === op ? inner.inputs : undefined;
};

/** An op on scalar constants → a constant. */
const fold: Rule = (equation, { builder, constant }) => {
  const [output] = equation.outputs;
  if (equation.outputs.length !== 1 || output === undefined) return undefined;
  if (equation.inputs.some((input) => input.type.shape.length > 0)) return undefined;
  const known = equation.inputs.map(constant);
  if (known.some((value) => value === undefined)) return undefined;
  const op = ops[equation.op];
  if (op === undefined) return undefined;
  const isHalf = [output, ...equation.inputs].some(({ type }) => type.dtype === "f16");
  if (isHalf && !hasHalves) return undefined;
  const inputs = equation.inputs.map((input, k) => scalar(input.type.dtype, known[k] as number));
  const [result] = op.reference(inputs, equation.parameters, {
    outputs: [{ dtype: output.type.dtype, shape: [] }],
    extent: (dim) => evaluateDim(dim, new Map()),
  });
  return [builder.constant(result?.data[0] as number, output.type.dtype)];
};

/** Powers with small whole exponents, as products of at most three factors. */
const smallPower: Rule = ({ inputs: [x, y] }, { builder, constant }) => {
  const base = x as Value;
  switch (constant(y)) {
    case 1:
      return [base];
    case 2:
      return [builder.mul(base, base)];
    case 3:
      return [builder.mul(builder.mul(base, base), base)];
    case -1:
      return [builder.div(1, base)];
    default:
      return undefined;
  }
};

const composeTransposes: Rule = (equation, { builder, definition }) => {
  const permutation = equation.parameters["permutation"] as readonly number[];
  const [x] = equation.inputs as [Value];
  if (permutation.every((axis, k) => axis === k)) return [x];
  const inner = definition(x);
  if (inner?.op !== "transpose") return undefined;
  const first = inner.parameters["permutation"] as readonly number[];
  const both = permutation.map((axis) => first[axis] as number);
  return [builder.transpose(inner.inputs[0] as Value, both)];
};

const composeReshapes: Rule = (equation, { builder, definition }) => {
  const [x] = equation.inputs as [Value];
  const { shape } = (equation.outputs[0] as Value).type;
  const inner = definition(x);
  const source = inner?.op === "reshape" ? (inner.inputs[0] as Value) : x;
  const made = builder.reshape(source, shape);
  return made === source || source !== x ? [made] : undefined;
};

const composeBroadcasts: Rule = (equation, { builder, definition }) => {
  const [x] = equation.inputs as [Value];
  const { shape } = (equation.outputs[0] as Value).type;
  const axes = equation.parameters["axes"] as readonly number[];
  const inner = definition(x);
  if (inner?.op !== "broadcast") return undefined;
  const first = inner.parameters["axes"] as readonly number[];
  const both = first.map((axis) => axes[axis] as number);
  return [builder.one("broadcast", inner.inputs, { shape, axes: both })];
};

/** cast (cast x: i32 → f64) → i32 → x, f16 through f32 likewise; and casts that change nothing. */
const composeCasts: Rule = (equation, { definition }) => {
  const [x] = equation.inputs as [Value];
  const to = (equation.outputs[0] as Value).type.dtype;
  if (x.type.dtype === to) return [x];
  const inner = definition(x);
  if (inner?.op !== "cast") return undefined;
  const [source] = inner.inputs as [Value];
  const exact = x.type.dtype === "f64" || (x.type.dtype === "f32" && to === "f16");
  return exact && source.type.dtype === to ? [source] : undefined;
};

/** x == x, where x cannot be NaN */
const sameNumber: Rule = ({ inputs: [x, y] }, { builder, definition }) => {
  const number = x as Value;
  if (number !== y || number.type.shape.length > 0) return undefined;
  const isInteger = ({ type }: Value): boolean => !isFloat(type.dtype);
  const inner = definition(number);
  const known = isInteger(number) || (inner?.op === "cast" && inner.inputs.every(isInteger));
  return known ? [builder.constant(1, "bool")] : undefined;
};

/** to_int32 (cast x: i32 → f64) → x, and the low bits of what is unsigned */
const wrapInteger: Rule = ({ inputs: [x], outputs: [output] }, { builder, definition }) => {
  const inner = definition(x as Value);
  const [source] = inner?.op === "cast" ? inner.inputs : [];
  const dtype = source?.type.dtype;
  if (source === undefined || x?.type.dtype !== "f64" || (dtype !== "i32" && dtype !== "u32")) {
    return undefined;
  }
  return [builder.cast(source, (output as Value).type.dtype)];
};

/**
 * The low 32 bits of sums and products of integers follow from the low bits of those, as long as
 * the double has all of its digits: to_int32 (add (mul (cast h) 31) (cast c)) → add (mul h 31) c
 */
const wrapArithmetic: Rule = ({ inputs: [x], outputs: [output] }, context) => {
  const { definition, builder } = context;
  const op = definition(x as Value)?.op;
  if (op === undefined || !wrapping.has(op)) return undefined;
  const bound = integerBound(x as Value, context, 6);
  if (bound === undefined || bound > 2 ** 53) return undefined;
  return [builder.cast(lowBits(x as Value, context), (output as Value).type.dtype)];
};

const wrapping: ReadonlySet<string> = new Set(["add", "sub", "mul", "neg"]);

/** How large a double can be that is computed from integers of 32 bits, and so is an integer. */
function integerBound(x: Value, context: RewriteContext, depth: number): number | undefined {
  if (x.type.dtype !== "f64" || x.type.shape.length > 0 || depth === 0) return undefined;
  const known = context.constant(x);
  if (known !== undefined) return Number.isInteger(known) ? Math.abs(known) : undefined;
  const definition = context.definition(x);
  if (definition?.op === "cast") {
    const from = definition.inputs[0]?.type.dtype;
    return from === "i32" || from === "u32" || from === "u8" ? 2 ** 32 : undefined;
  }
  if (definition === undefined || !wrapping.has(definition.op)) return undefined;
  const bounds = definition.inputs.map((input) => integerBound(input, context, depth - 1));
  const [a, b = 0] = bounds;
  if (a === undefined || bounds.includes(undefined)) return undefined;
  const bound = definition.op === "mul" ? a * b : a + b;
  return bound <= 2 ** 53 ? bound : undefined;
}

/** Those bits, of what has such a bound. */
function lowBits(x: Value, context: RewriteContext): Value {
  const { builder } = context;
  const known = context.constant(x);
  if (known !== undefined) return builder.constant(known | 0, "i32");
  const { op, inputs } = context.definition(x) as Equation;
  if (op === "cast") return builder.cast(inputs[0] as Value, "i32");
  return builder.one(
    op,
    inputs.map((input) => lowBits(input, context)),
  );
}

/**
 * The i32 of a sum of an integer and a constant: where the sum is one of 32 bits, as `whole` says,
 * so is the sum in i32. cast (add (cast x) 1) {whole} → add x 1
 */
const wholeSum: Rule = ({ inputs: [x], parameters }, { builder, constant, definition }) => {
  if (parameters["whole"] !== true) return undefined;
  const sum = definition(x as Value);
  if (sum === undefined || !["add", "sub"].includes(sum.op)) return undefined;
  const [a, b] = sum.inputs as [Value, Value];
  const inner = definition(a);
  const [integer] = inner?.op === "cast" ? inner.inputs : [];
  const by = constant(b);
  if (integer?.type.dtype !== "i32" || by === undefined || by !== (by | 0)) return undefined;
  return [builder.binary(sum.op, integer, builder.constant(by | 0, "i32"))];
};

const knownCondition: Rule = ({ inputs: [condition, x, y] }, { constant }) => {
  if (x === y) return [x as Value];
  const known = constant(condition);
  return known === undefined ? undefined : [(known ? x : y) as Value];
};

/** select (not c) x y → select c y x */
const swapNegated: Rule = ({ inputs: [condition, x, y] }, { builder, definition }) => {
  const inner = definition(condition as Value);
  if (inner?.op !== "not") return undefined;
  return [builder.one("select", [inner.inputs[0] as Value, y as Value, x as Value])];
};

const knownBranch: Rule = (equation, { builder, constant }) => {
  const known = constant(equation.inputs[0]);
  if (known === undefined) return undefined;
  const arm = copyBlock(equation.regions[known ? 0 : 1] as Block);
  arm.equations.forEach((inner) => builder.put(inner));
  return arm.results;
};

const noIterations: Rule = (equation, { constant }) => {
  const count = constant(equation.inputs[0]);
  return count !== undefined && count <= 0 ? equation.inputs.slice(1) : undefined;
};

/** pop (push s v) → s, v */
const popPushed: Rule = (equation, { definition }) => {
  const inner = definition(equation.inputs[0] as Value);
  return inner?.op === "push" ? inner.inputs : undefined;
};

/** at (update a v i) i → v */
const readWritten: Rule = (equation, { definition }) => {
  const [x, ...indices] = equation.inputs as [Value, ...Value[]];
  const inner = definition(x);
  if (inner?.op !== "update") return undefined;
  const written = inner.inputs.slice(2);
  const same = written.length === indices.length && written.every((v, k) => v === indices[k]);
  return same ? [inner.inputs[1] as Value] : undefined;
};

/**
 * What stands at a place, taken away and added again, as the adjoint of `a[i] = a[i] + b` does:
 * add_at (update a 0 i) (at a i) i → a
 */
const putBack: Rule = (equation, { constant, definition }) => {
  const [cleared, value, ...indices] = equation.inputs as [Value, Value, ...Value[]];
  const clearing = definition(cleared);
  const reading = definition(value);
  if (clearing?.op !== "update" || reading?.op !== "at") return undefined;
  const [array, zero, ...written] = clearing.inputs as [Value, Value, ...Value[]];
  const [source, ...read] = reading.inputs as [Value, ...Value[]];
  const same = (places: readonly Value[]): boolean =>
    places.length === indices.length && places.every((place, k) => place === indices[k]);
  const back = source === array && same(written) && same(read) && Object.is(constant(zero), 0);
  return back ? [array] : undefined;
};

/** A value that a loop carries unchanged is the value that it started with. */
const invariantCarried: Rule = (equation, { builder }) => {
  const loop = loopOf(equation);
  const unchanged = loop.carried.map((parameter, k) => loop.body.results[k] === parameter);
  if (!unchanged.includes(true)) return undefined;
  const renaming = new Map<Value, Value>();
  unchanged.forEach((is, k) => {
    if (!is) return;
    const start = loop.initial[k] as Value;
    for (const region of equation.regions) {
      const lead = region.parameters.length - loop.carried.length;
      renaming.set(region.parameters[lead + k] as Value, start);
    }
  });
  const changed = <T>(values: readonly T[]): readonly T[] => {
    const lead = values.length - unchanged.length;
    return values.filter((_, k) => k < lead || !unchanged[k - lead]);
  };
  const regions = equation.regions.map((region, k) => {
    const isBody = k === equation.regions.length - 1;
    const results = isBody ? changed(region.results) : region.results;
    return copyBlock({ ...region, parameters: changed(region.parameters), results }, renaming);
  });
  const outputs = equation.outputs.filter((_, k) => !unchanged[k]);
  const fresh = outputs.map(({ type, name }): Value => ({ type, name }));
  if (fresh.length > 0) {
    builder.put({ ...equation, inputs: changed(equation.inputs), regions, outputs: fresh });
  }
  let next = 0;
  return unchanged.map((is, k) => (is ? loop.initial[k] : fresh[next++]) as Value);
};

/** A reduction over no axes gives what it is given. */
const overNothing: Rule = ({ inputs, parameters }) =>
  (parameters["axes"] as readonly number[]).length === 0 ? inputs : undefined;

const special: Readonly<Record<string, readonly Rule[]>> = {
  // x + 0 is not x for x = -0, so only -0 may go from scalar code.
  add: [identity(-0, "both"), addZero],
  sub: [identity(0, "right")],
  mul: [identity(1, "both")],
  div: [identity(1, "right")],
  pow: [smallPower],
  neg: [involution],
  not: [involution],
  transpose: [composeTransposes],
  reshape: [composeReshapes],
  broadcast: [composeBroadcasts],
  cast: [composeCasts, wholeSum],
  eq: [sameNumber],
  to_int32: [wrapInteger, wrapArithmetic],
  to_uint32: [wrapInteger, wrapArithmetic],
  select: [knownCondition, swapNegated],
  if: [knownBranch],
  for: [noIterations, invariantCarried],
  while: [invariantCarried],
  pop: [popPushed],
  at: [readWritten],
  add_at: [putBack],
};

/** Constant folding for every elementwise op, then the special rules of each op. */
const rules: ReadonlyMap<string, readonly Rule[]> = new Map([
  ...Object.values(ops)
    .filter((op) => op.laws.elementwise)
    .map((op): [string, readonly Rule[]] => [op.name, [fold, ...(special[op.name] ?? [])]]),
  ...Object.values(ops)
    .filter((op) => op.lower.kind === "reduce")
    .map((op): [string, readonly Rule[]] => [op.name, [overNothing]]),
  ...Object.entries(special).filter(([name]) => !ops[name]?.laws.elementwise),
]);
