/**
 * Trains for as many steps as it is told, and says what is alive on the device after some of them
 * and at the end. Run with `--expose-gc`.
 */

import { webgpu } from "../../dist/runtime/webgpu/gpu.js";
import { train } from "../builds/training.ts";

const steps = Number(process.argv[2]);
/** Steps until all programs are there. */
const first = 50;

const { device, memory } = await webgpu.open();
const buffers = countBuffers(device);
const found: object[] = [];
let most = 0;
let done = 0;
for (const loss of train(steps)) {
  most = Math.max(most, memory.extent);
  if (++done % 10 === 0) await loss.data();
  if (done === first || done === steps) {
    const value = (await loss.data())[0];
    await collected();
    found.push({ done, loss: value, pieces: memory.count, buffers: buffers.count });
  }
}
console.log(JSON.stringify({ found, most }));

/** What nobody has any more is given back between turns of the event loop. */
async function collected(): Promise<void> {
  for (let k = 0; k < 5; k++) {
    globalThis.gc?.();
    await new Promise((next) => setTimeout(next, 10));
  }
}

/** How many buffers a device has made from now on and not destroyed. */
function countBuffers(device: GPUDevice): { count: number } {
  const counted = { count: 0 };
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    counted.count++;
    buffer.destroy = () => {
      counted.count--;
      return destroy();
    };
    return buffer;
  };
  return counted;
}
