/**
 * The error function in double precision.
 *
 * |x| < 1: erf(x) = 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)); all terms have one sign.
 * |x| ≥ 1: erf(x) = 1 - erfc(x) with the continued fraction
 *   √π · e^(x²) · erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + 2/(x + …))))).
 * Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 and 7.1.14.
 *
 * One function that needs nothing around it: its text is given to other threads.
 */
export function erf(x: number): number {
  if (Number.isNaN(x) || x === 0) return x;
  const magnitude = Math.abs(x);
  // From 6 on, erfc is below half a unit in the last place of 1.
  if (magnitude >= 6) return Math.sign(x);
  const power = Math.exp(-magnitude * magnitude);
  if (magnitude < 1) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-18; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * power * sum;
  }
  // The error falls as e^(-2x√(2n)): 200 levels suffice at x = 1.
  const levels = Math.ceil(20 + 230 / (x * x));
  let tail = magnitude;
  for (let n = levels; n >= 1; n--) tail = magnitude + n / 2 / tail;
  return Math.sign(x) * (1 - power / (Math.sqrt(Math.PI) * tail));
}
