/** Aiming a probe past two moving planets: the gradient goes through a `while` loop. */

import { compile, valueAndGrad } from "fluxion";
import { plot, savePicture } from "../plot.ts";
import { fly, miss, system } from "./model.ts";

const aim = valueAndGrad(miss);
const flight = compile(fly);

const target = Float64Array.of(1.6, 1.4);
const end = 3;

function pathOf(launch: Float64Array, body: number): (readonly [number, number])[] {
  const velocity = system.velocity.slice();
  velocity.set(launch, velocity.length - 2);
  return Array.from({ length: 61 }, (_, n) => {
    const at = flight({ ...system, velocity }, (end * n) / 60);
    return [at[2 * body], at[2 * body + 1]] as const;
  });
}

const first = Float64Array.of(0.9, 0.6);
let launch = first;
let rate = 0.1;
for (let round = 0; round <= 60; round++) {
  const [distance, [dx, dy]] = aim(launch, system, target, end);
  if (round % 20 === 0) console.log(`round ${round}: misses by ${Math.sqrt(distance).toFixed(6)}`);
  // Downhill, by a step that is halved until it helps.
  for (rate *= 4; rate > 1e-9; rate /= 2) {
    const next = Float64Array.of(launch[0] - rate * dx, launch[1] - rate * dy);
    if (aim(next, system, target, end)[0] < distance) {
      launch = next;
      break;
    }
  }
}
console.log(`launch at (${launch[0].toFixed(4)}, ${launch[1].toFixed(4)})`);

savePicture(
  import.meta.url,
  "flight.svg",
  plot(
    [
      { name: "sun", points: pathOf(launch, 0) },
      { name: "planet", points: pathOf(launch, 1) },
      { name: "first try", points: pathOf(first, 2) },
      { name: "aimed", points: pathOf(launch, 2) },
      { name: "target", points: [[target[0], target[1]]], kind: "points" },
    ],
    { title: "A probe aimed by the gradient of its flight", x: "x", y: "y", square: true },
  ),
);
