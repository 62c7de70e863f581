/** Loops around the code for one element: axes merged, the innermost one in vectors. */

import { type Dim, elementCount, multiplyDims, sameDim } from "../ir/dim.ts";
import {
  affine,
  affineExpr,
  type Affine,
  coefficientOf,
  dimIndex,
  type SymbolLocal,
} from "./affine.ts";
import { hoist } from "./hoist.ts";
import {
  constant,
  divide,
  type Expr,
  isConstant,
  isValue,
  type Local,
  local,
  loop,
  maximum,
  minimum,
  op,
  read,
  remainder,
  set,
  type Statement,
  temporary,
} from "./loop.ts";
import { mapExpressions, mapOperands, mapStatement, visitExpressions } from "./rewrite.ts";
import { type Range, type Rounds, wholeRange } from "./tasks.ts";
import { vectorise } from "./vectorise.ts";

/** A loop of a nest: outermost first. */
export interface Axis {
  readonly counter: Local;
  readonly extent: Dim;
}

export function axesOf(shape: readonly Dim[], name = "i"): readonly Axis[] {
  return shape.map((extent, axis) => ({ counter: local(`${name}${axis}`, "i32"), extent }));
}

/** Which rounds of a loop over that many run; borders lie at multiples of the grain. */
export interface ChooseRange {
  (extent: Dim, grain: number): Range;
  /** True where all independent loops should be one, so that there are many rounds. */
  readonly flat?: boolean;
}

/** Rounds of one loop that are together: whole vectors, however many are taken at once. */
const vectorGrain = 16;

/** Independent iterations of `body`, in any order. The outermost loop has the range that is chosen. */
export function nest(
  axes: readonly Axis[],
  body: readonly Statement[],
  vectors: boolean,
  choose?: ChooseRange,
): readonly Statement[] {
  const [merged, inside] = collapse(axes, body);
  if (choose?.flat === true) return flattened(merged, inside, choose);
  const [first, ...others] = merged;
  if (first === undefined) return inside;
  if (others.length === 0)
    return innermost(first, inside, vectors, choose?.(first.extent, vectorGrain));
  const range = choose?.(first.extent, 1) ?? wholeRange(dimIndex(first.extent));
  const inner = wrap(others.slice(0, -1), innermost(others.at(-1) as Axis, inside, vectors));
  return [loop(first.counter, range.to, inner, 1, range.from)];
}

export function wrap(axes: readonly Axis[], body: readonly Statement[]): readonly Statement[] {
  return axes.reduceRight<readonly Statement[]>(
    (inside, { counter, extent }) => [loop(counter, dimIndex(extent), inside)],
    body,
  );
}

/** Loops whose rounds are independent: the outermost one of more than one round has a range. */
export function wrapShared(
  axes: readonly Axis[],
  body: readonly Statement[],
  choose: ChooseRange,
): readonly Statement[] {
  if (choose.flat === true) return flattened(axes, body, choose);
  const at = axes.findIndex(({ extent }) => extent !== 1);
  const shared = axes[at];
  if (shared === undefined) return wrap(axes, body);
  return wrapRange(axes, at, choose(shared.extent, 1), body);
}

/** Independent loops as one: `for r < m·n: i = r / n; j = r % n`. */
function flattened(
  axes: readonly Axis[],
  body: readonly Statement[],
  choose: ChooseRange,
): readonly Statement[] {
  const range = choose(elementCount(axes.map(({ extent }) => extent)), 1);
  const [first, ...others] = axes.filter(({ extent }) => extent !== 1);
  const zeros = axes
    .filter(({ extent }) => extent === 1)
    .map(({ counter }) => set(counter, constant(0)));
  if (first === undefined) return rounds(local("round", "i32"), range, [...zeros, ...body]);
  if (others.length === 0) return rounds(first.counter, range, [...zeros, ...body]);
  const round = temporary("round", "i32");
  const counters: Statement[] = [];
  let rest = read(round);
  for (const { counter, extent } of others.toReversed()) {
    counters.push(set(counter, remainder(rest, dimIndex(extent))));
    const quotient = temporary("rest", "i32");
    counters.push(set(quotient, divide(rest, dimIndex(extent))));
    rest = read(quotient);
  }
  counters.push(set(first.counter, rest));
  return rounds(round, range, [...zeros, ...counters, ...body]);
}

/** The rounds of a range: on a grid there is one, which needs no loop. */
export function rounds(
  counter: Local,
  { from, to, split }: Range,
  body: readonly Statement[],
): readonly Statement[] {
  if (split?.rounds !== undefined) return [set(counter, from), ...body];
  return [loop(counter, to, body, 1, from)];
}

/** Loops, of which the one at a position, if it is there, has a range. */
export function wrapRange(
  axes: readonly Axis[],
  position: number,
  { from, to }: Rounds,
  body: readonly Statement[],
): readonly Statement[] {
  const ranged = axes[position];
  if (ranged === undefined) return wrap(axes, body);
  const inner = wrap(axes.slice(position + 1), body);
  return wrap(axes.slice(0, position), [loop(ranged.counter, to, inner, 1, from)]);
}

/** The largest multiple of `lanes` that is not above `extent`. */
export function wholeVectors(extent: Expr, lanes: number): Expr {
  if (isConstant(extent)) return constant(extent.value & -lanes);
  return op("bit_and", "i32", [extent, constant(-lanes)]);
}

/** The loop over an axis in vectors where its body allows that. */
export function innermost(
  { counter, extent }: Axis,
  body: readonly Statement[],
  vectors: boolean,
  range = wholeRange(dimIndex(extent)),
): readonly Statement[] {
  const { from, to } = range;
  const small = typeof extent === "number" && extent < 2;
  const vector = vectors && !small ? vectorise(body, counter) : undefined;
  if (vector === undefined) return [loop(counter, to, body, 1, from)];
  const { lanes } = vector;
  if (typeof extent === "number" && extent % lanes === 0) {
    return [loop(counter, to, vector.body, lanes, from)];
  }
  const [end, tail] = bordersIn(range, wholeVectors(dimIndex(extent), lanes));
  return [loop(counter, end, vector.body, lanes, from), loop(counter, to, body, 1, tail)];
}

/** Where whole vectors or tiles end in a range, and where what is left of it begins. */
export function bordersIn({ from, to }: Range, whole: Expr): readonly [Expr, Expr] {
  // Of all rounds
  if (isValue(from, 0)) return [whole, whole];
  return [minimum(whole, to), maximum(whole, from)];
}

/**
 * Neighbouring axes become one where every index walks through both in one stride:
 * `for i < m, for j < n: y[i*n + j] = x[i*n + j]` → `for j < m*n: y[j] = x[j]`.
 * Axes of one element go away.
 */
export function collapse(
  axes: readonly Axis[],
  body: readonly Statement[],
  mayMerge: (outer: number) => boolean = () => true,
): readonly [readonly Axis[], readonly Statement[]] {
  const gone = new Set<Local>();
  let kept: Axis[] = [];
  for (const axis of axes) {
    if (axis.extent === 1) gone.add(axis.counter);
    else kept.push(axis);
  }
  const forms: Affine[] = [];
  visitExpressions(body, (expr) => {
    if (expr.kind === "affine") forms.push(expr);
    if (expr.kind === "local") {
      forms.push({ constant: 0, terms: [{ local: expr.local, coefficient: 1 }] });
    }
  });
  for (let k = kept.length - 2; k >= 0; k--) {
    const outer = kept[k] as Axis;
    const inner = kept[k + 1] as Axis;
    const together = forms.every((form) =>
      sameDim(
        coefficientOf(form, outer.counter),
        multiplyDims(coefficientOf(form, inner.counter), inner.extent),
      ),
    );
    if (!together || !mayMerge(axes.indexOf(outer))) continue;
    gone.add(outer.counter);
    kept = [
      ...kept.slice(0, k),
      { counter: inner.counter, extent: multiplyDims(outer.extent, inner.extent) },
      ...kept.slice(k + 2),
    ];
  }
  if (gone.size === 0) return [kept, body];
  return [kept, dropLocals(body, gone)];
}

function dropLocals(body: readonly Statement[], gone: ReadonlySet<Local>): readonly Statement[] {
  return mapExpressions(body, (expr) => {
    if (expr.kind === "local" && gone.has(expr.local)) return constant(0);
    if (expr.kind !== "affine") return expr;
    return affine({
      constant: expr.constant,
      terms: expr.terms.filter((term) => !gone.has(term.local)),
    });
  });
}

/** Index forms become arithmetic, and what does not change in a loop moves in front of it. */
export function settle(body: readonly Statement[], symbolLocal: SymbolLocal): readonly Statement[] {
  return hoist(dropEmptyLoops(spellIndices(body, symbolLocal, new Map())));
}

/** Loops that never run: tails of vectors where nothing is left. */
function dropEmptyLoops(body: readonly Statement[]): readonly Statement[] {
  return body
    .filter((statement) => {
      if (statement.kind !== "for") return true;
      const { from, to } = statement;
      return !(isConstant(from) && isConstant(to) && from.value >= to.value);
    })
    .map((statement) => mapStatement(statement, (expr) => expr, dropEmptyLoops));
}

/** Index forms become arithmetic, outer loops first. */
export function spellIndices(
  body: readonly Statement[],
  symbolLocal: SymbolLocal,
  depths: Map<Local, number>,
): readonly Statement[] {
  const spell = (expr: Expr): Expr => {
    if (expr.kind === "affine") {
      return affineExpr(expr, symbolLocal, (of) => depths.get(of) ?? -1);
    }
    return mapOperands(expr, spell);
  };
  const list = (statements: readonly Statement[], depth: number): readonly Statement[] =>
    statements.map((statement): Statement => {
      switch (statement.kind) {
        case "for":
          depths.set(statement.local, depth);
          return {
            ...statement,
            from: spell(statement.from),
            to: spell(statement.to),
            body: list(statement.body, depth + 1),
          };
        case "while":
          return {
            ...statement,
            before: list(statement.before, depth),
            condition: spell(statement.condition),
            body: list(statement.body, depth),
          };
        case "if":
          return {
            ...statement,
            condition: spell(statement.condition),
            then: list(statement.then, depth),
            otherwise: list(statement.otherwise, depth),
          };
        case "set":
          // A local computed in a loop changes with it.
          if (!depths.has(statement.local)) depths.set(statement.local, depth);
          return { ...statement, value: spell(statement.value) };
        case "store":
          return {
            ...statement,
            base: spell(statement.base),
            index: spell(statement.index),
            value: spell(statement.value),
          };
        case "call":
          return { ...statement, operands: statement.operands.map(spell) };
        case "copy":
          return {
            ...statement,
            to: spell(statement.to),
            from: spell(statement.from),
            bytes: spell(statement.bytes),
          };
        case "clear":
          return { ...statement, to: spell(statement.to), bytes: spell(statement.bytes) };
        case "fault":
          return { ...statement, index: spell(statement.index), extent: spell(statement.extent) };
      }
    });
  return list(body, 0);
}
