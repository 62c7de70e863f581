/** Functions that programs import: those of `Math`, and the few that it lacks. */

type Function = (x: number, y: number) => number;

const own: Readonly<Record<string, Function>> = {
  pow: (x, y) => x ** y,
  rem: (x, y) => x % y,
  to_int32: (x) => x | 0,
  saturate_i32: (x) => Math.max(-2147483648, Math.min(2147483647, Math.trunc(x))) | 0,
  saturate_u32: (x) => (Number.isNaN(x) ? 0 : Math.max(0, Math.min(4294967295, Math.trunc(x))) | 0),
  saturate_u8: (x) => (Number.isNaN(x) ? 0 : Math.max(0, Math.min(255, Math.trunc(x)))),
  erf,
};

/** The functions that a program names in its manifest. */
export function mathFunctions(names: readonly string[]): Record<string, Function> {
  const functions: Record<string, Function> = {};
  for (const name of names) {
    const found =
      own[name] ?? (Math as unknown as Readonly<Record<string, Function | undefined>>)[name];
    if (found === undefined) throw new Error(`the program needs a function ${name}`);
    functions[name] = found;
  }
  return functions;
}

/**
 * |x| < 1: erf(x) = 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)); else 1 - erfc(x) with
 * √π e^(x²) erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))).
 * Abramowitz and Stegun, 7.1.6 and 7.1.14.
 */
function erf(x: number): number {
  if (Number.isNaN(x) || x === 0) return x;
  const size = Math.abs(x);
  const value = size < 1 ? series(size) : 1 - complement(size);
  return x < 0 ? -value : value;
}

function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function complement(x: number): number {
  if (x >= 6) return 0;
  let tail = x;
  for (let n = Math.ceil(20 + 230 / (x * x)); n >= 1; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}
