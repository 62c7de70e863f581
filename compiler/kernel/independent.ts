/**
 * Loops of the program in vectors of rounds:
 *
 *   for i: y[i] = y[i] + h·k[i]   →   for i by 2: y[i..i+1] = y[i..i+1] + splat(h)·k[i..i+1]
 *
 * What a round takes over from the one before stays in order: it comes last, round by round
 * (parts.ts). Sums whose order means nothing are taken in lanes and joined after the loop. What
 * rounds write must not meet what others of the same vector touch (accesses.ts); where that depends
 * on numbers that are not known, the loop asks before it starts.
 */

import { accessesOf, conditions, type MayAlias } from "./accesses.ts";
import { vectorLanes } from "./dtypes.ts";
import { addAffine, type Affine, affine, scaleAffine } from "./affine.ts";
import {
  add,
  constant,
  type Expr,
  isConstant,
  type Lanes,
  type Local,
  local,
  loop,
  machine,
  op,
  read,
  set,
  splat,
  type Statement,
  subtract,
  temporary,
} from "./loop.ts";
import { type Accumulator, type Parts, partsOf } from "./parts.ts";
import {
  assignedIn,
  mapExpressions,
  mapStatement,
  operandsOf,
  readIn,
  visitExpressions,
} from "./rewrite.ts";
import { moved, type VectorOptions, vectorise, type Vectorised } from "./vectorise.ts";

/**
 * The loop from `from` to `to` in vectors with a rest; undefined where that cannot be, or brings
 * nothing. `carried` are the locals that a round hands to the next one or behind the loop.
 */
export function vectorLoop(
  round: readonly Statement[],
  counter: Local,
  from: Expr,
  to: Expr,
  carried: readonly Local[],
  mayAlias: MayAlias,
): readonly Statement[] | undefined {
  if (round.some(({ kind }) => kind !== "set" && kind !== "store")) return undefined;
  const body = substituted(round, counter, new Set(carried));
  const parts = partsOf(body, new Set(carried));
  if (parts === undefined) return undefined;
  const assigned = assignedIn(body);
  const accesses = accessesOf(parts.statements, counter, parts.isLate, assigned);
  if (accesses === undefined) return undefined;
  const early = parts.statements.filter((statement) => !parts.isLate(statement));
  const up = accesses.some(({ step, late }) => step === 1 && !late);
  const options: VectorOptions = { direction: up ? 1 : -1, gather: true };
  const vector = vectorise(early, counter, options);
  if (vector === undefined || !isWorthIt(early, parts, vector)) return undefined;
  const fits = ({ target }: Accumulator): boolean =>
    vectorLanes(target.type === "f32" ? "f32" : "f64") === vector.lanes;
  if (!parts.accumulators.every(fits)) return undefined;
  const wanted = conditions(accesses, vector.lanes, mayAlias);
  if (wanted === undefined) return undefined;
  const late = parts.statements.filter(parts.isLate);
  const lateRounds = [...Array(vector.lanes).keys()].flatMap((lane) =>
    lateRound(late, new Set(carried), counter, vector, lane, options),
  );
  const sums = parts.accumulators.map((sum) => new LaneSum(sum, vector.lanes));
  const step = (copy: number): readonly Statement[] =>
    sums.map((sum) => sum.step(vector.vectors.get(sum.accumulator.value), copy));
  const stages: Stage[] = [
    { rounds: vector.lanes, body: [...vector.body, ...step(0), ...lateRounds] },
  ];
  // Several vectors share an address, and several sums do not wait for each other.
  if (late.length === 0 && vector.body.length <= fewStatements) {
    const several = [...Array(copies).keys()].flatMap((copy) =>
      inLaterRound(
        [...vector.body, ...step(copy)],
        counter,
        copy * vector.lanes,
        (of) => copy > 0 && of.once === true,
      ),
    );
    stages.unshift({ rounds: copies * vector.lanes, body: several });
  }
  const loops = inStages(stages, counter, from, to, wanted);
  return [
    ...sums.flatMap((sum) => sum.start()),
    ...loops.vectors,
    ...sums.flatMap((sum) => sum.join()),
    loop(counter, to, body, 1, loops.rest),
  ];
}

/** Vectors side by side in one turn, in loops of so few statements. */
const copies = 4;
const fewStatements = 12;

/** Some rounds at once. */
interface Stage {
  readonly rounds: number;
  readonly body: readonly Statement[];
}

function isVectorConstant(expr: Expr): boolean {
  return expr.kind === "const";
}

/**
 * Straight-line code for a later round. Locals that are its own get copies; others are read as
 * they are, or as `taken` says.
 */
function inLaterRound(
  body: readonly Statement[],
  counter: Local,
  by: number,
  isOwn: (assigned: Local) => boolean,
  taken: (of: Local) => Expr | undefined = () => undefined,
): readonly Statement[] {
  const own = new Map<Local, Local>();
  const later = (expr: Expr): Expr => moved(expr, counter, by);
  const change = (expr: Expr): Expr => {
    if (expr.kind !== "local") return expr;
    return taken(expr.local) ?? read(own.get(expr.local) ?? expr.local);
  };
  return body.map((statement) => {
    const shifted = mapStatement(statement, later, (nested) => nested);
    const [changed] = mapExpressions([shifted], change) as [Statement];
    if (changed.kind !== "set" || !isOwn(changed.local)) return changed;
    const copy = temporary(changed.local.name, changed.local.type);
    own.set(changed.local, copy);
    return set(copy, changed.value);
  });
}

/** A sum in lanes, which is joined to the local after the vectors. */
class LaneSum {
  readonly accumulator: Accumulator;
  private readonly lanes: Lanes;
  private readonly vectors: readonly Local[];
  private readonly dtype: "f64" | "f32";

  constructor(accumulator: Accumulator, lanes: Lanes) {
    this.accumulator = accumulator;
    this.lanes = lanes;
    this.dtype = accumulator.target.type === "f32" ? "f32" : "f64";
    this.vectors = Array.from({ length: copies }, () =>
      local(accumulator.target.name, machine(this.dtype, lanes)),
    );
  }

  private get isSum(): boolean {
    return this.accumulator.op === "add" || this.accumulator.op === "sub";
  }

  start(): readonly Statement[] {
    const { target } = this.accumulator;
    const first = this.isSum ? constant(0, this.dtype) : read(target);
    return this.vectors.map((vector) => set(vector, splat(first, this.dtype, this.lanes)));
  }

  step(value: Local | undefined, copy: number): Statement {
    const { op: name, value: scalar } = this.accumulator;
    const vector = this.vectors[copy] as Local;
    const term = value === undefined ? splat(read(scalar), this.dtype, this.lanes) : read(value);
    return set(vector, op(name, this.dtype, [read(vector), term], this.lanes));
  }

  join(): readonly Statement[] {
    const { dtype, lanes, vectors, isSum } = this;
    const { op: name, target } = this.accumulator;
    const combine = isSum ? "add" : name;
    const both = (a: Expr, b: Expr): Expr => op(combine, dtype, [a, b], lanes);
    const joined = local(target.name, machine(dtype, lanes));
    const parts = [...Array(lanes).keys()].map((lane): Expr => ({
      kind: "lane",
      dtype,
      lanes,
      lane,
      value: read(joined),
    }));
    const all = parts.reduce((sum, part) => op(combine, dtype, [sum, part]));
    return [
      set(joined, vectors.map(read).reduce(both)),
      set(target, op(combine, dtype, [read(target), all])),
    ];
  }
}

/** What comes late, for one of the rounds of a vector. */
function lateRound(
  late: readonly Statement[],
  carried: ReadonlySet<Local>,
  counter: Local,
  { lanes, vectors }: Vectorised,
  round: number,
  { direction }: VectorOptions,
): readonly Statement[] {
  const lane = direction === 1 ? round : lanes - 1 - round;
  const fromLane = (of: Local): Expr | undefined => {
    const vector = vectors.get(of);
    if (vector === undefined) return undefined;
    const dtype = vector.type === "f64x2" ? "f64" : vector.type === "f32x4" ? "f32" : "i32";
    return { kind: "lane", dtype, lanes, lane, value: read(vector) };
  };
  return inLaterRound(late, counter, round, (of) => !carried.has(of), fromLane);
}

/** Ops that take as long as a dozen others. */
const slow: ReadonlySet<string> = new Set(["exp", "log", "tanh", "sin", "cos", "pow", "expm1"]);

/** True where the vectors save more work than taking them apart for the late rounds costs. */
function isWorthIt(
  early: readonly Statement[],
  { statements, isLate }: Parts,
  vector: Vectorised,
): boolean {
  const late = statements.filter(isLate);
  let saved = 0;
  visitExpressions(early, (expr) => {
    if (expr.kind === "load") saved += 1;
    if (expr.kind === "op")
      saved += slow.has(expr.op) ? 12 : expr.op === "div" || expr.op === "sqrt" ? 4 : 1;
  });
  let gathered = 0;
  visitExpressions(vector.body, (expr) => {
    if (expr.kind === "shuffle" && !operandsOf(expr).every(isVectorConstant)) gathered += 3;
  });
  const taken = [...readIn(late)].filter((of) => vector.vectors.has(of)).length;
  const { lanes } = vector;
  const some = vector.vectors.size > 0 || vector.body.some(({ kind }) => kind === "store");
  if (late.length === 0 && gathered === 0 && some) return true;
  return saved * (lanes - 1) > taken * lanes + gathered;
}

/** Loops over the stages, each as far as it goes, and where what is left of the rounds starts. */
function inStages(
  stages: readonly Stage[],
  counter: Local,
  from: Expr,
  to: Expr,
  wanted: readonly Expr[],
): { readonly vectors: readonly Statement[]; readonly rest: Expr } {
  const vectors: Statement[] = [];
  const known = isConstant(from) && isConstant(to) && wanted.length === 0;
  const end = known ? constant(Math.max(from.value, to.value)) : op("max", "i32", [from, to]);
  // None of the rounds where a condition fails
  const reached = wanted.reduce((bound, each) => op("select", "i32", [each, bound, from]), end);
  const limit = known ? reached : kept("limit", reached, vectors);
  let rest = from;
  for (const { rounds, body } of stages) {
    const whole = subtract(limit, rest);
    const middle = isConstant(whole)
      ? add(rest, constant(whole.value & -rounds))
      : kept("whole", add(rest, op("bit_and", "i32", [whole, constant(-rounds)])), vectors);
    vectors.push(loop(counter, middle, body, rounds, rest));
    rest = middle;
  }
  return { vectors, rest };
}

function kept(name: string, value: Expr, statements: Statement[]): Expr {
  const target = local(name, "i32");
  statements.push(set(target, value));
  return read(target);
}

/** Indices in locals become index forms of the counter; locals that nothing reads go away. */
function substituted(
  body: readonly Statement[],
  counter: Local,
  carried: ReadonlySet<Local>,
): readonly Statement[] {
  const forms = new Map<Local, Affine>([[counter, localForm(counter)]]);
  const assigned = assignedIn(body);
  for (const statement of body) {
    if (statement.kind !== "set" || statement.local.type !== "i32") continue;
    if (carried.has(statement.local)) continue;
    const form = formOf(statement.value, forms, assigned);
    if (form !== undefined) forms.set(statement.local, form);
  }
  const replaced = mapExpressions(body, (expr) => {
    if (expr.kind !== "affine") return expr;
    return affine(expand(expr, forms));
  });
  const kept: Statement[] = [];
  for (const statement of replaced.toReversed()) {
    const dead =
      statement.kind === "set" && forms.has(statement.local) && !readIn(kept).has(statement.local);
    if (!dead) kept.push(statement);
  }
  return kept.reverse();
}

function localForm(of: Local): Affine {
  return { constant: 0, terms: [{ local: of, coefficient: 1 }] };
}

function expand(form: Affine, forms: ReadonlyMap<Local, Affine>): Affine {
  return form.terms.reduce<Affine>(
    (sum, { local: of, coefficient }) =>
      addAffine(sum, scaleAffine(forms.get(of) ?? localForm(of), coefficient)),
    { constant: form.constant, terms: [] },
  );
}

/** An i32 expression as a form of the counter and of what does not change. */
function formOf(
  expr: Expr,
  forms: ReadonlyMap<Local, Affine>,
  assigned: ReadonlySet<Local>,
): Affine | undefined {
  if (expr.kind === "local" && expr.local.type === "i32") {
    return forms.get(expr.local) ?? (assigned.has(expr.local) ? undefined : localForm(expr.local));
  }
  if (isConstant(expr) && expr.dtype === "i32") return { constant: expr.value, terms: [] };
  if (expr.kind !== "op" || expr.dtype !== "i32" || expr.lanes !== 1) return undefined;
  const [a, b] = expr.operands.map((operand) => formOf(operand, forms, assigned));
  if (a === undefined || b === undefined) return undefined;
  if (expr.op === "add") return addAffine(a, b);
  if (expr.op === "sub") return addAffine(a, scaleAffine(b, -1));
  if (expr.op !== "mul") return undefined;
  if (b.terms.length === 0) return scaleAffine(a, b.constant);
  return a.terms.length === 0 ? scaleAffine(b, a.constant) : undefined;
}
