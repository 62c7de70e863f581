/** Elementary functions to 200 bits and more, in integers: what the code of the targets is held to. */

/** A number as `m 2^-scale`. */
const scale = 320n;
const one = 1n << scale;

/** The exact value of a double, rounded to the scale. */
function fixed(x: number): bigint {
  const { mantissa, exponent } = parts(x);
  const shift = exponent + scale;
  return shift >= 0n ? mantissa << shift : mantissa >> -shift;
}

/** x = mantissa · 2^exponent */
function parts(x: number): { readonly mantissa: bigint; readonly exponent: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const biased = (bits >> 52n) & 2047n;
  const fraction = bits & ((1n << 52n) - 1n);
  const magnitude = biased === 0n ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0n ? 1n : biased) - 1075n;
  return { mantissa: bits >> 63n === 0n ? magnitude : -magnitude, exponent };
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) >> scale;
}

/** Σ term_k until there is nothing left. */
function series(first: bigint, next: (term: bigint, k: bigint) => bigint): bigint {
  let sum = first;
  let term = first;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = next(term, k);
    sum += term;
  }
  return sum;
}

/** 2 artanh s = log((1 + s)/(1 - s)) */
function logOfRatio(numerator: bigint, denominator: bigint): bigint {
  const s = (numerator << scale) / denominator;
  const square = times(s, s);
  let power = s;
  let sum = 0n;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = times(power, square);
  }
  return 2n * sum;
}

const ln2 = logOfRatio(1n, 3n);

/** π by Machin's formula, 16 arctan(1/5) - 4 arctan(1/239). */
const pi = 16n * arctanOfInverse(5n) - 4n * arctanOfInverse(239n);

function arctanOfInverse(n: bigint): bigint {
  let power = one / n;
  let sum = 0n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += (k % 4n === 1n ? 1n : -1n) * (power / k);
    power /= n * n;
  }
  return sum;
}

function roundedQuotient(a: bigint, b: bigint): bigint {
  const doubled = 2n * a + b;
  const quotient = doubled / (2n * b);
  return doubled < 0n && doubled % (2n * b) !== 0n ? quotient - 1n : quotient;
}

/** A value `m 2^(exponent - scale)`. */
interface Exact {
  readonly m: bigint;
  readonly exponent: bigint;
}

function exponential(x: bigint): Exact {
  const exponent = roundedQuotient(x, ln2);
  const r = x - exponent * ln2;
  return { m: series(one, (term, k) => times(term, r) / k), exponent };
}

function logarithm(x: number): bigint {
  const { mantissa, exponent } = parts(x);
  const digits = BigInt(mantissa.toString(2).length);
  const unit = 1n << digits;
  return logOfRatio(mantissa - unit, mantissa + unit) + (exponent + digits) * ln2;
}

function sineOf(r: bigint): bigint {
  const square = times(r, r);
  return series(r, (term, k) => -times(term, square) / (2n * k * (2n * k + 1n)));
}

function cosineOf(r: bigint): bigint {
  const square = times(r, r);
  return series(one, (term, k) => -times(term, square) / (2n * k * (2n * k - 1n)));
}

function sine(x: bigint, quarters: bigint): bigint {
  const n = roundedQuotient(2n * x, pi);
  const r = x - (n * pi) / 2n;
  const quadrant = (((n + quarters) % 4n) + 4n) % 4n;
  const value = quadrant % 2n === 0n ? sineOf(r) : cosineOf(r);
  return quadrant < 2n ? value : -value;
}

const plain = (m: bigint): Exact => ({ m, exponent: 0n });

/** The functions at doubles where they are finite. */
export const exact: Readonly<Record<string, (x: number, y: number) => Exact>> = {
  exp: (x) => exponential(fixed(x)),
  log: (x) => plain(logarithm(x)),
  sin: (x) => plain(sine(fixed(x), 0n)),
  cos: (x) => plain(sine(fixed(x), 1n)),
  tanh: (x) => {
    const { m, exponent } = exponential(2n * fixed(x));
    const square = exponent >= 0n ? m << exponent : m >> -exponent;
    return plain(((square - one) << scale) / (square + one));
  },
  pow: (x, y) => {
    const { mantissa, exponent } = parts(y);
    const product = mantissa * logarithm(x);
    return exponential(exponent >= 0n ? product << exponent : product >> -exponent);
  },
};

/** How far a double is from an exact value, in units in its last place. */
export function unitsOff(actual: number, { m, exponent }: Exact): number {
  const wanted = parts(actual);
  const shift = wanted.exponent + scale - exponent;
  // Both in units of 2^-20 of the last place of the double
  const exactUnits = shift >= 20n ? m >> (shift - 20n) : m << (20n - shift);
  return Math.abs(Number((wanted.mantissa << 20n) - exactUnits)) / 2 ** 20;
}
