/** A page that trains on what there is, and says what it found. */

import { device, onReady } from "fluxion";
import { train } from "./training.ts";

const ready = new Promise(onReady);
const losses: number[] = [];
const started = device();
const away: boolean[] = [];
for (const loss of train(60)) {
  let isAway = false;
  try {
    loss.dataSync();
  } catch {
    isAway = true;
  }
  away.push(isAway);
  losses.push((await loss.data())[0] ?? NaN);
  if (losses.length === 20) await ready;
}
document.title = JSON.stringify({ losses, away, started, ended: device() });
