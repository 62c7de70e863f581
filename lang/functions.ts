/** The tensor functions of the language as free functions: `matmul(x, w)` is `x.matmul(w)`. */

import { applyEagerly, mapEagerly, treeMapEagerly } from "./eager.ts";
import type { AnyShape, DType, Dim, ReduceOptions, Shape, ShapeFrom, Tensor } from "./types.ts";

type Any = Tensor<AnyShape, DType>;

type Unary = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>;
interface Binary {
  <S extends Shape, D extends DType>(x: number, y: Tensor<S, D>): Tensor<S, D>;
  <S extends Shape, D extends DType>(
    x: Tensor<S, D> | number,
    y: Tensor<AnyShape, D> | number,
  ): Tensor<S, D>;
}
type Comparison = <S extends Shape, D extends DType>(
  x: Tensor<S, D> | number,
  y: Tensor<AnyShape, D> | number,
) => Tensor<S, "bool">;
type Reduction = <D extends DType>(
  x: Tensor<AnyShape, D>,
  axis?: number | readonly number[],
  options?: ReduceOptions,
) => Tensor<AnyShape, D>;
type Along = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis?: number) => Tensor<S, D>;

function free<F>(name: string): F {
  const call = (...args: readonly unknown[]): unknown => applyEagerly(name, args);
  return call as F;
}

export const neg = free<Unary>("neg");
export const abs = free<Unary>("abs");
export const sign = free<Unary>("sign");
export const floor = free<Unary>("floor");
export const ceil = free<Unary>("ceil");
export const round = free<Unary>("round");
export const trunc = free<Unary>("trunc");
export const sqrt = free<Unary>("sqrt");
export const rsqrt = free<Unary>("rsqrt");
export const cbrt = free<Unary>("cbrt");
export const square = free<Unary>("square");
export const reciprocal = free<Unary>("reciprocal");
export const exp = free<Unary>("exp");
export const expm1 = free<Unary>("expm1");
export const log = free<Unary>("log");
export const log1p = free<Unary>("log1p");
export const log2 = free<Unary>("log2");
export const log10 = free<Unary>("log10");
export const sin = free<Unary>("sin");
export const cos = free<Unary>("cos");
export const tan = free<Unary>("tan");
export const asin = free<Unary>("asin");
export const acos = free<Unary>("acos");
export const atan = free<Unary>("atan");
export const sinh = free<Unary>("sinh");
export const cosh = free<Unary>("cosh");
export const tanh = free<Unary>("tanh");
export const asinh = free<Unary>("asinh");
export const acosh = free<Unary>("acosh");
export const atanh = free<Unary>("atanh");
export const erf = free<Unary>("erf");
export const relu = free<Unary>("relu");
export const sigmoid = free<Unary>("sigmoid");
export const logicalNot = free<Unary>("logicalNot");
export const isNaN =
  free<<S extends Shape>(x: Tensor<S, "f16" | "f32" | "f64">) => Tensor<S, "bool">>("isNaN");

export const add = free<Binary>("add");
export const sub = free<Binary>("sub");
export const mul = free<Binary>("mul");
export const div = free<Binary>("div");
export const rem = free<Binary>("rem");
export const pow = free<Binary>("pow");
export const atan2 = free<Binary>("atan2");
export const hypot = free<Binary>("hypot");
export const maximum = free<Binary>("maximum");
export const minimum = free<Binary>("minimum");
export const logicalAnd = free<Binary>("logicalAnd");
export const logicalOr = free<Binary>("logicalOr");
export const logicalXor = free<Binary>("logicalXor");
export const bitwiseAnd = free<Binary>("bitwiseAnd");
export const bitwiseOr = free<Binary>("bitwiseOr");
export const bitwiseXor = free<Binary>("bitwiseXor");
export const leftShift = free<Binary>("leftShift");
export const rightShift = free<Binary>("rightShift");
export const equal = free<Comparison>("equal");
export const notEqual = free<Comparison>("notEqual");
export const less = free<Comparison>("less");
export const lessEqual = free<Comparison>("lessEqual");
export const greater = free<Comparison>("greater");
export const greaterEqual = free<Comparison>("greaterEqual");

/** `x` where the condition holds, else `y`; shapes combine as in NumPy. */
export const where =
  free<
    <D extends DType>(
      condition: Tensor<AnyShape, "bool">,
      x: Tensor<AnyShape, D> | number,
      y: Tensor<AnyShape, D> | number,
    ) => Tensor<AnyShape, D>
  >("where");
export const clip =
  free<
    <S extends Shape, D extends DType>(x: Tensor<S, D>, low: number, high: number) => Tensor<S, D>
  >("clip");
export const cast =
  free<<S extends Shape, E extends DType>(x: Tensor<S, DType>, dtype: E) => Tensor<S, E>>("cast");

export const sum = free<Reduction>("sum");
export const prod = free<Reduction>("prod");
export const mean = free<Reduction>("mean");
export const variance = free<Reduction>("variance");
export const max = free<Reduction>("max");
export const min = free<Reduction>("min");
export const any = free<Reduction>("any");
export const all = free<Reduction>("all");
export const logSumExp = free<Reduction>("logSumExp");
export const argmax = free<(x: Any, axis?: number) => Tensor<AnyShape, "i32">>("argmax");
export const argmin = free<(x: Any, axis?: number) => Tensor<AnyShape, "i32">>("argmin");
export const cumsum = free<Along>("cumsum");
export const softmax = free<Along>("softmax");
export const logSoftmax = free<Along>("logSoftmax");

/** NumPy's `matmul`. */
export const matmul = free<{
  <M extends Dim, K extends Dim, N extends Dim, D extends DType>(
    x: Tensor<[M, K], D>,
    y: Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[M, N], D>;
  <M extends Dim, K extends Dim, D extends DType>(
    x: Tensor<[M, K], D>,
    y: Tensor<[NoInfer<K>], D>,
  ): Tensor<[M], D>;
  <K extends Dim, N extends Dim, D extends DType>(
    x: Tensor<[K], D>,
    y: Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[N], D>;
  <B extends Dim, M extends Dim, K extends Dim, N extends Dim, D extends DType>(
    x: Tensor<[B, M, K], D>,
    y: Tensor<[NoInfer<B>, NoInfer<K>, N], D> | Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[B, M, N], D>;
}>("matmul");
export const dot =
  free<<D extends DType>(x: Tensor<AnyShape, D>, y: Tensor<AnyShape, D>) => Tensor<AnyShape, D>>(
    "dot",
  );
export const outer =
  free<
    <M extends Dim, N extends Dim, D extends DType>(
      x: Tensor<[M], D>,
      y: Tensor<[N], D>,
    ) => Tensor<[M, N], D>
  >("outer");

/** Options of convolutions; a number stands for all spatial axes. */
export interface ConvolutionOptions {
  readonly stride?: number | readonly number[];
  /** "valid": none. "same": ⌈extent / stride⌉ outputs. Else zeros on each side. */
  readonly padding?: "valid" | "same" | number | readonly (readonly [number, number])[];
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
}
export interface PoolOptions {
  /** Default: the window. */
  readonly stride?: number | readonly number[];
  readonly padding?: "valid" | "same" | number | readonly (readonly [number, number])[];
}
type Pool = <D extends DType>(
  x: Tensor<AnyShape, D>,
  window: number | readonly number[],
  options?: PoolOptions,
) => Tensor<AnyShape, D>;

/** x [batch, length, in] with filters [window, in / groups, out]. */
export const conv1d =
  free<
    <B extends Dim, O extends Dim, D extends DType>(
      x: Tensor<[B, AnyShape, AnyShape], D>,
      filters: Tensor<[AnyShape, AnyShape, O], D>,
      options?: ConvolutionOptions,
    ) => Tensor<[B, AnyShape, O], D>
  >("conv1d");
/** x [batch, height, width, in] with filters [height, width, in / groups, out]. */
export const conv2d =
  free<
    <B extends Dim, O extends Dim, D extends DType>(
      x: Tensor<[B, AnyShape, AnyShape, AnyShape], D>,
      filters: Tensor<[AnyShape, AnyShape, AnyShape, O], D>,
      options?: ConvolutionOptions,
    ) => Tensor<[B, AnyShape, AnyShape, O], D>
  >("conv2d");
/** x [batch, depth, height, width, in] with filters [depth, height, width, in / groups, out]. */
export const conv3d =
  free<
    <D extends DType>(
      x: Tensor<AnyShape, D>,
      filters: Tensor<AnyShape, D>,
      options?: ConvolutionOptions,
    ) => Tensor<AnyShape, D>
  >("conv3d");
export const maxPool1d = free<Pool>("maxPool1d");
export const maxPool2d = free<Pool>("maxPool2d");
/** The mean of the elements of each window that lie inside. */
export const avgPool1d = free<Pool>("avgPool1d");
export const avgPool2d = free<Pool>("avgPool2d");

export const reshape =
  free<
    <D extends DType, const T extends Shape>(
      x: Tensor<AnyShape, D>,
      shape: T,
    ) => Tensor<ShapeFrom<T>, D>
  >("reshape");
export const transpose =
  free<<D extends DType>(x: Tensor<AnyShape, D>, order?: readonly number[]) => Tensor<AnyShape, D>>(
    "transpose",
  );
export const broadcastTo =
  free<
    <D extends DType, const T extends Shape>(
      x: Tensor<AnyShape, D>,
      shape: T,
    ) => Tensor<ShapeFrom<T>, D>
  >("broadcastTo");
type List = <D extends DType>(
  tensors: readonly Tensor<AnyShape, D>[],
  axis?: number,
) => Tensor<AnyShape, D>;
/** Tensors end to end along an axis, the first by default. */
export const concat = free<List>("concat");
/** Tensors of one shape along a new axis, the first by default. */
export const stack = free<List>("stack");
export const take =
  free<
    <D extends DType>(
      x: Tensor<AnyShape, D>,
      indices: Tensor<AnyShape, "i32">,
      axis?: number,
    ) => Tensor<AnyShape, D>
  >("take");

type Filled = <const T extends Shape, D extends DType = "f32">(
  shape: T,
  dtype?: D,
) => Tensor<ShapeFrom<T>, D>;
export const zeros = free<Filled>("zeros");
export const ones = free<Filled>("ones");
export const full =
  free<
    <const T extends Shape, D extends DType = "f32">(
      shape: T,
      value: number,
      dtype?: D,
    ) => Tensor<ShapeFrom<T>, D>
  >("full");
export const zerosLike = free<Unary>("zerosLike");
export const onesLike = free<Unary>("onesLike");
/** 0 … n-1 */
export const arange =
  free<<N extends Dim, D extends DType = "f32">(n: N, dtype?: D) => Tensor<[N], D>>("arange");
/** The identity matrix. */
export const eye =
  free<<N extends Dim, D extends DType = "f32">(n: N, dtype?: D) => Tensor<[N, N], D>>("eye");
/** A new last axis that is 1 at the index and 0 elsewhere. */
export const oneHot =
  free<
    <C extends Dim, D extends DType = "f32">(
      indices: Tensor<AnyShape, "i32">,
      classes: C,
      dtype?: D,
    ) => Tensor<AnyShape, D>
  >("oneHot");
/** Threefry-2x32 of the counters 0, 1, … under a key. */
export const randomBits =
  free<<const T extends Shape>(key: Tensor<[2], "u32">, shape: T) => Tensor<ShapeFrom<T>, "u32">>(
    "randomBits",
  );

/**
 * An operation of the compiler's table by name, for what has no function of its own. Derivatives
 * that `fluxion explain --stage ts` prints use it; `compiler/ops/` says what each means.
 */
export const primitive =
  free<
    (
      op: string,
      inputs: readonly Tensor<AnyShape, AnyShape>[],
      parameters?: Readonly<Record<string, unknown>>,
    ) => Tensor<AnyShape, AnyShape>
  >("primitive");

/**
 * A function of numbers at each index of tensors of one shape: one fused loop, whatever the
 * function does. Literals take the dtype of the tensors.
 */
export function map<S extends Shape, D extends DType>(
  f: (...elements: number[]) => number,
  first: Tensor<S, D>,
  ...rest: readonly Tensor<AnyShape, DType>[]
): Tensor<S, D> {
  return mapEagerly(f, [first, ...rest]) as unknown as Tensor<S, D>;
}

/** The leaves of records, tuples and lists of tensors of one structure, combined one by one. */
export function treeMap<P>(
  f: (...leaves: Tensor<AnyShape>[]) => Tensor<AnyShape>,
  tree: P,
  ...rest: readonly P[]
): P {
  return treeMapEagerly(f as (...leaves: readonly unknown[]) => unknown, [tree, ...rest]) as P;
}
