/** Products of matrices, and of a matrix and a vector. */

import { compile, type Tensor } from "fluxion";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { toTensor } from "./support.ts";

type Square = Tensor<[number, number]>;

const product = compile(<N extends number>(a: Tensor<[N, N]>, b: Tensor<[N, N]>) => a.matmul(b));
const productInJs = compile(
  <N extends number>(a: Tensor<[N, N]>, b: Tensor<[N, N]>) => a.matmul(b),
  { target: "js" },
);
const withVector = compile(<N extends number>(a: Tensor<[N, N]>, x: Tensor<[N]>) => a.matmul(x));

/** An element of the product, which is read back whole. */
export function multiply(a: Data, b: Data, target: "wasm" | "js"): Step {
  const [x, y]: readonly Square[] = [toTensor(a), toTensor(b)];
  const f = target === "js" ? productInJs : product;
  return async () => {
    using c = f(x, y);
    return (await c.data())[1];
  };
}

/** An element of the product with a vector, which is read back whole. */
export function multiplyVector(a: Data, x: Data): Step {
  const [matrix, vector] = [toTensor(a), toTensor(x)];
  return async () => {
    using y = withVector(matrix, vector);
    return (await y.data())[1];
  };
}
