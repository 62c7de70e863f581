/**
 * Trains for as many steps as it is told on the target that it is told, and says what is alive there
 * after some of them and at the end. Run with `--expose-gc`; for WebGL with `--import countedWebgl.ts`.
 */

import { webgl } from "../../dist/runtime/webgl/gl.js";
import { webgpu } from "../../dist/runtime/webgpu/gpu.js";
import { train } from "../builds/training.ts";
import { countBuffers, type Counts, counts } from "./counting.ts";

const steps = Number(process.argv[2]);
/** Steps until all programs are there. */
const first = 50;

const { memory, live } = await (process.argv[3] === "webgl" ? onWebgl() : onWebgpu());
const found: object[] = [];
let most = 0;
let done = 0;
for (const loss of train(steps)) {
  most = Math.max(most, memory.extent);
  if (++done % 10 === 0) await loss.data();
  if (done === first || done === steps) {
    const value = (await loss.data())[0];
    await collected();
    found.push({ done, loss: value, pieces: memory.count, live: live() });
  }
}
console.log(JSON.stringify({ found, most }));

async function onWebgpu() {
  const { device, memory: there } = await webgpu.open();
  return { memory: there, live: countBuffers(device) };
}

async function onWebgl() {
  const { memory: there } = await webgl.open();
  const { [counts]: live } = globalThis as unknown as { readonly [counts]: () => Counts };
  return { memory: there, live };
}

/** What nobody has any more is given back between turns of the event loop. */
async function collected(): Promise<void> {
  for (let k = 0; k < 5; k++) {
    globalThis.gc?.();
    await new Promise((next) => setTimeout(next, 10));
  }
}
