/** A chain of heated cells: conduction that grows with temperature, radiation, and a wind. */

/** Temperatures at the two ends. */
export interface Ends {
  readonly left: number;
  readonly right: number;
}

/** What a material conducts at a temperature. */
function conductivity(u: number): number {
  return 1 + 0.5 * u * u;
}

/**
 * The residual of (k(u) u')' - w u' - u⁴ + s = 0 at each of n inner points of [0, 1]. The wind w
 * carries heat from where it comes from: which of two differences is taken, its sign says.
 */
export function residual(
  u: Float64Array,
  source: Float64Array,
  wind: number,
  ends: Ends,
): Float64Array {
  const n = u.length;
  const h = 1 / (n + 1);
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const left = i > 0 ? u[i - 1] : ends.left;
    const right = i < n - 1 ? u[i + 1] : ends.right;
    const outward = conductivity((right + u[i]) / 2) * (right - u[i]);
    const inward = conductivity((u[i] + left) / 2) * (u[i] - left);
    // The wind is stronger where it is warmer.
    const strength = wind * (u[i] - 0.5);
    const slope = strength > 0 ? (u[i] - left) / h : (right - u[i]) / h;
    out[i] = (outward - inward) / (h * h) - strength * slope - u[i] ** 4 + source[i];
  }
  return out;
}

/** Solves a tridiagonal system, its rows in `values` as they stand in a sparse matrix, in place. */
export function solveTridiagonal(values: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const x = b.slice();
  const diagonal = new Float64Array(n);
  const above = new Float64Array(n);
  let k = 0;
  for (let i = 0; i < n; i++) {
    const below = i > 0 ? values[k++] : 0;
    diagonal[i] = values[k++];
    above[i] = i < n - 1 ? values[k++] : 0;
    if (i === 0) continue;
    const factor = below / diagonal[i - 1];
    diagonal[i] -= factor * above[i - 1];
    x[i] -= factor * x[i - 1];
  }
  for (let i = n - 1; i >= 0; i--) {
    const behind = i < n - 1 ? above[i] * x[i + 1] : 0;
    x[i] = (x[i] - behind) / diagonal[i];
  }
  return x;
}
