/**
 * Loops that are a product of matrices become one equation, for the kernels of products:
 *
 *   for i { for j { s = for k, 0 { s += a[i*n+k] · b[k*m+j] }; c[i*m+j] = s } }
 *   →   check_bounds …; for i { for j { c[i*m+j] = 0 } }; c = gemm c a b …
 *
 * The sums keep their order, so that the numbers stay the same. Three forms are known:
 *
 * - elements of c that grow in memory, `c[…] += a[…] · b[…]`, with the three loops in any order;
 * - sums in a variable that are stored as they are: c gets what they start from, and grows then;
 * - sums in a variable that anything else is done with: they are collected in an array like the one
 *   that the loops write, and the loops read them there.
 *
 * Every index must be linear in the counters, and checked before the loops, as `passes/bounds.ts`
 * does it. Where the sums are stored by then, no two of them may go to one place, which must be
 * known; elements that grow may coincide.
 */

import { type Dim, elementCount, multiplyDims, subtractDims } from "../ir/dim.ts";
import { arrayType, type Block, type Equation, type Value } from "../ir/types.ts";
import { allEquations, copyBlock, loopOf, type Renaming, renameEquation } from "../ir/walk.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { emitGemm, type GemmOrder } from "../ops/gemm.ts";
import { newBuilder, ops } from "../ops/index.ts";
import { hoistBounds } from "./bounds.ts";
import { hoistInvariants } from "./licm.ts";
import { mutatedValues } from "./mutated.ts";
import { cleanUp } from "./simplify.ts";
import {
  type Coefficient,
  emitCoefficient,
  flattened,
  type LinearForm,
  Magnitudes,
  Strides,
} from "./strides.ts";

export interface RaiseOptions {
  /**
   * True for what will be differentiated: an array that is written elsewhere, and read by a product
   * in a loop, would be kept whole in every round.
   */
  readonly differentiated: boolean;
}

/** Fewer products than this are left to their loops, where the numbers are known. */
const worthwhile = { products: 512, count: 8 };

export function raiseProducts(block: Block, { differentiated }: RaiseOptions): Block {
  const definitions = new Map<Value, Equation>();
  for (const equation of allEquations(block)) define(definitions, equation);
  const mutated = mutatedValues(block);
  return visit(block, false);

  function visit(inner: Block, repeated: boolean): Block {
    const own = new Set(inner.equations);
    const renaming = new Map<Value, Value>();
    const equations = inner.equations.flatMap((original): readonly Equation[] => {
      const equation = renameEquation(original, renaming);
      if (equation.op === "map") return [equation];
      const raised = mayBeProduct(equation) && raise(equation);
      if (raised) {
        equation.outputs.forEach((output, k) => {
          renaming.set(output, raised.results[k] as Value);
        });
        for (const made of raised.equations)
          for (const one of within(made)) define(definitions, one);
        return raised.equations;
      }
      const loops = equation.op === "for" || equation.op === "while";
      const regions = equation.regions.map((region) => visit(region, repeated || loops));
      return [{ ...equation, regions }];
    });
    const results = inner.results.map((result) => renaming.get(result) ?? result);
    return { ...inner, equations, results };

    function raise(equation: Equation): Raised | undefined {
      const context: Context = { definitions, mayRead, mayCollect };
      return raiseNest(equation, context);
    }

    /** Whether the adjoint can read an array later without keeping a copy for each round. */
    function mayRead(array: Value): boolean {
      return !differentiated || !repeated || !mutated.has(array) || isBornHere(array);
    }

    /** Whether an array as large as this one may be made here. */
    function mayCollect(array: Value): boolean {
      return !repeated || isBornHere(array);
    }

    /** True for an array that is made in this block, and so anew in each round. */
    function isBornHere(array: Value): boolean {
      for (let value = array; ;) {
        const definition = definitions.get(value);
        if (definition === undefined || !own.has(definition)) return false;
        const before = consumedBy(definition, value);
        if (before === undefined) return true;
        value = before;
      }
    }
  }
}

/** The array that an output is written in the place of. */
function consumedBy(equation: Equation, output: Value): Value | undefined {
  if (equation.op === "for" || equation.op === "while") {
    return loopOf(equation).initial[equation.outputs.indexOf(output)];
  }
  const position = ops[equation.op]?.laws.consumes?.[0];
  return position === undefined ? undefined : equation.inputs[position];
}

interface Raised {
  readonly equations: readonly Equation[];
  /** What stands for the outputs of the loop. */
  readonly results: readonly Value[];
}

interface Context {
  readonly definitions: ReadonlyMap<Value, Equation>;
  readonly mayRead: (array: Value) => boolean;
  readonly mayCollect: (array: Value) => boolean;
}

/** One loop with all that is in it. Its checks move out first; all is as it was where that fails. */
function raiseNest(equation: Equation, context: Context): Raised | undefined {
  const alone: Block = { parameters: [], equations: [equation], results: equation.outputs };
  const outer = context.definitions.values();
  const ready = cleanUp(hoistInvariants(hoistBounds(hoistInvariants(alone), outer)));
  const made: Equation[] = [];
  let results = ready.results;
  let changed = false;
  for (const one of ready.equations) {
    if (one.op !== "for") {
      made.push(one);
      continue;
    }
    let loop: Equation | undefined = one;
    while (loop !== undefined) {
      const nest: Nest = new Nest(loop, context, made);
      const next: Step | undefined = nest.grown() ?? nest.stored() ?? nest.collected();
      if (next === undefined) {
        made.push(loop);
        break;
      }
      changed = true;
      made.push(...next.before);
      const replaced = new Map(loop.outputs.map((output, k) => [output, next.results[k] as Value]));
      results = results.map((result) => replaced.get(result) ?? result);
      loop = next.rest;
    }
  }
  return changed ? { equations: made, results } : undefined;
}

/** What a loop was replaced by: equations, and a loop to look at again, whose results they are. */
interface Step {
  readonly before: readonly Equation[];
  readonly rest?: Equation | undefined;
  readonly results: readonly Value[];
}

/** An operand of a product: an array with the place that is read. */
interface Factor {
  readonly array: Value;
  readonly form: LinearForm;
  /** True where its sign is changed. */
  readonly negated: boolean;
  /** A number from around the loops that it is multiplied by first. */
  readonly scale?: Value | undefined;
}

/** A sum of products in a loop of its own. */
interface Sum {
  readonly loop: Equation;
  readonly start: Value;
  readonly subtract: boolean;
}

/** A write of an element, with its place. */
interface Write {
  readonly array: Value;
  readonly indices: readonly Value[];
  readonly forms: readonly LinearForm[];
  readonly form: LinearForm;
}

/** A loop as a product of matrices, read in one of the three ways. */
class Nest {
  private readonly loop: Equation;
  private readonly context: Context;
  private readonly definitions: Map<Value, Equation>;
  private readonly inside = new Set<Value>();
  private readonly magnitudes: Magnitudes;

  /** `before` are the equations that were moved out of the loop. */
  constructor(loop: Equation, context: Context, before: readonly Equation[]) {
    this.loop = loop;
    this.context = context;
    this.definitions = new Map(context.definitions);
    for (const equation of before) define(this.definitions, equation);
    for (const equation of within(loop)) {
      define(this.definitions, equation);
      for (const output of equation.outputs) this.inside.add(output);
      for (const region of equation.regions) {
        for (const parameter of region.parameters) this.inside.add(parameter);
      }
    }
    for (const output of loop.outputs) this.inside.delete(output);
    this.magnitudes = new Magnitudes(this.definitions);
  }

  /** c[…] += a[…] · b[…] in three loops that do nothing else. */
  grown(): Step | undefined {
    const chain = chainOf(this.loop, 3);
    if (chain === undefined) return undefined;
    const innermost = chain.at(-1) as CarryingLevel;
    const write = this.definitions.get(innermost.body.results[0] as Value);
    if (write === undefined || write.inputs[0] !== innermost.carried) return undefined;
    const others = chain.flatMap(({ body }) => body.equations).filter(({ op }) => op !== "for");
    if (!others.every((equation) => equation === write || isHarmless(equation))) return undefined;
    const counters = chain.map(({ counter }) => counter);
    const strides = new Strides(counters, this.inside, this.definitions);
    const place = this.writeOf(write, strides);
    const term = place && this.addedBy(write, innermost.carried);
    const counts = chain.map(({ equation }) => strides.invariantOf(equation.inputs[0] as Value));
    if (!place || !term || !areKnown(counts)) return undefined;
    // The element that is written is the only one of c that is read.
    const reads = chain.flatMap(({ body, carried }) => usersOf(body, carried));
    if (!reads.every((user) => user === write || user === term.old || user.op === "for")) {
      return undefined;
    }
    const factors = this.factorsOf(term.value, strides);
    const summed = counters.filter((counter) => !place.form.steps.has(counter));
    if (factors === undefined || summed.length !== 1) return undefined;
    const [k] = summed as [Value];
    const [outer, inner] = counters.filter((counter) => counter !== k) as [Value, Value];
    const roles = rolesOf(factors, outer, inner, k);
    if (roles === undefined) return undefined;
    const countOf = (counter: Value): Coefficient =>
      counts[counters.indexOf(counter)] as Coefficient;
    const extents = [countOf(outer), countOf(inner), countOf(k)] as const;
    if (!pays(extents, 2)) return undefined;
    const letters = counters.map((counter) => "ijk"[[outer, inner, k].indexOf(counter)]);
    const builder = newBuilder(write.span);
    const result = this.emit(builder, {
      c: this.loop.inputs[1] as Value,
      form: place.form,
      roles,
      extents,
      order: letters.join("") as GemmOrder,
      subtract: term.subtract,
    });
    return { before: builder.equations, results: [result] };
  }

  /** Sums in a variable that c gets as they are: c gets what they start from, and grows. */
  stored(): Step | undefined {
    const found = this.sumInLoops();
    if (found === undefined) return undefined;
    const { sum, strides, levels, extents, roles } = found;
    const chain = chainOf(this.loop, levels.length, sum.loop);
    const innermost = chain?.at(-1);
    const total = sum.loop.outputs[0] as Value;
    const write = innermost && this.definitions.get(innermost.body.results[0] as Value);
    if (!chain || !innermost || write?.op !== "update" || write.inputs[1] !== total) {
      return undefined;
    }
    const place = this.writeOf(write, strides);
    if (place === undefined || place.array.type.dtype !== "f64") return undefined;
    if (usersOf(innermost.body, total).length !== 1) return undefined;
    // All that c is read for is the element that is written.
    const isOld = (user: Equation): boolean => isReadAt(user, innermost.carried, place.indices);
    const users = chain.flatMap(({ body, carried }) => usersOf(body, carried));
    if (!users.every((user) => user === write || user.op === "for" || isOld(user))) {
      return undefined;
    }
    const start = this.definitions.get(sum.start);
    const others = chain.flatMap(({ body }) => body.equations).filter(({ op }) => op !== "for");
    const continues =
      start !== undefined &&
      isOld(start) &&
      others.every((equation) => equation === write || isHarmless(equation));
    if (!continues && !this.isApart(place, levels)) return undefined;
    const rest = continues ? undefined : withoutSum(this.loop, sum, sum.start);
    const builder = newBuilder(write.span);
    if (rest !== undefined) builder.put(rest);
    const result = this.emit(builder, {
      c: rest === undefined ? (this.loop.inputs[1] as Value) : (rest.outputs[0] as Value),
      form: place.form,
      roles,
      extents,
      order: "ijk",
      subtract: sum.subtract,
    });
    return { before: builder.equations, results: [result] };
  }

  /** Sums in a variable, collected in an array like the one that the loops write. */
  collected(): Step | undefined {
    const found = this.sumInLoops();
    if (found === undefined) return undefined;
    const { sum, strides, levels, extents, roles } = found;
    for (const equation of (levels.at(-1) as Level).body.equations) {
      const place = this.writeOf(equation, strides);
      if (place === undefined || !this.isApart(place, levels)) continue;
      const initial = this.initialOf(place.array, levels);
      if (initial === undefined || !this.context.mayCollect(initial)) continue;
      const builder = newBuilder(sum.loop.span);
      const start = this.startsOf(builder, sum.start, place, levels, extents);
      if (start === undefined) continue;
      const sums = this.emit(builder, {
        c: start,
        form: place.form,
        roles,
        extents,
        order: "ijk",
        subtract: sum.subtract,
      });
      const rest = this.readingSums(sum, sums, place, levels);
      if (rest === undefined) continue;
      return { before: builder.equations, rest, results: rest.outputs };
    }
    return undefined;
  }

  /** A sum in the innermost of two loops, or in one, where all is known that a product needs. */
  private sumInLoops(): SumInLoops | undefined {
    const outer = levelOf(this.loop);
    for (const equation of outer.body.equations) {
      if (equation.op !== "for") continue;
      const direct = this.sumIn(equation, [outer]);
      if (direct !== undefined) return direct;
      const inner = levelOf(equation);
      for (const candidate of inner.body.equations) {
        const found = this.sumIn(candidate, [outer, inner]);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** s = for k, start { s + x · y } */
  private sumIn(equation: Equation, levels: readonly Level[]): SumInLoops | undefined {
    if (equation.op !== "for" || equation.outputs.length !== 1) return undefined;
    const { body, counter } = levelOf(equation);
    const total = body.parameters[1] as Value;
    const next = this.definitions.get(body.results[0] as Value);
    if (total.type.shape.length > 0 || total.type.dtype !== "f64") return undefined;
    if (next?.op !== "add" && next?.op !== "sub") return undefined;
    if (!body.equations.every(isHarmless) || usersOf(body, total).length !== 1) return undefined;
    const [x, y] = next.inputs as readonly [Value, Value];
    const term = x === total ? y : next.op === "add" && y === total ? x : undefined;
    const counters = [...levels.map((level) => level.counter), counter];
    const strides = new Strides(counters, this.inside, this.definitions);
    const factors = term && this.factorsOf(term, strides);
    const counts = [...levels.map((level) => level.equation), equation].map((loop) =>
      strides.invariantOf(loop.inputs[0] as Value),
    );
    if (factors === undefined || !areKnown(counts)) return undefined;
    const [i, j] = levels.map((level) => level.counter) as [Value, Value?];
    const roles = rolesOf(factors, i, j, counter);
    // A vector is a matrix of one column.
    const [m, n, count] = j === undefined ? [counts[0], 1, counts[1]] : counts;
    const extents = [m, n, count] as readonly Coefficient[] as Extents;
    if (roles === undefined || !pays(extents, levels.length)) return undefined;
    const start = equation.inputs[1] as Value;
    const sum = { loop: equation, start, subtract: next.op === "sub" };
    return { sum, strides, levels, extents, roles };
  }

  private factorsOf(term: Value, strides: Strides): readonly [Factor, Factor] | undefined {
    const product = this.definitions.get(term);
    if (product?.op !== "mul") return undefined;
    const [x, y] = product.inputs.map((input) => this.factorOf(input, strides));
    return x && y && [x, y];
  }

  /** An element of an array from around the loops, at a place that is linear in the counters. */
  private factorOf(value: Value, strides: Strides): Factor | undefined {
    const definition = this.definitions.get(value);
    if (definition === undefined || !this.inside.has(value)) return undefined;
    if (definition.op === "neg") {
      const inner = this.factorOf(definition.inputs[0] as Value, strides);
      return inner && { ...inner, negated: !inner.negated };
    }
    if (value.type.shape.length > 0) return undefined;
    if (definition.op === "mul") return this.scaledFactorOf(definition, strides);
    // Single precision is multiplied and summed in double precision.
    const single = definition.op === "cast" ? (definition.inputs[0] as Value) : undefined;
    if (single !== undefined && single.type.dtype !== "f32") return undefined;
    if (single === undefined && value.type.dtype !== "f64") return undefined;
    const indices: Value[] = [];
    let array = single ?? value;
    while (this.inside.has(array)) {
      const read = this.definitions.get(array);
      if (read?.op !== "at" || read.parameters["unchecked"] !== true) return undefined;
      indices.unshift(...read.inputs.slice(1));
      array = read.inputs[0] as Value;
    }
    if (!this.context.mayRead(array)) return undefined;
    if (single !== undefined && !this.context.mayCollect(array)) return undefined;
    const form = flatForm(
      array,
      indices.map((index) => strides.formOf(index)),
    );
    return form && { array, form, negated: false };
  }

  /** α · a[…]: the whole array is multiplied before the loops. */
  private scaledFactorOf({ inputs }: Equation, strides: Strides): Factor | undefined {
    const scale = inputs.find((input) => !this.inside.has(input));
    const scaled = inputs.find((input) => input !== scale);
    const factor = scale && scaled && this.factorOf(scaled, strides);
    if (!factor || factor.scale !== undefined) return undefined;
    return this.context.mayCollect(factor.array) ? { ...factor, scale } : undefined;
  }

  /** Where an equation writes an element, if it does, and that is checked already. */
  private writeOf(equation: Equation, strides: Strides): Write | undefined {
    const { op, inputs, parameters } = equation;
    if ((op !== "update" && op !== "add_at") || parameters["unchecked"] !== true) return undefined;
    const [array, value, ...indices] = inputs as readonly [Value, Value, ...Value[]];
    const forms = indices.map((index) => strides.formOf(index));
    const form = value.type.shape.length === 0 ? flatForm(array, forms) : undefined;
    return form && { array, indices, form, forms: forms as readonly LinearForm[] };
  }

  /** What a write adds to the element that it writes. */
  private addedBy(write: Equation, carried: Value): Term | undefined {
    const value = write.inputs[1] as Value;
    if (carried.type.dtype !== "f64") return undefined;
    if (write.op === "add_at") return { value, old: undefined, subtract: false };
    const sum = this.definitions.get(value);
    if (sum?.op !== "add" && sum?.op !== "sub") return undefined;
    const [x, y] = sum.inputs as readonly [Value, Value];
    const oldOf = (side: Value): Equation | undefined => {
      const read = this.definitions.get(side);
      return read && isReadAt(read, carried, write.inputs.slice(2)) ? read : undefined;
    };
    const subtract = sum.op === "sub";
    const [left, right] = [oldOf(x), subtract ? undefined : oldOf(y)];
    if (left !== undefined) return { value: y, old: left, subtract };
    return right && { value: x, old: right, subtract };
  }

  /** True where no two iterations write to one place. */
  private isApart({ forms, form }: Write, levels: readonly Level[]): boolean {
    const counters = levels.map(({ counter }) => counter);
    const size = (coefficient: Coefficient): Dim => this.magnitudes.of(coefficient);
    const hasAxis = (counter: Value): boolean =>
      forms.some(({ steps }) => steps.size === 1 && isNonzero(size(steps.get(counter) ?? 0)));
    if (counters.every(hasAxis)) return true;
    if (levels.length === 1) return false;
    const [i, j] = counters.map((counter) => size(form.steps.get(counter) ?? 0)) as [Dim, Dim];
    const [m, n] = levels.map(({ equation }) => {
      const [count] = equation.inputs as readonly [Value];
      const constant = this.definitions.get(count);
      if (constant?.op !== "constant")
        return this.magnitudes.ofCount({ kind: "value", value: count });
      return (constant.parameters["values"] as readonly [number])[0];
    }) as [Dim, Dim];
    return stepsOver(i, j, n) || stepsOver(j, i, m);
  }

  /** What an array was before the loops, if each of them carries it. */
  private initialOf(array: Value, levels: readonly Level[]): Value | undefined {
    let current = array;
    for (const { equation, body } of levels.toReversed()) {
      const position = body.parameters.indexOf(current);
      if (position < 1) return undefined;
      current = equation.inputs[position] as Value;
    }
    return current;
  }

  /** An array for sums, with what they start from. */
  private startsOf(
    builder: GraphBuilder,
    start: Value,
    { array, indices }: Write,
    levels: readonly Level[],
    extents: Extents,
  ): Value | undefined {
    const { shape } = array.type;
    if (!this.inside.has(start)) return builder.broadcastTo(start, shape);
    const cone = this.coneOf([start, ...indices], levels);
    if (cone === undefined) return undefined;
    const type = arrayType("f64", shape);
    const counts = levels.map((_, depth) =>
      emitCoefficient(builder, extents[depth] as Coefficient),
    );
    const filling = (depth: number): Block => {
      const carried: Value = { type };
      const inner = newBuilder(builder.span);
      for (const equation of cone[depth] as readonly Equation[]) inner.put(equation);
      const results =
        depth === levels.length - 1
          ? [inner.one("update", [carried, start, ...indices], { unchecked: true })]
          : inner.for(counts[depth + 1] as Value, [carried], filling(depth + 1));
      const parameters = [(levels[depth] as Level).counter, carried];
      return { parameters, equations: inner.equations, results };
    };
    return builder.for(counts[0] as Value, [builder.zerosOf(type)], copyBlock(filling(0)))[0];
  }

  /** The equations of each loop that values are computed by, from the counters alone. */
  private coneOf(
    values: readonly Value[],
    levels: readonly Level[],
  ): readonly (readonly Equation[])[] | undefined {
    const needed = new Set(values);
    const given = new Set<Value>(levels.map(({ counter }) => counter));
    const cone = levels.toReversed().map(({ body }) => {
      const taken = body.equations.toReversed().filter((equation) => {
        if (!isHarmless(equation) || !equation.outputs.some((v) => needed.has(v))) return false;
        for (const input of equation.inputs) needed.add(input);
        for (const output of equation.outputs) given.add(output);
        return true;
      });
      return taken.reverse();
    });
    const known = [...needed].every((value) => given.has(value) || !this.inside.has(value));
    return known ? cone.reverse() : undefined;
  }

  /** The loops with sums read from an array. */
  private readingSums(
    sum: Sum,
    sums: Value,
    { indices }: Write,
    levels: readonly Level[],
  ): Equation | undefined {
    const cone = this.coneOf(indices, levels);
    if (cone === undefined) return undefined;
    const parameters = { unchecked: true };
    const place: Block = { parameters: [], equations: cone.at(-1) ?? [], results: indices };
    const copied = copyBlock(place);
    const reading: Equation = {
      op: "at",
      inputs: [sums, ...copied.results],
      parameters,
      regions: [],
      outputs: sum.loop.outputs,
      span: sum.loop.span,
    };
    return replaceIn(this.loop, sum.loop, [...copied.equations, reading], new Map());
  }

  private emit(builder: GraphBuilder, product: Product): Value {
    const { c, form, roles, extents, order } = product;
    const { i, j, k, x, y } = roles;
    const code = (coefficient: Coefficient): Value => emitCoefficient(builder, coefficient);
    const step = (of: LinearForm, counter: Value | undefined): Value =>
      code((counter && of.steps.get(counter)) ?? 0);
    const walk = (of: LinearForm, ...counters: [Value | undefined, Value | undefined]) =>
      [code(of.offset), step(of, counters[0]), step(of, counters[1])] as const;
    const [m, n, count] = extents.map((extent) => emitCoefficient(builder, extent));
    const negated = x.negated !== y.negated;
    const inputs = {
      c,
      a: operandOf(builder, x),
      b: operandOf(builder, y),
      extents: [m, n, count] as unknown as readonly [Value, Value, Value],
      atC: walk(form, i, j),
      atA: walk(x.form, i, k),
      atB: walk(y.form, k, j),
    };
    const subtract = product.subtract !== negated;
    return builder.name(emitGemm(builder, inputs, { order, subtract }), c.name ?? "c");
  }
}

type Extents = readonly [m: Coefficient, n: Coefficient, k: Coefficient];

interface SumInLoops {
  readonly sum: Sum;
  readonly strides: Strides;
  /** The loops around the sum: one for a vector of sums, two for a matrix. */
  readonly levels: readonly Level[];
  readonly extents: Extents;
  readonly roles: Roles;
}

interface Product {
  readonly c: Value;
  readonly form: LinearForm;
  readonly roles: Roles;
  readonly extents: Extents;
  readonly order: GemmOrder;
  readonly subtract: boolean;
}

/** What is added to an element, and the equation that reads the element before, if there is one. */
interface Term {
  readonly value: Value;
  readonly old: Equation | undefined;
  readonly subtract: boolean;
}

/** Which counter plays which part: x is walked by (i, k), y by (k, j). */
interface Roles {
  readonly i: Value;
  readonly j: Value | undefined;
  readonly k: Value;
  readonly x: Factor;
  readonly y: Factor;
}

function rolesOf(
  [x, y]: readonly [Factor, Factor],
  i: Value,
  j: Value | undefined,
  k: Value,
): Roles | undefined {
  const within = ({ form }: Factor, ...counters: readonly (Value | undefined)[]): boolean =>
    [...form.steps.keys()].every((counter) => counters.includes(counter));
  if (within(x, i, k) && within(y, k, j)) return { i, j, k, x, y };
  if (within(y, i, k) && within(x, k, j)) return { i, j, k, x: y, y: x };
  return undefined;
}

/** The array of a factor as the product takes it. */
function operandOf(builder: GraphBuilder, { array, scale }: Factor): Value {
  const doubles = builder.cast(array, "f64");
  return scale === undefined ? doubles : builder.mul(scale, doubles);
}

/** A loop of a nest. */
interface Level {
  readonly equation: Equation;
  readonly counter: Value;
  readonly body: Block;
}

function levelOf(equation: Equation): Level {
  const [body] = equation.regions as readonly [Block];
  return { equation, counter: body.parameters[0] as Value, body };
}

interface CarryingLevel extends Level {
  readonly carried: Value;
}

/** Loops in each other that carry one array and nothing else; the innermost may hold `sum`. */
function chainOf(
  loop: Equation,
  depth: number,
  sum?: Equation,
): readonly CarryingLevel[] | undefined {
  const level = levelOf(loop);
  const { body } = level;
  const [, carried] = body.parameters;
  if (carried === undefined || body.parameters.length !== 2) return undefined;
  if (carried.type.shape.length === 0 || carried.type.stack) return undefined;
  const inner = body.equations.filter((equation) => equation.op === "for" && equation !== sum);
  const own = { ...level, carried };
  if (depth === 1) return inner.length === 0 ? [own] : undefined;
  const [next] = inner;
  if (next === undefined || inner.length > 1) return undefined;
  if (next.inputs[1] !== carried || next.outputs[0] !== body.results[0]) return undefined;
  const rest = chainOf(next, depth - 1, sum);
  return rest && [own, ...rest];
}

/** The place in an array of any rank, counted in as a flat one. */
function flatForm(
  { type }: Value,
  forms: readonly (LinearForm | undefined)[],
): LinearForm | undefined {
  if (forms.length === 0 || forms.length !== type.shape.length) return undefined;
  if (!forms.every((form) => form !== undefined)) return undefined;
  const strides = forms.map((_, axis): Coefficient => {
    const stride = elementCount(type.shape.slice(axis + 1));
    return typeof stride === "number" ? stride : { kind: "extent", dim: stride };
  });
  return flattened(forms, strides);
}

/** True where steps of `big` are at least as long as `count` steps of `small`. */
function stepsOver(big: Dim, small: Dim, count: Dim): boolean {
  if (!isNonzero(small)) return false;
  const length = multiplyDims(Math.abs(small), count);
  return [big, multiplyDims(-1, big)].some((step) => {
    const room = subtractDims(step, length);
    return typeof room === "number" && room >= 0;
  });
}

function isNonzero(dim: Dim): dim is number {
  return typeof dim === "number" && dim !== 0;
}

function areKnown<T>(values: readonly (T | undefined)[]): values is readonly T[] {
  return values.every((value) => value !== undefined);
}

/** False where known numbers say that plain loops are as fast. */
function pays([m, n, count]: Extents, levels: number): boolean {
  const sides = levels === 1 ? [m] : [m, n];
  if (typeof count === "number" && count < worthwhile.count) return false;
  if (sides.some((extent) => typeof extent === "number" && extent < 2)) return false;
  const all = [...sides, count];
  if (!all.every((extent) => typeof extent === "number")) return true;
  return all.reduce((product, extent) => product * extent, 1) >= worthwhile.products;
}

/** True for what may be left out, or done again elsewhere. */
function isHarmless({ op, regions, parameters, inputs, outputs }: Equation): boolean {
  const laws = ops[op]?.laws;
  if (laws === undefined || regions.length > 0) return false;
  if (laws.effect || laws.consumes !== undefined) return false;
  if (laws.partial && parameters["unchecked"] !== true) return false;
  return ![...inputs, ...outputs].some(({ type }) => type.stack);
}

function isReadAt(equation: Equation, array: Value, indices: readonly Value[]): boolean {
  const [x, ...places] = equation.inputs;
  return (
    equation.op === "at" &&
    x === array &&
    places.length === indices.length &&
    places.every((place, axis) => place === indices[axis])
  );
}

/** The equations that read a value or hand it on, those in regions included. */
function usersOf(block: Block, value: Value): readonly Equation[] {
  return [...allEquations(block)].filter(
    ({ inputs, regions }) =>
      inputs.includes(value) || regions.some(({ results }) => results.includes(value)),
  );
}

/** The loop with its sum left out: what it starts from in its place. */
function withoutSum(loop: Equation, sum: Sum, start: Value): Equation {
  return replaceIn(loop, sum.loop, [], new Map([[sum.loop.outputs[0] as Value, start]]));
}

/** An equation in the regions of `around` replaced by others. */
function replaceIn(
  around: Equation,
  target: Equation,
  by: readonly Equation[],
  renaming: Renaming,
): Equation {
  const regions = around.regions.map((region) => {
    const equations = region.equations.flatMap((equation) =>
      equation === target ? by : [replaceIn(equation, target, by, renaming)],
    );
    return { ...region, equations };
  });
  return renameEquation({ ...around, regions }, renaming);
}

/** A quick look at a loop: whether there are sums, or elements that grow, where a product has them. */
function mayBeProduct(equation: Equation): boolean {
  const inner = loopsIn(equation);
  return inner.some(isSum) || inner.flatMap(loopsIn).some((loop) => isSum(loop) || isWrite(loop));
}

function loopsIn({ op, regions }: Equation): readonly Equation[] {
  if (op !== "for") return [];
  return (regions[0] as Block).equations.filter((inner) => inner.op === "for");
}

function isSum(loop: Equation): boolean {
  return endsWith(loop, ["add", "sub"]);
}

function isWrite(loop: Equation): boolean {
  return endsWith(loop, ["update", "add_at"]);
}

function endsWith({ regions, outputs }: Equation, names: readonly string[]): boolean {
  const { equations, results } = regions[0] as Block;
  const [result] = results;
  return (
    outputs.length === 1 &&
    equations.some(({ op }) => op === "mul") &&
    equations.some((inner) => names.includes(inner.op) && inner.outputs[0] === result)
  );
}

function* within(equation: Equation): Generator<Equation> {
  yield equation;
  for (const region of equation.regions) yield* allEquations(region);
}

function define(definitions: Map<Value, Equation>, equation: Equation): void {
  for (const output of equation.outputs) definitions.set(output, equation);
}
