/** Index arithmetic kept as `constant + Σ coefficient·local` for as long as it has that form. */

import { addDims, type Dim, foldDim, multiplyDims, sameDim } from "../ir/dim.ts";
import {
  add,
  type AffineTerm,
  constant,
  divide,
  type Expr,
  isConstant,
  isValue,
  type Local,
  multiply,
  read,
} from "./loop.ts";

export interface Affine {
  readonly constant: Dim;
  readonly terms: readonly AffineTerm[];
}

/** The local that holds a symbolic extent. */
export type SymbolLocal = (name: string) => Local;

export function affine(index: Affine): Expr {
  if (index.terms.length === 0 && typeof index.constant === "number") {
    return constant(index.constant);
  }
  return { kind: "affine", ...index };
}

export function dimIndex(dim: Dim): Expr {
  return affine({ constant: dim, terms: [] });
}

export function localIndex(of: Local): Expr {
  return affine({ constant: 0, terms: [{ local: of, coefficient: 1 }] });
}

/** The affine form of an i32 expression, where it has one. */
export function toAffine(expr: Expr): Affine | undefined {
  if (expr.kind === "affine") return expr;
  if (isConstant(expr)) return { constant: expr.value, terms: [] };
  if (expr.kind === "local" && expr.local.type === "i32") {
    return { constant: 0, terms: [{ local: expr.local, coefficient: 1 }] };
  }
  return undefined;
}

export function addIndex(a: Expr, b: Expr): Expr {
  const left = toAffine(a);
  const right = toAffine(b);
  return left && right ? affine(addAffine(left, right)) : add(a, b);
}

export function scaleIndex(a: Expr, factor: Dim): Expr {
  const form = toAffine(a);
  return form ? affine(scaleAffine(form, factor)) : multiply(a, dimIndex(factor));
}

export function addAffine(a: Affine, b: Affine): Affine {
  const terms = [...a.terms];
  for (const term of b.terms) {
    const at = terms.findIndex((other) => other.local === term.local);
    const present = terms[at];
    if (present === undefined) {
      terms.push(term);
      continue;
    }
    const coefficient = addDims(present.coefficient, term.coefficient);
    if (coefficient === 0) terms.splice(at, 1);
    else terms[at] = { local: term.local, coefficient };
  }
  return { constant: addDims(a.constant, b.constant), terms };
}

export function scaleAffine(a: Affine, factor: Dim): Affine {
  if (factor === 0) return { constant: 0, terms: [] };
  return {
    constant: multiplyDims(a.constant, factor),
    terms: a.terms.map((term) => ({
      local: term.local,
      coefficient: multiplyDims(term.coefficient, factor),
    })),
  };
}

export function coefficientOf(a: Affine, of: Local): Dim {
  return a.terms.find((term) => term.local === of)?.coefficient ?? 0;
}

/** Strides of a dense row-major array, in elements. */
export function denseStrides(shape: readonly Dim[]): readonly Dim[] {
  const strides: Dim[] = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = multiplyDims(strides[axis + 1] as Dim, shape[axis + 1] as Dim);
  }
  return strides;
}

/** Position in a dense row-major array. */
export function flatIndex(shape: readonly Dim[], index: readonly Expr[]): Expr {
  const strides = denseStrides(shape);
  return index.reduce(
    (sum, at, axis) =>
      sameDim(shape[axis] as Dim, 1) ? sum : addIndex(sum, scaleIndex(at, strides[axis] as Dim)),
    constant(0),
  );
}

/** Code that computes a dimension. */
export function dimExpr(dim: Dim, symbolLocal: SymbolLocal): Expr {
  return foldDim<Expr>(dim, {
    constant: (value) => constant(value),
    symbol: (name) => read(symbolLocal(name)),
    add,
    multiply,
    divide: (a, divisor) => divide(a, constant(divisor)),
  });
}

/**
 * Constants of an index come last and are from 0 to this there, as the offsets of loads are. They
 * must be small: the address without its offset wraps below 0, and nothing is stored below 1024
 * (`runtime/memory.ts`), so that no address comes near it.
 */
export const offsetRange = 16;

/**
 * Arithmetic for an affine form; locals of outer loops first, so that what does not change in an
 * inner loop is a subexpression of its own. `depth` is the nesting of a local's loop.
 */
export function affineExpr(
  form: Affine,
  symbolLocal: SymbolLocal,
  depth: (of: Local) => number,
): Expr {
  const terms = [...form.terms].sort((a, b) => depth(a.local) - depth(b.local));
  const { constant: fixed } = form;
  // Neighbouring constants, below zero too, have what is left of them in common.
  const last =
    typeof fixed === "number" && terms.length > 0
      ? fixed - Math.floor(fixed / offsetRange) * offsetRange
      : 0;
  const offset = dimExpr(typeof fixed === "number" ? fixed - last : fixed, symbolLocal);
  const sum = terms.reduce<Expr | undefined>(
    (partial, { local, coefficient }) => {
      const term = multiply(read(local), dimExpr(coefficient, symbolLocal));
      return partial === undefined ? term : add(partial, term);
    },
    isValue(offset, 0) ? undefined : offset,
  );
  return add(sum ?? offset, constant(last));
}
