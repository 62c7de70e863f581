/** A process that asks for a graphics device: it ends with 0 if there is one, or says what is missing. */

import { openDevice } from "../../runtime/webgpu/device.ts";

try {
  await openDevice();
} catch (error) {
  // Drivers write to the other stream.
  process.stdout.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
