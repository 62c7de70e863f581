/** The transforms on functions of tensors, run as they stand. Plain numbers need the compiler. */

import { jvp } from "../compiler/autodiff/jvp.ts";
import { vjp } from "../compiler/autodiff/vjp.ts";
import { vmap } from "../compiler/autodiff/vmap.ts";
import { Tensor, tensor } from "../runtime/tensor.ts";
import {
  applyEagerly,
  isFloatTensor,
  needsCompiler,
  runFunction,
  traceFunction,
  treeMapEagerly,
} from "./eager.ts";
import type { GradOptions, VmapOptions } from "./roots.ts";

type Callable = (...args: never[]) => unknown;

interface Gradient {
  readonly value: unknown;
  readonly gradient: unknown;
  readonly aux: unknown;
  readonly hasAux: boolean;
}

/** The gradient of `f` at `args`, with the structure of the arguments chosen. */
export function gradientOf(
  root: string,
  f: Callable,
  options: GradOptions & { readonly hasAux?: boolean },
  args: readonly unknown[],
): Gradient {
  const { argnums = 0, hasAux = false } = options;
  const chosen = typeof argnums === "number" ? [argnums] : argnums;
  const active = chosen.map((position) => args[position]);
  const leaves = floatLeaves(root, active);
  const traced = traceFunction(
    leaves,
    (standIns) => {
      const rebuilt = rebuild(active, standIns) as readonly unknown[];
      const replaced = args.map((argument, k) =>
        chosen.includes(k) ? rebuilt[chosen.indexOf(k)] : argument,
      );
      const result = f(...(replaced as never[]));
      const [value, aux] = hasAux ? (result as readonly [unknown, unknown]) : [result, undefined];
      if (!(value instanceof Tensor)) throw needsCompiler(root);
      return { value, aux };
    },
    ({ value }) => [value],
  );
  const { value, aux } = traced.result;
  if (value.shape.length !== 0) {
    throw new TypeError(
      `\`${root}\` needs a scalar, and the function gives shape [${value.shape}]`,
    );
  }
  const flags = traced.fn.body.parameters.map((_, k) => k < leaves.length);
  const seed = tensor([1], [], value.dtype);
  const outputs = runFunction(vjp(traced.fn, flags), [...leaves, ...traced.captured, seed]);
  const gradients = rebuild(active, outputs.slice(1)) as readonly unknown[];
  return {
    value: outputs[0],
    gradient: typeof argnums === "number" ? gradients[0] : gradients,
    aux,
    hasAux,
  };
}

/** `[y, dy]` */
export function eagerJvp(
  root: string,
  f: Callable,
  primals: readonly unknown[],
  tangents: readonly unknown[],
): readonly [unknown, unknown] {
  const { fn, leaves, captured, result } = traceCall(root, f, primals);
  const directions = floatLeaves(root, tangents);
  const flags = fn.body.parameters.map((_, k) => k < leaves.length);
  const outputs = runFunction(jvp(fn, flags), [...leaves, ...captured, ...directions]);
  const half = fn.body.results.length;
  return [rebuild(result, outputs.slice(0, half)), rebuild(result, outputs.slice(half))];
}

/** `[y, pullback]` */
export function eagerVjp(
  root: string,
  f: Callable,
  primals: readonly unknown[],
): readonly [unknown, (cotangent: unknown) => unknown] {
  const { fn, leaves, captured, result } = traceCall(root, f, primals);
  const flags = fn.body.parameters.map((_, k) => k < leaves.length);
  const adjoint = vjp(fn, flags);
  const half = fn.body.results.length;
  return [
    result,
    (cotangent) => {
      const seeds = floatLeaves(root, cotangent);
      const outputs = runFunction(adjoint, [...leaves, ...captured, ...seeds]);
      return rebuild(primals, outputs.slice(half));
    },
  ];
}

/** `[y, pushforward]` */
export function eagerLinearize(
  root: string,
  f: Callable,
  primals: readonly unknown[],
): readonly [unknown, (...tangents: readonly unknown[]) => unknown] {
  const [value] = [f(...(primals as never[]))];
  return [value, (...tangents) => eagerJvp(root, f, primals, tangents)[1]];
}

/** Jacobians `[…out, …in]` of a function of one tensor; the Hessian is that of the gradient. */
export function jacobianOf(
  root: "jacfwd" | "jacrev" | "hessian",
  f: Callable,
  options: GradOptions<number>,
  args: readonly unknown[],
): unknown {
  const position = options.argnums ?? 0;
  const x = args[position];
  if (!isFloatTensor(x)) throw needsCompiler(root);
  const at = (one: unknown): unknown => {
    const replaced = args.with(position, one);
    return root === "hessian"
      ? gradientOf(root, f, { argnums: position }, replaced).gradient
      : f(...(replaced as never[]));
  };
  const direction = (like: Tensor, k: number): Tensor => {
    const data = like.dataSync().map(() => 0);
    data[k] = 1;
    return tensor(data, like.shape, like.dtype);
  };
  if (root === "jacrev") {
    const [y, pullback] = eagerVjp(root, at as Callable, [x]) as readonly [
      Tensor,
      (w: unknown) => readonly [Tensor],
    ];
    const rows = y.dataSync();
    const all = Array.from(rows, (_, k) => pullback(direction(y, k))[0]);
    return applyEagerly("reshape", [applyEagerly("stack", [all]), [...y.shape, ...x.shape]]);
  }
  const columns = Array.from(
    x.dataSync(),
    (_, k) => eagerJvp(root, at as Callable, [x], [direction(x, k)])[1],
  );
  const [first] = columns as readonly Tensor[];
  const shape = [...(first?.shape ?? []), ...x.shape];
  const stacked = applyEagerly("stack", [columns, first?.shape.length ?? 0]);
  return applyEagerly("reshape", [stacked, shape]);
}

/** `f` over an axis of its arguments. */
export function eagerVmap(
  root: string,
  f: Callable,
  options: VmapOptions,
  args: readonly unknown[],
): unknown {
  const { inAxes = 0, outAxes = 0 } = options;
  const axes = args.map((_, k) => (Array.isArray(inAxes) ? (inAxes[k] as number | null) : inAxes));
  const moved: unknown[] = args.map((argument, k) => {
    const axis = axes[k] as number | null;
    return axis === null ? argument : treeMapEagerly((leaf) => moveAxis(leaf, axis, 0), [argument]);
  });
  const mapped = moved.filter((_, k) => axes[k] !== null);
  const leaves = floatLeaves(root, mapped, true);
  const [first] = leaves;
  if (first === undefined) throw new TypeError("`vmap` needs a tensor to map over");
  const size = first.shape[0] as number;
  for (const leaf of leaves) {
    if (leaf.shape[0] !== size) {
      throw new TypeError(`\`vmap\` got axes of ${size} and ${leaf.shape[0]}`);
    }
  }
  const examples = leaves.map((leaf) =>
    applyEagerly("reshape", [applyEagerly("slice", [leaf, 0, 0, 1]), leaf.shape.slice(1)]),
  ) as readonly Tensor[];
  const traced = traceFunction(
    examples,
    (standIns) => {
      const rebuilt = rebuild(mapped, standIns) as unknown[];
      const given = moved.map((argument, k) => (axes[k] === null ? argument : rebuilt.shift()));
      return f(...(given as never[]));
    },
    (result) => floatLeaves(root, result, true),
  );
  const flags = traced.fn.body.parameters.map((_, k) => k < leaves.length);
  const outputs = runFunction(vmap(traced.fn, flags, size), [...leaves, ...traced.captured]);
  return rebuild(
    traced.result,
    outputs.map((output) => moveAxis(output, 0, outAxes) as Tensor),
  );
}

function moveAxis(leaf: unknown, from: number, to: number): unknown {
  if (from === to || !(leaf instanceof Tensor)) return leaf;
  const order = leaf.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  return applyEagerly("transpose", [leaf, order.toSpliced(to, 0, from)]);
}

function traceCall(root: string, f: Callable, args: readonly unknown[]) {
  const leaves = floatLeaves(root, args);
  const traced = traceFunction(
    leaves,
    (standIns) => f(...(rebuild(args, standIns) as never[])),
    (result) => floatLeaves(root, result),
  );
  return { ...traced, leaves };
}

/** The tensors of a tree. Anything else in it can only be handled by the compiler. */
function floatLeaves(root: string, tree: unknown, anyDtype = false): readonly Tensor[] {
  const leaves: Tensor[] = [];
  treeMapEagerly(
    (leaf) => {
      if (anyDtype ? !(leaf instanceof Tensor) : !isFloatTensor(leaf)) throw needsCompiler(root);
      leaves.push(leaf as Tensor);
    },
    [tree],
  );
  return leaves;
}

/** A tree of the same structure, its leaves replaced in order. */
function rebuild(tree: unknown, leaves: readonly unknown[]): unknown {
  let next = 0;
  return treeMapEagerly(() => leaves[next++], [tree]);
}
