/** A page that trains, and says what it found. */

import { train } from "./training.ts";

const losses: number[] = [];
let isElsewhere = false;
for (const loss of train(60)) {
  try {
    loss.dataSync();
  } catch {
    isElsewhere = true;
  }
  losses.push((await loss.data())[0] ?? NaN);
}
let takesText = true;
try {
  new Function("")();
} catch {
  takesText = false;
}
document.title = JSON.stringify({ losses, isElsewhere, takesText });
