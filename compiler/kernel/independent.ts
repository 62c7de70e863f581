/**
 * Loops of the program whose rounds do not depend on each other, for vectors of rounds:
 *
 *   for i: y[i] = y[i] + h·k[i]   →   for i by 2: y[i..i+1] = y[i..i+1] + splat(h)·k[i..i+1]
 *
 * Each round writes only elements that no other round touches: whatever may be the same memory as
 * what is stored to is accessed at the very same index. Loops that walk down are turned round.
 */

import { sameDim } from "../ir/dim.ts";
import { addAffine, type Affine, affine, coefficientOf, scaleAffine, toAffine } from "./affine.ts";
import {
  add,
  constant,
  type Expr,
  isConstant,
  type Lanes,
  type Local,
  local,
  loop,
  op,
  read,
  set,
  type Statement,
  subtract,
} from "./loop.ts";
import { mapExpressions, readIn, visitExpressions } from "./rewrite.ts";
import { vectorise } from "./vectorise.ts";

/** True when two pointers may lead to the same memory. */
export type MayAlias = (a: Local, b: Local) => boolean;

/** The loop from `from` to `to` in vectors with a rest; undefined where that cannot be proved. */
export function vectorLoop(
  round: readonly Statement[],
  counter: Local,
  from: Expr,
  to: Expr,
  mayAlias: MayAlias,
): readonly Statement[] | undefined {
  if (round.some(({ kind }) => kind !== "set" && kind !== "store")) return undefined;
  const body = substituted(round, counter);
  const accesses = accessesOf(body, counter);
  if (accesses === undefined || !isIndependent(accesses, mayAlias)) return undefined;
  const steps = new Set(accesses.map(({ step }) => step).filter((step) => step !== 0));
  const [step] = steps;
  if (steps.size !== 1 || (step !== 1 && step !== -1)) return undefined;
  const last = local("last", "i32");
  const forward = step === 1 ? body : turned(body, counter, last);
  const vector = vectorise(forward, counter);
  if (vector === undefined) return undefined;
  const turning = step === 1 ? [] : [set(last, subtract(add(from, to), constant(1)))];
  return [...turning, ...split(forward, vector, counter, from, to)];
}

function split(
  body: readonly Statement[],
  { lanes, body: vectors }: { readonly lanes: Lanes; readonly body: readonly Statement[] },
  counter: Local,
  from: Expr,
  to: Expr,
): readonly Statement[] {
  if (isConstant(from) && isConstant(to)) {
    const whole = from.value + (Math.max(0, to.value - from.value) & -lanes);
    return [
      loop(counter, constant(whole), vectors, lanes, from),
      ...(whole < to.value ? [loop(counter, to, body, 1, constant(whole))] : []),
    ];
  }
  const middle = local("whole", "i32");
  const rounds = op("bit_and", "i32", [subtract(to, from), constant(-lanes)]);
  return [
    set(middle, add(from, rounds)),
    loop(counter, read(middle), vectors, lanes, from),
    // A loop of no rounds leaves `whole` below its start.
    loop(counter, to, body, 1, op("max", "i32", [from, read(middle)])),
  ];
}

/** Indices in locals become index forms of the counter; locals that nothing reads go away. */
function substituted(body: readonly Statement[], counter: Local): readonly Statement[] {
  const forms = new Map<Local, Affine>([[counter, localForm(counter)]]);
  const assigned = new Set(body.flatMap((statement) => assignment(statement)));
  for (const statement of body) {
    if (statement.kind !== "set" || statement.local.type !== "i32") continue;
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

function assignment(statement: Statement): readonly Local[] {
  return statement.kind === "set" ? [statement.local] : [];
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

interface Access {
  readonly base: Local;
  readonly index: Affine;
  readonly step: number;
  readonly stored: boolean;
}

function accessesOf(body: readonly Statement[], counter: Local): readonly Access[] | undefined {
  const accesses: Access[] = [];
  let known = true;
  const note = (base: Expr, index: Expr, stored: boolean): void => {
    const form = toAffine(index);
    const step = form && coefficientOf(form, counter);
    if (base.kind !== "local" || form === undefined || typeof step !== "number") known = false;
    else accesses.push({ base: base.local, index: form, step, stored });
  };
  visitExpressions(body, (expr) => {
    if (expr.kind === "load") note(expr.base, expr.index, false);
  });
  for (const statement of body) {
    if (statement.kind === "store") note(statement.base, statement.index, true);
  }
  return known && accesses.some(({ stored }) => stored) ? accesses : undefined;
}

function isIndependent(accesses: readonly Access[], mayAlias: MayAlias): boolean {
  const stores = accesses.filter(({ stored }) => stored);
  return stores.every(
    (written) =>
      written.step !== 0 &&
      accesses.every(
        (other) =>
          (other.base === written.base && sameForm(other.index, written.index)) ||
          (other.base !== written.base && !mayAlias(other.base, written.base)),
      ),
  );
}

function sameForm(a: Affine, b: Affine): boolean {
  return (
    sameDim(a.constant, b.constant) &&
    a.terms.length === b.terms.length &&
    a.terms.every(({ local: of, coefficient }) => sameDim(coefficientOf(b, of), coefficient))
  );
}

/** The counter replaced by `last - counter`, where `last` is the sum of the first and the last. */
function turned(body: readonly Statement[], counter: Local, last: Local): readonly Statement[] {
  const form = addAffine(localForm(last), scaleAffine(localForm(counter), -1));
  return mapExpressions(body, (expr) => {
    if (expr.kind === "affine") return affine(expand(expr, new Map([[counter, form]])));
    return expr.kind === "local" && expr.local === counter ? affine(form) : expr;
  });
}
