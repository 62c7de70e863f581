/** Gradient descent with a step that grows and shrinks, as GradBench has it in `gd.hpp`. */

export type Vector = readonly number[];
export type Objective = (x: Vector) => number;
/** Makes the gradient of a function: by forward or by reverse mode. */
export type Gradient = (f: Objective) => (x: Vector) => Vector;

export function length(x: Vector): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
}

/** Where `f` is smallest, from `start`: until the gradient or a step is no longer than 1e-5. */
export function argmin(f: Objective, gradient: Gradient, start: Vector): Vector {
  const slope = gradient(f);
  let x = start;
  let value = f(x);
  let direction = slope(x);
  let rate = 1e-5;
  let accepted = 0;
  while (length(direction) > 1e-5) {
    if (accepted === 10) {
      rate *= 2;
      accepted = 0;
    }
    const next = x.map((v, k) => v - rate * direction[k]);
    if (length(next.map((v, k) => v - x[k])) <= 1e-5) return x;
    const nextValue = f(next);
    if (nextValue < value) {
      x = next;
      value = nextValue;
      direction = slope(x);
      accepted++;
    } else {
      rate /= 2;
      accepted = 0;
    }
  }
  return x;
}

export function argmax(f: Objective, gradient: Gradient, start: Vector): Vector {
  return argmin((x) => -f(x), gradient, start);
}
