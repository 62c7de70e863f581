/** The gradient of a plain function of numbers with a loop and a branch. */

import { compile, grad } from "fluxion";

/** The height at which a ball thrown up at `speed` is after `time`: it bounces off the floor. */
export function height(speed: number, time: number): number {
  const steps = 100;
  const dt = time / steps;
  let y = 0;
  let v = speed;
  for (let i = 0; i < steps; i++) {
    v -= 9.81 * dt;
    y += v * dt;
    if (y < 0) {
      y = -0.8 * y;
      v = -0.8 * v;
    }
  }
  return y;
}

const compiled = compile(height);
const slope = grad(height, { argnums: [0, 1] });

for (const speed of [3, 5, 8]) {
  const [bySpeed, byTime] = slope(speed, 1.5);
  console.log(
    `speed ${speed}: height ${compiled(speed, 1.5).toFixed(4)},`,
    `d/d speed ${bySpeed.toFixed(4)}, d/d time ${byTime.toFixed(4)}`,
  );
}
