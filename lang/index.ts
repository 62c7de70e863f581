/** The language: tensors, functions on them, and the roots where compilation starts. */

import { Tensor as Handle } from "../runtime/tensor.ts";
import { applyEagerly } from "./eager.ts";
import { surface } from "./surface/index.ts";

export * from "./functions.ts";
export * from "./roots.ts";
export * from "./sparse.ts";
export * from "./device.ts";
export * from "./image.ts";
export * from "./prefetch.ts";
export { tensor } from "./tensor.ts";
export type { KernelTime, Profile, Timing } from "../runtime/profile.ts";
export type {
  AnyShape,
  DataOf,
  Dim,
  DType,
  ReduceOptions,
  Shape,
  ShapeFrom,
  Tensor,
  TensorData,
} from "./types.ts";

// Handles get the language's methods when the language is loaded; programs alone do without.
for (const name of Object.keys(surface)) {
  if (name in Handle.prototype) continue;
  Object.defineProperty(Handle.prototype, name, {
    value(this: Handle, ...args: readonly unknown[]): unknown {
      return applyEagerly(name, [this, ...args]);
    },
  });
}
