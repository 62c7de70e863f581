/** Aiming a probe past two moving planets: the gradient goes through a `while` loop. */

/** Bodies in the plane: masses, and positions and velocities as [x, y, x, y, …]. */
export interface Bodies {
  readonly mass: Float64Array;
  readonly position: Float64Array;
  readonly velocity: Float64Array;
}

/** Accelerations by Newton's law with G = 1, softened near collisions. */
function accelerate(mass: Float64Array, position: Float64Array, out: Float64Array): void {
  const count = mass.length;
  for (let i = 0; i < count; i++) {
    let ax = 0;
    let ay = 0;
    for (let j = 0; j < count; j++) {
      if (j === i) continue;
      const dx = position[2 * j] - position[2 * i];
      const dy = position[2 * j + 1] - position[2 * i + 1];
      const r2 = dx * dx + dy * dy + 1e-3;
      const pull = mass[j] / (r2 * Math.sqrt(r2));
      ax += pull * dx;
      ay += pull * dy;
    }
    out[2 * i] = ax;
    out[2 * i + 1] = ay;
  }
}

/** Where the bodies are at `end`: leapfrog, with steps that shrink where bodies are fast. */
export function fly(bodies: Bodies, end: number): Float64Array {
  const { mass } = bodies;
  const size = bodies.position.length;
  const position = bodies.position.slice();
  const velocity = bodies.velocity.slice();
  const pull = new Float64Array(size);
  accelerate(mass, position, pull);
  let t = 0;
  while (t < end) {
    let fastest = 0;
    for (let k = 0; k < size; k++) fastest = Math.max(fastest, Math.abs(velocity[k]));
    const dt = Math.min(0.01 / (1 + fastest), end - t + 1e-12);
    for (let k = 0; k < size; k++) {
      velocity[k] += (dt / 2) * pull[k];
      position[k] += dt * velocity[k];
    }
    accelerate(mass, position, pull);
    for (let k = 0; k < size; k++) velocity[k] += (dt / 2) * pull[k];
    t += dt;
  }
  return position;
}

/** The squared distance of the probe, the last body, from a target after `end`. */
export function miss(
  launch: Float64Array,
  bodies: Bodies,
  target: Float64Array,
  end: number,
): number {
  const velocity = bodies.velocity.slice();
  const probe = velocity.length - 2;
  velocity[probe] = launch[0];
  velocity[probe + 1] = launch[1];
  const { mass, position } = bodies;
  const last = fly({ mass, position, velocity }, end);
  return (last[probe] - target[0]) ** 2 + (last[probe + 1] - target[1]) ** 2;
}

/** A sun, a planet around it, and a probe. */
export const system: Bodies = {
  mass: Float64Array.of(1, 0.3, 1e-6),
  position: Float64Array.of(0, 0, 1.5, 0, -1.2, -0.8),
  velocity: Float64Array.of(0, -0.2, 0, 0.75, 0, 0),
};
