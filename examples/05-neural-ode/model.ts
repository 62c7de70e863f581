/** A neural network as the right-hand side of a differential equation, trained through the solver. */

/** A field in the plane with one hidden layer: dy/dt = W₂ tanh(W₁ y + b₁) + b₂. */
export interface Field {
  /** [hidden × 2] */
  readonly w1: Float64Array;
  readonly b1: Float64Array;
  /** [2 × hidden] */
  readonly w2: Float64Array;
  readonly b2: Float64Array;
}

function slope(f: Field, u: number, v: number): readonly [number, number] {
  const hidden = f.b1.length;
  let du = f.b2[0];
  let dv = f.b2[1];
  for (let k = 0; k < hidden; k++) {
    const h = Math.tanh(f.w1[2 * k] * u + f.w1[2 * k + 1] * v + f.b1[k]);
    du += f.w2[k] * h;
    dv += f.w2[hidden + k] * h;
  }
  return [du, dv];
}

/**
 * The classical Runge–Kutta method from `start`; the points after each of `steps` steps,
 * [steps × 2].
 */
export function solve(f: Field, start: Float64Array, steps: number, dt: number): Float64Array {
  const path = new Float64Array(2 * steps);
  let u = start[0];
  let v = start[1];
  for (let n = 0; n < steps; n++) {
    const [u1, v1] = slope(f, u, v);
    const [u2, v2] = slope(f, u + (dt / 2) * u1, v + (dt / 2) * v1);
    const [u3, v3] = slope(f, u + (dt / 2) * u2, v + (dt / 2) * v2);
    const [u4, v4] = slope(f, u + dt * u3, v + dt * v3);
    u += (dt / 6) * (u1 + 2 * u2 + 2 * u3 + u4);
    v += (dt / 6) * (v1 + 2 * v2 + 2 * v3 + v4);
    path[2 * n] = u;
    path[2 * n + 1] = v;
  }
  return path;
}

/** The mean squared distance of the solution from a path. */
export function loss(f: Field, path: Float64Array, start: Float64Array, dt: number): number {
  const steps = path.length / 2;
  const solved = solve(f, start, steps, dt);
  let total = 0;
  for (let k = 0; k < path.length; k++) total += (solved[k] - path[k]) ** 2;
  return total / steps;
}

/** A field to begin with, the same on every run. */
export function initialField(hidden: number): Field {
  const numbers = (size: number, phase: number, scale: number): Float64Array =>
    Float64Array.from({ length: size }, (_, k) => scale * Math.sin(12.9898 * (k + 1) + phase));
  return {
    w1: numbers(2 * hidden, 0, 0.9),
    b1: numbers(hidden, 1, 0.3),
    w2: numbers(2 * hidden, 2, 0.5),
    b2: new Float64Array(2),
  };
}
