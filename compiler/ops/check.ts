/**
 * Verifies a function of the graph IR: every value is defined once and before its use, types
 * follow from the rules, regions fit their equations, symbols are bound, and what is consumed is
 * never used again.
 */

import { ops, typeRule } from "./index.ts";
import { symbolsOf } from "../ir/dim.ts";
import { numberValues, printFunction } from "../ir/print.ts";
import {
  arrayType,
  type Block,
  type Equation,
  type Fn,
  type Parameter,
  sameType,
  scalarType,
  type Shape,
  typeText,
  type Value,
  type ValueType,
} from "../ir/types.ts";
import { loopOf, movesOf } from "../ir/walk.ts";

export interface CheckOptions {
  /** Whether consumed values must not be used again; default true. */
  readonly uniqueness?: boolean;
  /** Extents that are bound where the function is called from. */
  readonly extents?: readonly string[];
}

/** What is wrong with `fn`, a sentence each; none if it is well-formed. */
export function check(fn: Fn, options: CheckOptions = {}): readonly string[] {
  const checker: Checker = {
    faults: [],
    defined: new Set(),
    numbers: numberValues(fn),
    uniqueness: options.uniqueness ?? true,
    written: new Set(),
    sources: new Map(),
    users: new Map(),
  };
  const { body } = fn;
  const symbols = new Set([
    ...(options.extents ?? []),
    ...body.parameters.flatMap(({ type }) => type.shape.flatMap(symbolsOf)),
  ]);
  // The parameters of a function belong to its caller, who goes on using them, but for those that
  // the function takes over: stacks, and arrays that come back.
  const taken = new Set((fn.moves ?? []).map(([from]) => body.parameters[from]));
  const scope = {
    visible: new Set<Value>(),
    owned: new Set<Value>(),
    gone: new Set<Value>(),
    symbols,
  };
  for (const parameter of body.parameters) {
    define(checker, scope, parameter, parameter.type.stack || taken.has(parameter));
  }
  checkEquations(checker, scope, body);
  return checker.faults;
}

/** Throws with the printed function if `fn` is ill-formed after a stage of the compiler. */
export function assertWellFormed(fn: Fn, stage: string, options: CheckOptions = {}): void {
  const faults = check(fn, options);
  if (faults.length === 0) return;
  const list = faults.map((fault) => `  - ${fault}`).join("\n");
  throw new Error(`@${fn.name} is ill-formed after ${stage}:\n${list}\n\n${printFunction(fn)}`);
}

interface Checker {
  readonly faults: string[];
  readonly defined: Set<Value>;
  readonly numbers: ReadonlyMap<Value, number>;
  readonly uniqueness: boolean;
  /** Arrays that are written in place. */
  readonly written: Set<Value>;
  /** For results of branches and loops: the values that they may be, and the reverse. */
  readonly sources: Map<Value, Link[]>;
  readonly users: Map<Value, Link[]>;
}

/** Two values are one array, where the branch goes this way. */
interface Link {
  readonly to: Value;
  readonly choice?: { readonly branch: Equation; readonly arm: number } | undefined;
}

/** A value that may be another one, where all these branches go their ways. */
interface Alias {
  readonly value: Value;
  readonly choices: ReadonlyMap<Equation, number>;
}

/** What is known at one point of a block. */
interface Scope {
  readonly visible: Set<Value>;
  /** Values that may be consumed here. */
  readonly owned: Set<Value>;
  /** Values that were consumed. */
  readonly gone: Set<Value>;
  readonly symbols: Set<string>;
}

function checkEquations(checker: Checker, scope: Scope, block: Block): void {
  for (const equation of block.equations) checkEquation(checker, scope, equation);
  for (const result of block.results) use(checker, scope, result, "a result");
}

function checkEquation(checker: Checker, scope: Scope, equation: Equation): void {
  const { op, inputs, outputs } = equation;
  for (const input of inputs) use(checker, scope, input, `an operand of ${op}`);
  for (const name of symbolsIn(Object.values(equation.parameters))) {
    if (!scope.symbols.has(name)) report(checker, `${op} mentions the unbound extent ${name}`);
  }
  const known = Object.hasOwn(ops, op);
  if (known) {
    (ops[op]?.laws.consumes ?? []).forEach((k) => consume(checker, scope, equation, k, true));
    checkRule(checker, equation);
  } else checkRegions(checker, scope, equation);
  if (op === "bind") scope.symbols.add(String(equation.parameters["symbol"]));
  for (const output of outputs) define(checker, scope, output, true);
}

function checkRule(checker: Checker, equation: Equation): void {
  const { op, inputs, parameters, outputs, regions } = equation;
  if (regions.length > 0) report(checker, `${op} has regions`);
  try {
    const types = typeRule(
      op,
      inputs.map((input) => input.type),
      parameters,
    );
    expectTypes(checker, `the results of ${op}`, outputs, types);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    report(checker, `${op}: ${error.message}`);
  }
}

function checkRegions(checker: Checker, scope: Scope, equation: Equation): void {
  const { op, inputs, outputs, regions } = equation;
  const outputTypes = outputs.map((output) => output.type);
  const counts: Readonly<Record<string, number>> = { if: 2, for: 1, while: 2, map: 1, call: 0 };
  const count = Object.hasOwn(counts, op) ? counts[op] : undefined;
  if (count === undefined) return report(checker, `there is no op called ${op}`);
  if (regions.length !== count) return report(checker, `${op} has ${regions.length} regions`);
  switch (op) {
    case "if": {
      expectTypes(checker, "the operands of if", inputs, [scalarType("bool")]);
      const before = new Set(scope.gone);
      const gone = new Set<Value>();
      for (const region of regions) {
        const inner = nested(scope, { owned: scope.owned, gone: before });
        expectTypes(checker, "the parameters of a branch", region.parameters, []);
        checkEquations(checker, inner, region);
        expectTypes(checker, "the results of a branch", region.results, outputTypes);
        inner.gone.forEach((value) => gone.add(value));
      }
      gone.forEach((value) => scope.gone.add(value));
      // Only now: what one branch consumes is no business of what the other one gives.
      linkBranch(checker, equation);
      return;
    }
    case "for":
    case "while": {
      const { initial, carried, body } = loopOf(equation);
      const types = initial.map((value) => value.type);
      if (op === "for") {
        expectTypes(checker, "the count of for", inputs.slice(0, 1), [scalarType("i32")]);
        expectTypes(checker, "the index of for", body.parameters.slice(0, 1), [scalarType("i32")]);
      } else {
        const condition = regions[0] as Block;
        expectTypes(checker, "the parameters of a condition", condition.parameters, types);
        checkRepeated(checker, scope, condition, false);
        expectTypes(checker, "the results of a condition", condition.results, [scalarType("bool")]);
      }
      expectTypes(checker, `what ${op} carries`, carried, types);
      expectTypes(checker, `what ${op} carries on`, body.results, types);
      expectTypes(checker, `the results of ${op}`, outputs, types);
      // First consumed: neither the body nor the condition may read the arrays it starts from.
      const first = op === "for" ? 1 : 0;
      initial.forEach((_, k) => consume(checker, scope, equation, k + first, false));
      checkRepeated(checker, scope, body, true);
      checkCarriedOn(checker, scope, equation);
      return;
    }
    case "map": {
      const [body] = regions as readonly [Block];
      const shape = equation.parameters["shape"] as Shape;
      const at = (type: ValueType): ValueType => arrayType(type.dtype, shape);
      const elements = inputs.map((input) => scalarType(input.type.dtype));
      const results = body.results.map((result) => at(result.type));
      expectTypes(
        checker,
        "the operands of map",
        inputs,
        inputs.map((input) => at(input.type)),
      );
      expectTypes(checker, "the elements of map", body.parameters, elements);
      expectTypes(checker, "the results of map", outputs, results);
      expectScalars(checker, body);
      checkRepeated(checker, scope, body, true);
      return;
    }
    case "call": {
      if (typeof equation.parameters["callee"] !== "string") report(checker, "call has no callee");
      const moved = movesOf(equation).map(([input]) => input);
      inputs.forEach((input, k) => {
        if (input.type.stack || moved.includes(input)) consume(checker, scope, equation, k, true);
      });
    }
  }
}

/** The results of a branch are those of one of its arms. */
function linkBranch(checker: Checker, branch: Equation): void {
  branch.outputs.filter(isArray).forEach((output) => {
    const k = branch.outputs.indexOf(output);
    const results = branch.regions.map((region) => region.results[k]);
    const isSame = results.every((result) => result === results[0]);
    results.forEach((to, arm) => {
      if (to === undefined || (isSame && arm > 0)) return;
      link(checker, output, to, isSame ? undefined : { branch, arm });
    });
  });
}

/** A block that runs many times: what stands around it is not its own to consume. */
function checkRepeated(
  checker: Checker,
  scope: Scope,
  block: Block,
  ownsParameters: boolean,
): void {
  const inner = nested(scope, { owned: new Set(), gone: scope.gone });
  block.parameters.forEach((parameter) => define(checker, inner, parameter, ownsParameters));
  checkEquations(checker, inner, block);
}

/**
 * What a loop carries on must not be an array that stands around it, nor one array twice. Where
 * its body writes what it carries, that must not be memory of others by way of a branch either.
 */
function checkCarriedOn(checker: Checker, scope: Scope, equation: Equation): void {
  const { initial, carried, body } = loopOf(equation);
  const { outputs } = equation;
  if (!checker.uniqueness) return;
  const own = (k: number): readonly Value[] => sourcesOf(checker, body.results[k] as Value);
  // Arrays change places from one iteration to the next: what is written spreads.
  for (let size = -1; size !== checker.written.size;) {
    size = checker.written.size;
    carried.forEach((parameter, k) => {
      if (!checker.written.has(parameter)) return;
      for (const value of own(k)) if (carried.includes(value)) checker.written.add(value);
    });
  }
  body.results.forEach((result, k) => {
    if (!isArray(result)) return;
    const outer = own(k).filter((value) => scope.visible.has(value));
    const isWritten = checker.written.has(carried[k] as Value);
    if (outer.includes(result) || (isWritten && outer.length > 0)) {
      report(checker, `a loop carries on ${nameOf(checker, result)}, which is not its own`);
    }
    if (body.results.indexOf(result) !== k) {
      report(checker, `a loop carries on ${nameOf(checker, result)} twice`);
    }
    if (isWritten) write(checker, scope, "the body of a loop", initial[k] as Value);
  });
  // A result may be what the loop started from, its own or, where arrays change places, another's;
  // the number of iterations decides for all of them at once, unless two results share a source.
  const aliases = body.results.map((value) =>
    isArray(value) ? aliasesOf(checker.sources, { value, choices: new Map() }) : [],
  );
  const areShared = (value: Value): boolean =>
    aliases.some((left, j) => aliases.some((right, k) => j < k && meet(left, right, value)));
  outputs.forEach((output, k) => {
    if (!isArray(output)) return;
    for (const value of new Set([carried[k] as Value, ...own(k)])) {
      const from = carried.indexOf(value);
      const start = initial[from];
      const isShared = from !== k && areShared(value);
      const choice = isShared ? undefined : { branch: equation, arm: from - k };
      if (start !== undefined) link(checker, output, start, choice);
      else if (scope.visible.has(value)) link(checker, output, value);
    }
  });
}

function nested(
  scope: Scope,
  own: { readonly owned: Set<Value>; readonly gone: Set<Value> },
): Scope {
  return {
    visible: new Set(scope.visible),
    owned: new Set(own.owned),
    gone: new Set(own.gone),
    symbols: new Set(scope.symbols),
  };
}

function define(checker: Checker, scope: Scope, value: Value, owned: boolean): void {
  if (checker.defined.has(value)) report(checker, `${nameOf(checker, value)} is defined twice`);
  checker.defined.add(value);
  scope.visible.add(value);
  if (owned) scope.owned.add(value);
  for (const name of value.type.shape.flatMap(symbolsOf)) {
    if (!scope.symbols.has(name)) {
      report(checker, `the type of ${nameOf(checker, value)} mentions the unbound extent ${name}`);
    }
  }
}

function use(checker: Checker, scope: Scope, value: Value, place: string): void {
  if (!scope.visible.has(value)) {
    const name = nameOf(checker, value);
    report(checker, `${name}, ${place}, is not defined before its use`);
  }
  if (checker.uniqueness && scope.gone.has(value)) {
    report(checker, `${nameOf(checker, value)}, ${place}, was consumed before`);
  }
}

/** Input k of an equation is gone from here on; where it is written, so is what shares its memory. */
function consume(
  checker: Checker,
  scope: Scope,
  equation: Equation,
  k: number,
  writes: boolean,
): void {
  const value = equation.inputs[k];
  if (value === undefined || !isArray(value) || !checker.uniqueness) return;
  const name = nameOf(checker, value);
  if (equation.inputs.some((other, j) => other === value && j !== k)) {
    report(checker, `${equation.op} consumes ${name} and reads it as another operand`);
  }
  if (writes) write(checker, scope, equation.op, value);
  else if (!scope.owned.has(value)) {
    report(checker, `${equation.op} consumes ${name}, which is not its own`);
  }
  scope.gone.add(value);
}

function write(checker: Checker, scope: Scope, writer: string, value: Value): void {
  for (const source of aliasesOf(checker.sources, { value, choices: new Map() })) {
    if (scope.visible.has(source.value) && !scope.owned.has(source.value)) {
      const name = nameOf(checker, source.value);
      report(checker, `${writer} consumes ${name}, which is not its own`);
    }
    checker.written.add(source.value);
    for (const user of aliasesOf(checker.users, source)) scope.gone.add(user.value);
  }
}

/** A value and those that it may be by way of branches. */
/** True when both can be `value` on one path through the branches. */
function meet(left: readonly Alias[], right: readonly Alias[], value: Value): boolean {
  const on = (aliases: readonly Alias[]) => aliases.filter((alias) => alias.value === value);
  return on(left).some((a) =>
    on(right).some((b) =>
      [...a.choices].every(([branch, arm]) => (b.choices.get(branch) ?? arm) === arm),
    ),
  );
}

function sourcesOf(checker: Checker, value: Value): readonly Value[] {
  const aliases = aliasesOf(checker.sources, { value, choices: new Map() });
  return [...new Set(aliases.map((alias) => alias.value))];
}

/** Everything that `start` may be, along links that no branch contradicts; itself first. */
function aliasesOf(links: ReadonlyMap<Value, readonly Link[]>, start: Alias): readonly Alias[] {
  const found: Alias[] = [start];
  for (const { value, choices } of found) {
    for (const { to, choice } of links.get(value) ?? []) {
      const taken = choice && choices.get(choice.branch);
      if (taken !== undefined && taken !== choice?.arm) continue;
      const next = new Map(choices);
      if (choice !== undefined) next.set(choice.branch, choice.arm);
      const known = found.some((other) => other.value === to && isWithin(other.choices, next));
      if (!known) found.push({ value: to, choices: next });
    }
  }
  return found;
}

function isWithin(
  few: ReadonlyMap<Equation, number>,
  many: ReadonlyMap<Equation, number>,
): boolean {
  return [...few].every(([branch, arm]) => many.get(branch) === arm);
}

function link(checker: Checker, from: Value, to: Value, choice?: Link["choice"]): void {
  const { sources, users } = checker;
  sources.set(from, [...(sources.get(from) ?? []), { to, choice }]);
  users.set(to, [...(users.get(to) ?? []), { to: from, choice }]);
}

function expectTypes(
  checker: Checker,
  what: string,
  values: readonly Value[],
  types: readonly ValueType[],
): void {
  const fits =
    values.length === types.length &&
    values.every((value, k) => sameType(value.type, types[k] as ValueType));
  if (fits) return;
  const actual = values.map((value) => typeText(value.type)).join(", ") || "nothing";
  const expected = types.map(typeText).join(", ") || "nothing";
  report(checker, `${what} must be ${expected}, and are ${actual}`);
}

function expectScalars(checker: Checker, block: Block): void {
  for (const equation of block.equations) {
    for (const output of equation.outputs) {
      if (!isArray(output)) continue;
      report(checker, `${nameOf(checker, output)} in a map is not a scalar`);
    }
    for (const region of equation.regions) expectScalars(checker, region);
  }
}

/** Scalars are never shared: only arrays and stacks have memory of their own. */
function isArray(value: Value): boolean {
  return value.type.shape.length > 0 || value.type.stack;
}

function symbolsIn(parameters: readonly Parameter[]): readonly string[] {
  return parameters.flatMap((parameter) => {
    if (typeof parameter !== "object") return [];
    return "terms" in parameter ? symbolsOf(parameter) : symbolsIn(parameter);
  });
}

function nameOf(checker: Checker, value: Value): string {
  return `%${checker.numbers.get(value) ?? "?"}`;
}

function report(checker: Checker, fault: string): void {
  if (!checker.faults.includes(fault)) checker.faults.push(fault);
}
