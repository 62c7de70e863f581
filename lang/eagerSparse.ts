/** Patterns and products with many directions of functions of tensors, run as they stand. */

import { dependence } from "../compiler/autodiff/dependence.ts";
import { Tensor, tensor } from "../runtime/tensor.ts";
import { isFloatTensor, needsCompiler, runFunction, traceFunction } from "./eager.ts";
import { eagerJvp, eagerVjp, eagerVmap } from "./eagerTransforms.ts";

type Callable = (...args: never[]) => unknown;
type Program = (...args: readonly unknown[]) => unknown;

/** The Jacobian times each direction, or each direction times it. */
export function eagerDirections(
  root: "jvps" | "vjps",
  f: Callable,
  position: number,
  directions: unknown,
  args: readonly unknown[],
): unknown {
  const x = args[position];
  const at = (one: unknown): unknown => f(...(args.with(position, one) as never[]));
  const along = (direction: unknown): unknown => {
    if (root === "jvps") return eagerJvp(root, at as Callable, [x], [direction])[1];
    const [, pullback] = eagerVjp(root, at as Callable, [x]);
    return (pullback(direction) as readonly unknown[])[0];
  };
  return eagerVmap(root, along as Callable, {}, [directions]);
}

/** What `patternOf` needs: masks of the results, from those of one argument. */
export function eagerMasks(root: string, f: Callable, position: number): Program {
  return (seeds, ...args) => {
    const x = args[position];
    if (!isFloatTensor(x)) throw needsCompiler(root);
    const { fn, captured } = traceFunction(
      [x],
      ([standIn]) => resultOf(root, f(...(args.with(position, standIn) as never[]))),
      (result) => [result],
    );
    const active = fn.body.parameters.map((_, k) => k === 0);
    const masks = tensor(seeds as Int32Array, x.shape, "i32");
    const [, mask] = runFunction(dependence(fn, active), [x, ...captured, masks]);
    return (mask as Tensor).dataSync();
  };
}

/** What `jacobianBy` needs: products with rows of numbers, one after the other. */
export function eagerProducts(
  direction: "jvps" | "vjps",
  root: string,
  f: Callable,
  position: number,
): Program {
  return (rows, ...args) => {
    const x = args[position];
    if (!isFloatTensor(x)) throw needsCompiler(root);
    const like = direction === "jvps" ? x : resultOf(root, f(...(args as never[])));
    const all = (rows as readonly Float64Array[]).flatMap((row) => [...row]);
    const shape = [(rows as readonly unknown[]).length, ...like.shape];
    const directions = tensor(all, shape, like.dtype);
    const products = eagerDirections(direction, f, position, directions, args) as Tensor;
    return Float64Array.from(products.dataSync());
  };
}

function resultOf(root: string, result: unknown): Tensor {
  if (!isFloatTensor(result)) throw needsCompiler(root);
  return result;
}
