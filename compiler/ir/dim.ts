/** Dimensions of shapes: integers, or polynomials with integer coefficients over symbolic extents. */

/** A dimension of a shape. A polynomial is never constant: constants are plain numbers. */
export type Dim = number | SymbolicDim;

/** Sum of `terms`, in canonical order, so that equal dimensions print equal text. */
export interface SymbolicDim {
  readonly terms: readonly Term[];
}

interface Term {
  readonly coefficient: number;
  /** Sorted by text; empty for the constant term. */
  readonly factors: readonly Atom[];
}

/** A symbol (`B`), or the floor of a quotient (`div(B+1, 2)`). */
type Atom = string | Quotient;

interface Quotient {
  readonly dividend: SymbolicDim;
  readonly divisor: number;
}

/** The symbolic extent called `name`. */
export function symbol(name: string): Dim {
  return { terms: [{ coefficient: 1, factors: [name] }] };
}

export function addDims(a: Dim, b: Dim): Dim {
  return fromTerms([...termsOf(a), ...termsOf(b)]);
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(-1, b));
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  const terms: Term[] = [];
  for (const left of termsOf(a)) {
    for (const right of termsOf(b)) {
      const factors = [...left.factors, ...right.factors].sort(compareAtoms);
      terms.push({ coefficient: left.coefficient * right.coefficient, factors });
    }
  }
  return fromTerms(terms);
}

/**
 * Floor of `a / divisor`, exact where every coefficient divides:
 * `div(2*B+4, 2)` → `B+2`, `div(2*B+1, 2)` → `B` and `div(B+1, 2)` stays.
 */
export function divideDim(a: Dim, divisor: number): Dim {
  if (typeof a === "number") return Math.floor(a / divisor);
  if (divisor === 1) return a;
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const term of a.terms) {
    const quotient = Math.floor(term.coefficient / divisor);
    const remainder = term.coefficient - quotient * divisor;
    if (quotient !== 0) whole.push({ coefficient: quotient, factors: term.factors });
    if (remainder !== 0) rest.push({ coefficient: remainder, factors: term.factors });
  }
  const dividend = fromTerms(rest);
  if (typeof dividend === "number") {
    return addDims(fromTerms(whole), Math.floor(dividend / divisor));
  }
  const quotient: Term = { coefficient: 1, factors: [{ dividend, divisor }] };
  return fromTerms([...whole, quotient]);
}

/** `a / b` where it is exact (a shape with `-1` in it), else undefined. */
export function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  if (sameDim(a, b)) return 1;
  if (typeof b === "number") {
    if (b === 0) return undefined;
    const terms = termsOf(a);
    if (terms.some((term) => term.coefficient % b !== 0)) return undefined;
    return fromTerms(terms.map((term) => ({ ...term, coefficient: term.coefficient / b })));
  }
  if (b.terms.length !== 1) return undefined;
  const [divisor] = b.terms as [Term];
  const terms: Term[] = [];
  for (const term of termsOf(a)) {
    const factors = [...term.factors];
    for (const factor of divisor.factors) {
      const at = factors.findIndex((other) => atomText(other) === atomText(factor));
      if (at < 0) return undefined;
      factors.splice(at, 1);
    }
    if (term.coefficient % divisor.coefficient !== 0) return undefined;
    terms.push({ coefficient: term.coefficient / divisor.coefficient, factors });
  }
  return fromTerms(terms);
}

/** True when the two are the same polynomial: a proof of equality. False proves nothing. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a === b || dimText(a) === dimText(b);
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, k) => sameDim(dim, b[k] as Dim));
}

/** The number of elements of a shape. */
export function elementCount(shape: readonly Dim[]): Dim {
  return shape.reduce<Dim>(multiplyDims, 1);
}

/** `2*B*T+1`, `div(B+1,2)`. */
export function dimText(dim: Dim): string {
  if (typeof dim === "number") return String(dim);
  return dim.terms.map(termText).join("+").replaceAll("+-", "-");
}

export function shapeText(shape: readonly Dim[]): string {
  return `[${shape.map(dimText).join(",")}]`;
}

/** The names of the symbols that a dimension mentions, each once, in order. */
export function symbolsOf(dim: Dim): readonly string[] {
  const names = new Set<string>();
  const visit = (visited: Dim): void => {
    for (const term of termsOf(visited)) {
      for (const factor of term.factors) {
        if (typeof factor === "string") names.add(factor);
        else visit(factor.dividend);
      }
    }
  };
  visit(dim);
  return [...names];
}

/** The value of a dimension for given extents. Throws when a symbol is missing. */
export function evaluateDim(dim: Dim, extents: ReadonlyMap<string, number>): number {
  const [result] = substituteDims([dim], (name) => {
    const extent = extents.get(name);
    if (extent === undefined) throw new Error(`the extent ${name} is unbound`);
    return extent;
  });
  return result as number;
}

/** Every symbol replaced by what `replace` gives for it. */
export function substituteDims(
  shape: readonly Dim[],
  replace: (name: string) => Dim,
): readonly Dim[] {
  const atom = (factor: Atom): Dim =>
    typeof factor === "string" ? replace(factor) : divideDim(one(factor.dividend), factor.divisor);
  const one = (dim: Dim): Dim => {
    if (typeof dim === "number") return dim;
    let sum: Dim = 0;
    for (const term of dim.terms) {
      sum = addDims(
        sum,
        term.factors.reduce<Dim>(
          (product, factor) => multiplyDims(product, atom(factor)),
          term.coefficient,
        ),
      );
    }
    return sum;
  };
  return shape.map(one);
}

/** A dimension taken apart, for whoever emits code that computes it. */
export function foldDim<T>(
  dim: Dim,
  on: {
    readonly constant: (value: number) => T;
    readonly symbol: (name: string) => T;
    readonly add: (a: T, b: T) => T;
    readonly multiply: (a: T, b: T) => T;
    readonly divide: (a: T, divisor: number) => T;
  },
): T {
  if (typeof dim === "number") return on.constant(dim);
  const terms = dim.terms.map((term) => {
    const factors = term.factors.map((factor) =>
      typeof factor === "string"
        ? on.symbol(factor)
        : on.divide(foldDim(factor.dividend, on), factor.divisor),
    );
    if (term.coefficient !== 1 || factors.length === 0) {
      factors.unshift(on.constant(term.coefficient));
    }
    return factors.reduce(on.multiply);
  });
  return terms.reduce(on.add);
}

function termsOf(dim: Dim): readonly Term[] {
  if (typeof dim !== "number") return dim.terms;
  return dim === 0 ? [] : [{ coefficient: dim, factors: [] }];
}

/** Like terms collected, zero terms dropped, the rest in canonical order. */
function fromTerms(terms: readonly Term[]): Dim {
  const collected = new Map<string, Term>();
  for (const term of terms) {
    const key = term.factors.map(atomText).join("*");
    const coefficient = (collected.get(key)?.coefficient ?? 0) + term.coefficient;
    collected.set(key, { coefficient, factors: term.factors });
  }
  const kept = [...collected.entries()]
    .filter(([, term]) => term.coefficient !== 0)
    .sort(([a, x], [b, y]) => y.factors.length - x.factors.length || (a < b ? -1 : 1))
    .map(([, term]) => term);
  if (kept.length === 0) return 0;
  const [first] = kept;
  if (kept.length === 1 && first?.factors.length === 0) return first.coefficient;
  return { terms: kept };
}

function termText({ coefficient, factors }: Term): string {
  const text = factors.map(atomText).join("*");
  if (text === "") return String(coefficient);
  if (coefficient === 1) return text;
  return coefficient === -1 ? `-${text}` : `${coefficient}*${text}`;
}

function atomText(atom: Atom): string {
  return typeof atom === "string" ? atom : `div(${dimText(atom.dividend)},${atom.divisor})`;
}

function compareAtoms(a: Atom, b: Atom): number {
  const left = atomText(a);
  const right = atomText(b);
  return left < right ? -1 : left > right ? 1 : 0;
}
