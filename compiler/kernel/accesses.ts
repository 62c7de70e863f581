/**
 * What the rounds of a loop read and write in memory, and whether a few rounds may run at once:
 * each statement for all of them, then the next statement.
 */

import { type Dim, sameDim } from "../ir/dim.ts";
import { addAffine, type Affine, affine, coefficientOf, scaleAffine, toAffine } from "./affine.ts";
import { add, constant, type Expr, type Local, op, type Statement } from "./loop.ts";
import { visitExpression } from "./rewrite.ts";

/** True when two pointers may lead to the same memory. */
export type MayAlias = (a: Local, b: Local) => boolean;

export interface Access {
  readonly base: Local;
  readonly index: Affine;
  /** How far the index moves from round to round. */
  readonly step: Dim;
  readonly stored: boolean;
  /** Runs after all that is not late, round by round. */
  readonly late: boolean;
}

/** All accesses, in order; undefined where some index is not affine in the counter. */
export function accessesOf(
  body: readonly Statement[],
  counter: Local,
  isLate: (statement: Statement) => boolean,
  assigned: ReadonlySet<Local>,
): readonly Access[] | undefined {
  const accesses: Access[] = [];
  let known = true;
  for (const statement of body) {
    const late = isLate(statement);
    const note = (base: Expr, index: Expr, stored: boolean): void => {
      const form = toAffine(index);
      const fixed = form?.terms.every(({ local }) => local === counter || !assigned.has(local));
      if (base.kind !== "local" || form === undefined || fixed !== true) known = false;
      else {
        const step = coefficientOf(form, counter);
        accesses.push({ base: base.local, index: form, step, stored, late });
      }
    };
    const visit = (expr: Expr): void =>
      visitExpression(expr, (inner) => {
        if (inner.kind === "load") note(inner.base, inner.index, false);
      });
    if (statement.kind === "set") visit(statement.value);
    else if (statement.kind === "store") {
      visit(statement.value);
      note(statement.base, statement.index, true);
    } else known = false;
  }
  return known ? accesses : undefined;
}

/**
 * What must hold in front of the loop, so that `lanes` rounds may run at once; undefined where that
 * is not known. Two accesses at a distance meet in different rounds, of which the earlier one must
 * come first: that is so unless both are among the rounds that run at once.
 */
export function conditions(
  accesses: readonly Access[],
  lanes: number,
  mayAlias: MayAlias,
): readonly Expr[] | undefined {
  const distances: Affine[] = [];
  for (const [k, one] of accesses.entries()) {
    for (const [j, other] of accesses.entries()) {
      if (!one.stored || (other.stored && j < k)) continue;
      if (j === k) {
        if (one.step === 0) return undefined;
        continue;
      }
      if (one.base !== other.base) {
        if (mayAlias(one.base, other.base)) return undefined;
        continue;
      }
      if (one.step === 0 || !sameDim(one.step, other.step)) return undefined;
      const distance = addAffine(one.index, scaleAffine(other.index, -1));
      if (distance.terms.length > 0 || typeof distance.constant !== "number") {
        if (!distances.some((known) => sameForm(known, distance))) distances.push(distance);
      } else if (distance.constant === 0) {
        // In one round: what is late must not have been in front of the other.
        const [first, second] = j < k ? [other, one] : [one, other];
        if (first.late && !second.late) return undefined;
      } else if (typeof one.step !== "number" || !isFar(distance.constant, one.step, lanes)) {
        return undefined;
      }
    }
  }
  const steps = new Set(accesses.filter(({ stored }) => stored).map(({ step }) => step));
  const [step] = steps;
  // Distances that are not known are compared with steps of one element only.
  if (distances.length > 0 && (steps.size !== 1 || (step !== 1 && step !== -1))) return undefined;
  return distances.map((distance) => atLeastApart(affine(distance), lanes));
}

/** True where no two of the rounds that run at once touch places at that distance. */
function isFar(distance: number, step: number, lanes: number): boolean {
  return distance % step !== 0 || Math.abs(distance / step) >= lanes;
}

/** |distance| ≥ lanes, as one comparison. */
function atLeastApart(distance: Expr, lanes: number): Expr {
  return op("ge", "u32", [add(distance, constant(lanes - 1)), constant(2 * lanes - 1)]);
}

function sameForm(a: Affine, b: Affine): boolean {
  return (
    sameDim(a.constant, b.constant) &&
    a.terms.length === b.terms.length &&
    a.terms.every(({ local: of, coefficient }) => sameDim(coefficientOf(b, of), coefficient))
  );
}
