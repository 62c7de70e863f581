/**
 * The roots: calls to these are where compilation starts. A build replaces them; what stands here
 * is what they mean when a file runs as it is.
 */

import {
  eagerJvp,
  eagerLinearize,
  eagerVjp,
  eagerVmap,
  gradientOf,
  jacobianOf,
} from "./eagerTransforms.ts";
import { type Profile, profileCall } from "../runtime/profile.ts";
import type { Shape, Tensor } from "./types.ts";

/** Graphics devices, which answer later: what is no tensor comes as a promise. */
export type DeviceTarget = "webgpu" | "webgl";
/** Targets that may answer later: `"auto"` starts on wasm and goes on on the best device there is. */
export type LaterTarget = DeviceTarget | "auto";
/** Where a program runs. */
export type Target = "js" | "wasm" | LaterTarget;

/**
 * A function that says what it takes: `profile` calls it once, with kernels compiled, and gives the
 * result and the time of each kernel, with the lines that the kernel comes from. Printed it is a table,
 * and `trace()` of it is a Chrome trace. On WebGPU times are those of the device; see `Timing`. Where a
 * program runs on the host, and where a file runs as it is, the whole call is one row. Call the
 * function before: the first calls of a program are slower than those that follow.
 *
 * The promise rejects where the call throws, and in a build without the profiler: `fluxion run`,
 * `fluxion/register` and a page that Vite serves in development have it, other builds do with
 * `fluxion({ profile: true })`.
 */
export type Profiled<F extends (...args: never[]) => unknown> = F & {
  readonly profile: F extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Profile<Awaited<R>>>
    : never;
};

export interface CompileOptions<T extends Target = Target> {
  /** Where it runs; "wasm" by default. */
  readonly target?: T;
  /** Allow sums of scalar code in another order, for speed. */
  readonly reassociate?: boolean;
  /**
   * Positions of arguments whose tensors the call takes over: results are written in their memory
   * where that is possible, and afterwards they are gone. For what is carried from call to call,
   * such as parameters and the state of an optimizer.
   */
  readonly donateArgnums?: readonly number[];
}

/** What is no tensor in a result; `never` where it is tensors alone. */
type Plain<R> = R extends { dataSync(): unknown } | undefined
  ? never
  : R extends ArrayBufferView
    ? R
    : R extends readonly unknown[]
      ? Plain<R[number]>
      : R extends object
        ? { [K in keyof R]: Plain<R[K]> }[keyof R]
        : R;

/** `F` on a device that answers later: itself where it gives tensors, else with a promise. */
export type OnDevice<F> = F extends (...args: infer A) => infer R
  ? [R] extends [PromiseLike<unknown> | AsyncIterable<unknown>]
    ? F
    : [Plain<R>] extends [never]
      ? F
      : (...args: A) => Promise<R>
  : never;

/**
 * `f`, compiled. Untransformed: `f` itself, on the reference meanings of its operations. On graphics
 * devices, and for `auto`, tensors come back at once, and a result with anything else in it as a promise.
 */
export function compile<F extends (...args: never[]) => unknown>(
  f: F,
  options: CompileOptions<LaterTarget> & { readonly target: LaterTarget },
): Profiled<OnDevice<F>>;
export function compile<F extends (...args: never[]) => unknown>(
  f: F,
  options?: CompileOptions<"js" | "wasm">,
): Profiled<F>;
export function compile(
  f: (...args: never[]) => unknown,
  options: CompileOptions = {},
): Profiled<(...args: never[]) => unknown> {
  if (!isLater(options.target)) {
    return withProfile(f.name, (...args: never[]) => f(...args));
  }
  return withProfile(f.name, (...args: never[]) => {
    const result = f(...args);
    return isOfTensors(result) ? result : Promise.resolve(result);
  });
}

/** A function as it is, which can be profiled: the whole call is one row. */
function withProfile<A extends unknown[], R>(name: string, f: (...args: A) => R) {
  const profile = (...args: A): Promise<Profile<Awaited<R>>> =>
    profileCall(`${name || "a function"}, not compiled`, () => f(...args), 1);
  return Object.assign(f, { profile });
}

function isLater(target: Target | undefined): target is LaterTarget {
  return target === "webgpu" || target === "webgl" || target === "auto";
}

function isOfTensors(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return "dataSync" in value || Object.values(value).every(isOfTensors);
}

export interface GradOptions<N extends number | readonly number[] = number | readonly number[]> {
  /** The arguments to differentiate: a position, or a list for a tuple of gradients. */
  readonly argnums?: N;
}

/** What a differentiable function returns. */
export type Scalar =
  | number
  | Tensor<[], "f16">
  | Tensor<[], "f32">
  | Tensor<[], "f64">
  | Tensor<[], "f16" | "f32" | "f64">;

type Selected<A extends readonly unknown[], N> = N extends readonly number[]
  ? { -readonly [K in keyof N]: A[N[K] & keyof A] }
  : A[N & keyof A];

/** The gradient of a scalar function, with respect to its first argument by default. */
export function grad<P, Rest extends unknown[]>(
  f: (first: P, ...rest: Rest) => Scalar,
): (first: P, ...rest: Rest) => P;
export function grad<A extends unknown[], X>(
  f: (...args: A) => readonly [Scalar, X],
  options: { readonly hasAux: true },
): (...args: A) => [A[0], X];
export function grad<A extends unknown[], X, const N extends number | readonly number[]>(
  f: (...args: A) => readonly [Scalar, X],
  options: GradOptions<N> & { readonly hasAux: true; readonly argnums: N },
): (...args: A) => [Selected<A, N>, X];
export function grad<A extends unknown[], const N extends number | readonly number[]>(
  f: (...args: A) => Scalar,
  options: GradOptions<N> & { readonly argnums: N },
): (...args: A) => Selected<A, N>;
export function grad(f: (...args: never[]) => unknown, options: object = {}): unknown {
  return (...args: readonly unknown[]) => {
    const { gradient, aux, hasAux } = gradientOf("grad", f, options, args);
    return hasAux ? [gradient, aux] : gradient;
  };
}

/** The value of a scalar function and its gradient. */
export function valueAndGrad<P, Rest extends unknown[], R extends Scalar>(
  f: (first: P, ...rest: Rest) => R,
): (first: P, ...rest: Rest) => [R, P];
export function valueAndGrad<A extends unknown[], R extends Scalar, X>(
  f: (...args: A) => readonly [R, X],
  options: { readonly hasAux: true },
): (...args: A) => [[R, X], A[0]];
export function valueAndGrad<
  A extends unknown[],
  R extends Scalar,
  X,
  const N extends number | readonly number[],
>(
  f: (...args: A) => readonly [R, X],
  options: GradOptions<N> & { readonly hasAux: true; readonly argnums: N },
): (...args: A) => [[R, X], Selected<A, N>];
export function valueAndGrad<
  A extends unknown[],
  R extends Scalar,
  const N extends number | readonly number[],
>(
  f: (...args: A) => R,
  options: GradOptions<N> & { readonly argnums: N },
): (...args: A) => [R, Selected<A, N>];
export function valueAndGrad(f: (...args: never[]) => unknown, options: object = {}): unknown {
  return (...args: readonly unknown[]) => {
    const { value, gradient, aux, hasAux } = gradientOf("valueAndGrad", f, options, args);
    return [hasAux ? [value, aux] : value, gradient];
  };
}

/**
 * `[y, dy]`: the value at `primals` and the derivative along `tangents`, which have their lengths.
 * Throws a `RangeError` where they have not.
 */
export function jvp<A extends unknown[], R>(
  f: (...args: A) => R,
  primals: readonly [...A],
  tangents: readonly [...A],
): [R, R] {
  return eagerJvp("jvp", f, primals, tangents) as [R, R];
}

/** `[y, pullback]`: `pullback(w)` is the tuple of cotangents, one an argument. */
export function vjp<A extends unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): [R, (cotangent: R) => A] {
  return eagerVjp("vjp", f, primals) as [R, (cotangent: R) => A];
}

/** `[y, pushforward]`: `pushforward(…tangents)` is the derivative along them. */
export function linearize<A extends unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): [R, (...tangents: A) => R] {
  const [value, pushforward] = eagerLinearize("linearize", f, primals);
  return [value as R, (...tangents) => pushforward(...tangents) as R];
}

/** The Jacobian as the compiler gives it: rows for typed arrays, `[…out, …in]` for tensors. */
export type Jacobian<X, Y> = [X, Y] extends [Tensor<infer S, infer D>, Tensor<infer T, infer _E>]
  ? Tensor<[...T, ...S] extends infer J extends Shape ? J : never, D>
  : X extends number
    ? Y
    : Y extends number
      ? X
      : X[];

/** The Jacobian by forward mode, one column a time: for few inputs. */
export function jacfwd<A extends unknown[], R>(
  f: (...args: A) => R,
  options: GradOptions<number> = {},
): (...args: A) => Jacobian<A[0], R> {
  return (...args) => jacobianOf("jacfwd", f, options, args) as Jacobian<A[0], R>;
}

/** The Jacobian by reverse mode, one row a time: for few outputs. */
export function jacrev<A extends unknown[], R>(
  f: (...args: A) => R,
  options: GradOptions<number> = {},
): (...args: A) => Jacobian<A[0], R> {
  return (...args) => jacobianOf("jacrev", f, options, args) as Jacobian<A[0], R>;
}

/** The matrix of second derivatives of a scalar function, by rows. */
export function hessian<A extends unknown[]>(
  f: (...args: A) => Scalar,
  options: GradOptions<number> = {},
): (...args: A) => Jacobian<A[0], A[0]> {
  return (...args) => jacobianOf("hessian", f, options, args) as Jacobian<A[0], A[0]>;
}

/** The Hessian times a vector, without the Hessian. */
export function hvp<P>(f: (x: P) => Scalar): (x: P, v: P) => P {
  const gradient = grad(f as (x: P) => Scalar);
  return (x, v) => (eagerJvp("hvp", gradient, [x], [v]) as readonly [P, P])[1];
}

export interface VmapOptions {
  /** The axis of each argument to map over; null for none. Default 0. */
  readonly inAxes?: number | null | readonly (number | null)[];
  /** Where the mapped axis stands in the result. Default 0. */
  readonly outAxes?: number;
}

/** `f` over an axis of its arguments. */
export function vmap<A extends unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: Mapped<A>) => Batched<R> {
  return (...args) => eagerVmap("vmap", f, options, args) as Batched<R>;
}

/** Types with one more axis, where they can say it. */
type Batched<T> = T extends number
  ? Float64Array
  : T extends Tensor<infer S, infer D>
    ? Tensor<[Shape[number], ...S], D>
    : T;
type Mapped<A extends unknown[]> = { [K in keyof A]: A[K] | Batched<A[K]> };

/** The value, with no derivative through it. */
export function stopGradient<T>(x: T): T {
  return typeof x === "object" && x !== null && "stopGradient" in x
    ? ((x as { stopGradient(): unknown }).stopGradient() as T)
    : x;
}

/** `f`, whose adjoint computes again what it needs instead of keeping it. Same values. */
export function checkpoint<F extends (...args: never[]) => unknown>(f: F): F {
  return f;
}

/** A cotangent for each argument, or none. */
type Cotangents<A extends unknown[]> = { readonly [K in keyof A]: A[K] | undefined | null };

/**
 * `f` with a derivative of its own: `rule(primals, tangents)` gives `[y, dy]`, and `dy` is linear in
 * the tangents. Reverse mode follows from it. What `rule` captures is held constant.
 */
export function customJvp<A extends unknown[], R>(
  f: (...args: A) => R,
  rule: (primals: A, tangents: A) => readonly [R, R],
): (...args: A) => R {
  void rule;
  return f;
}

/** The two halves of a reverse rule. */
export interface VjpRule<A extends unknown[], R, S> {
  /** The value, and what `bwd` needs. */
  readonly fwd: (...primals: A) => readonly [R, S];
  /** A cotangent for each argument from that of the result, linear in it; none is zero. */
  readonly bwd: (residuals: S, cotangent: R) => Cotangents<A>;
}

/** `f` with a reverse rule of its own. Forward mode follows from it. */
export function customVjp<A extends unknown[], R, S>(
  f: (...args: A) => R,
  rule: VjpRule<A, R, S>,
): (...args: A) => R {
  void rule;
  return f;
}

/**
 * The function `(…params) => x` of `solve(…params)`, with the derivative that follows from
 * `residual(x, …params) = 0`: `dx = −(∂r/∂x)⁻¹ (∂r/∂p) dp`. How `solve` finds `x` does not matter.
 * The residual has the structure of `x`; ∂r/∂x must be invertible, else the derivative is not
 * finite.
 */
export function implicit<A extends unknown[], X>(
  residual: (x: X, ...params: A) => X,
  solve: (...params: A) => X,
): (...params: A) => X {
  void residual;
  return solve;
}
