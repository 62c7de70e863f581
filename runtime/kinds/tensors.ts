/** Tensors: handles that are passed on. */

import { countOf, viewAt } from "../arrays.ts";
import type { Leaf } from "../manifest.ts";
import { pool } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import { type Kind, wrong } from "./kind.ts";

export const tensorKind: Kind<Leaf> = {
  take(leaf, value, path, { inputs, shapes }) {
    if (!(value instanceof Tensor)) throw wrong(path, "a tensor", value);
    const { dtype, shape } = value;
    if (dtype !== leaf.dtype) {
      throw new TypeError(`${path}: expected a tensor of ${leaf.dtype}, got one of ${dtype}`);
    }
    shapes.push({ path, leaf, shape, told: shape.length });
    inputs.push({ kind: "tensor", tensor: value });
  },
  ofNumber({ dtype }, value) {
    const made = new Tensor(pool.onDevice(dtype, 1), [], dtype);
    viewAt(pool.memory.memory.buffer, Tensor.address(made), dtype, 1)[0] = value;
    return made;
  },
  ofMemory: ({ dtype }, shape, address) =>
    new Tensor(pool.adopt(dtype, countOf(shape), address), shape, dtype),
};
