/** A hanging cloth of masses and springs; the gradient finds the wind that shaped it. */

export const side = 8;
const rest = 1 / (side - 1);
const dt = 0.01;

/** Adds the force of the spring between masses a and b, with damping along it. */
function spring(x: Float64Array, v: Float64Array, f: Float64Array, a: number, b: number): void {
  const dx = x[2 * b] - x[2 * a];
  const dy = x[2 * b + 1] - x[2 * a + 1];
  const length = Math.sqrt(dx * dx + dy * dy);
  const [ux, uy] = [dx / length, dy / length];
  const closing = (v[2 * b] - v[2 * a]) * ux + (v[2 * b + 1] - v[2 * a + 1]) * uy;
  const pull = 120 * (length - rest) + 0.6 * closing;
  f[2 * a] += pull * ux;
  f[2 * a + 1] += pull * uy;
  f[2 * b] -= pull * ux;
  f[2 * b + 1] -= pull * uy;
}

/**
 * The masses of a square cloth, [side² × 2], after `steps` steps; its upper row is held. The wind
 * blows sideways with a strength for each row.
 */
export function drape(wind: Float64Array, steps: number): Float64Array {
  const count = side * side;
  const x = new Float64Array(2 * count);
  const v = new Float64Array(2 * count);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      x[2 * (row * side + column)] = column * rest;
      x[2 * (row * side + column) + 1] = -row * rest;
    }
  }
  for (let step = 0; step < steps; step++) {
    const f = new Float64Array(2 * count);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const here = row * side + column;
        f[2 * here] += wind[row] - 0.2 * v[2 * here];
        f[2 * here + 1] += -1 - 0.2 * v[2 * here + 1];
        if (column + 1 < side) spring(x, v, f, here, here + 1);
        if (row + 1 < side) spring(x, v, f, here, here + side);
      }
    }
    for (let k = 2 * side; k < 2 * count; k++) {
      v[k] += dt * f[k];
      x[k] += dt * v[k];
    }
  }
  return x;
}

/** The mean squared distance of the masses from where they were seen. */
export function loss(wind: Float64Array, seen: Float64Array, steps: number): number {
  const x = drape(wind, steps);
  let total = 0;
  for (let k = 0; k < x.length; k++) total += (x[k] - seen[k]) ** 2;
  return total / x.length;
}
