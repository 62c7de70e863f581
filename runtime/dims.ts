/** Symbolic extents: found from the shapes of arguments, put into the shapes of results. */

import type { Dim, SymbolicDim } from "./manifest.ts";

export type Extents = Map<string, number>;

/** The value of a dimension; undefined when it mentions a symbol that is not bound yet. */
export function evaluate(dim: Dim, extents: Extents): number | undefined {
  if (typeof dim === "number") return dim;
  let sum = 0;
  for (const { coefficient, factors } of dim.terms) {
    let product = coefficient;
    for (const factor of factors) {
      const value = typeof factor === "string" ? extents.get(factor) : quotient(factor, extents);
      if (value === undefined) return undefined;
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** Binds the one unbound symbol of `a*B + b`, where `actual` is that. False where it is not so. */
export function solve(dim: SymbolicDim, actual: number, extents: Extents): boolean {
  let known = 0;
  let unknown: { readonly symbol: string; readonly coefficient: number } | undefined;
  for (const { coefficient, factors } of dim.terms) {
    const [factor] = factors;
    const value = evaluate({ terms: [{ coefficient, factors }] }, extents);
    if (value !== undefined) known += value;
    else if (unknown === undefined && factors.length === 1 && typeof factor === "string") {
      unknown = { symbol: factor, coefficient };
    } else return false;
  }
  if (unknown === undefined) return false;
  const extent = (actual - known) / unknown.coefficient;
  if (!Number.isInteger(extent) || extent < 0) return false;
  extents.set(unknown.symbol, extent);
  return true;
}

/** The symbol that a dimension is; undefined for a number and for any other polynomial. */
export function symbolOf(dim: Dim): string | undefined {
  if (typeof dim === "number") return undefined;
  const { terms } = dim;
  const [symbol] = terms[0]?.factors ?? [];
  const isAlone =
    terms.length === 1 && terms[0]?.coefficient === 1 && terms[0].factors.length === 1;
  return isAlone && typeof symbol === "string" ? symbol : undefined;
}

/** What is done with other polynomials among the extents of arguments: `2*B`, `B+1`. */
export interface Lengths {
  readonly solve: typeof solve;
  readonly dimText: typeof dimText;
}

export function dimText(dim: Dim): string {
  if (typeof dim === "number") return String(dim);
  return dim.terms
    .map(({ coefficient, factors }) => {
      const text = factors
        .map((factor) =>
          typeof factor === "string"
            ? factor
            : `div(${dimText(factor.dividend)},${factor.divisor})`,
        )
        .join("*");
      if (text === "") return String(coefficient);
      return coefficient === 1 ? text : coefficient === -1 ? `-${text}` : `${coefficient}*${text}`;
    })
    .join("+")
    .replaceAll("+-", "-");
}

function quotient(
  factor: { readonly dividend: SymbolicDim; readonly divisor: number },
  extents: Extents,
): number | undefined {
  const dividend = evaluate(factor.dividend, extents);
  return dividend === undefined ? undefined : Math.floor(dividend / factor.divisor);
}
