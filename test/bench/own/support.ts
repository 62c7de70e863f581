/** Data as tensors. */

import { type AnyShape, type Tensor, tensor } from "fluxion";
import type { Data } from "../data.ts";

export function toTensor({ data, shape }: Data): Tensor<AnyShape> {
  return tensor(data, [...shape]);
}

/** The first element. */
export async function firstOf(x: Tensor<AnyShape>): Promise<number> {
  return (await x.data())[0] ?? NaN;
}
