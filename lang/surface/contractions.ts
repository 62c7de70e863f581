/** Products, convolutions and pools. Images are [batch, height, width, channels]. */

import { type Dim, dimText, sameDim, shapeText } from "../../compiler/ir/dim.ts";
import type { Shape, Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import {
  broadcastShapes,
  matchDtypes,
  option,
  staticNumber,
  stretch,
  SurfaceFault,
  type SurfaceArgument,
  type SurfaceFunction,
  tensorAt,
} from "./support.ts";

/**
 * NumPy's matmul: [m,k]·[k,n], [m,k]·[k], [k]·[k,n], [k]·[k], and batches of matrices in the
 * leading axes.
 */
const matmul: SurfaceFunction = (builder, args) => {
  const [x, y] = matchDtypes(
    builder,
    "matmul",
    tensorAt(builder, "matmul", args, 0),
    tensorAt(builder, "matmul", args, 1),
  );
  const [left, right] = [x.type.shape, y.type.shape];
  if (left.length === 0 || right.length === 0) {
    throw new SurfaceFault(
      `\`matmul\` needs matrices or vectors, and got shapes ${shapeText(left)} and ${shapeText(right)}`,
      [0, 1],
      "use `mul` to scale a tensor by a number",
    );
  }
  const columns = left.at(-1) as Dim;
  const rows = (right.length === 1 ? right[0] : right.at(-2)) as Dim;
  if (!sameDim(columns, rows)) throw mismatch(left, right, columns, rows);
  if (left.length <= 2 || right.length <= 2) {
    // Without batch axes on both sides the leading axes are just more rows, or a plain matrix.
    if (right.length <= 2) {
      return builder.dot(x, y, { contract: [[left.length - 1], [Math.max(0, right.length - 2)]] });
    }
  }
  const batch = broadcastShapes("matmul", left.slice(0, -2), right.slice(0, -2));
  const matrix = left.length === 1 ? [1, columns] : left.slice(-2);
  const wide = builder.reshape(x, left.length === 1 ? matrix : left);
  const axes = batch.map((_, axis) => axis);
  const product = builder.dot(
    stretch(builder, wide, [...batch, ...matrix]),
    stretch(builder, y, [...batch, ...right.slice(-2)]),
    { contract: [[batch.length + 1], [batch.length]], batch: [axes, axes] },
  );
  return left.length === 1 ? builder.reshape(product, [...batch, right.at(-1) as Dim]) : product;
};

function mismatch(left: Shape, right: Shape, columns: Dim, rows: Dim): SurfaceFault {
  const of = left.length === 1 ? "elements" : "columns";
  const to = right.length === 1 ? "elements" : "rows";
  const fix =
    left.length === 2 && sameDim(left[0] as Dim, rows)
      ? "transpose the 1st argument"
      : right.length === 2 && sameDim(right[1] as Dim, columns)
        ? "transpose the 2nd argument"
        : `give the 2nd argument ${dimText(columns)} ${to}, or the 1st ${dimText(rows)} ${of}`;
  return new SurfaceFault(
    `\`matmul\` needs the ${of} of its 1st argument to match the ${to} of its 2nd: ` +
      `${dimText(columns)} and ${dimText(rows)}`,
    [0, 1],
    fix,
    [columns, rows],
  );
}

/** The sum of products over one axis of each: `dot(x, y)` of vectors, or NumPy's `dot`. */
const dot: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "dot", args, 0);
  const y = tensorAt(builder, "dot", args, 1);
  const bare = x.type.shape.length === 0 || y.type.shape.length === 0;
  return bare ? builder.mul(x, y) : matmul(builder, args);
};

const outer: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "outer", args, 0);
  const y = tensorAt(builder, "outer", args, 1);
  return builder.dot(x, y, { contract: [[], []] });
};

/** One number for all spatial axes, or a list of one each. */
function spatial(
  name: string,
  what: string,
  argument: SurfaceArgument,
  rank: number,
  otherwise: number,
) {
  if (argument === undefined) return Array.from({ length: rank }, () => otherwise);
  if (Array.isArray(argument)) {
    if (argument.length !== rank) {
      throw new SurfaceFault(
        `\`${name}\` needs ${rank} numbers as its ${what}, and got ${argument.length}`,
      );
    }
    return argument.map((entry) => staticNumber(name, what, entry));
  }
  const one = staticNumber(name, what, argument);
  return Array.from({ length: rank }, () => one);
}

/**
 * Zeros to put around: "valid" none, "same" so that the output has ⌈extent/stride⌉ elements (more
 * at the end, as TensorFlow does), a number for all sides, or a pair for each axis.
 */
function padding(
  name: string,
  argument: SurfaceArgument,
  extents: readonly Dim[],
  window: readonly number[],
  stride: readonly number[],
): { readonly low: readonly number[]; readonly high: readonly number[] } {
  if (argument === undefined || argument === "valid") {
    return { low: window.map(() => 0), high: window.map(() => 0) };
  }
  if (argument === "same") {
    const total = window.map((size, k) => {
      const step = stride[k] as number;
      const extent = extents[k] as Dim;
      if (step === 1) return size - 1;
      if (typeof extent !== "number") {
        throw new SurfaceFault(
          `\`${name}\` with "same" padding and a stride needs extents known at compile time`,
          [0],
          "give the padding as numbers",
        );
      }
      return Math.max((Math.ceil(extent / step) - 1) * step + size - extent, 0);
    });
    return {
      low: total.map((sum) => Math.floor(sum / 2)),
      high: total.map((sum) => Math.ceil(sum / 2)),
    };
  }
  if (Array.isArray(argument) && argument.some((entry) => Array.isArray(entry))) {
    const pairs = argument.map((pair) => spatial(name, "padding", pair, 2, 0));
    return {
      low: pairs.map((pair) => pair[0] as number),
      high: pairs.map((pair) => pair[1] as number),
    };
  }
  const sides = spatial(name, "padding", argument, window.length, 0);
  return { low: sides, high: sides };
}

/** `conv1d`, `conv2d`, `conv3d`: x [N, …S, C] with filters [...K, C/groups, O]. */
function convolution(rank: number): SurfaceFunction {
  const name = `conv${rank}d`;
  return (builder, args) => {
    const x = tensorAt(builder, name, args, 0);
    const filters = tensorAt(builder, name, args, 1);
    for (const [position, tensor] of [x, filters].entries()) {
      if (tensor.type.shape.length === rank + 2) continue;
      const wanted =
        position === 0 ? "[batch, …extents, channels]" : "[…window, channels, outputs]";
      throw new SurfaceFault(
        `\`${name}\` needs ${wanted}, ${rank + 2} axes, and got shape ${shapeText(tensor.type.shape)}`,
        [position],
      );
    }
    const options = args[2];
    const stride = spatial(name, "stride", option(options, "stride"), rank, 1);
    const dilation = spatial(name, "dilation", option(options, "dilation"), rank, 1);
    const asked = option(options, "groups");
    const groups = asked === undefined ? 1 : staticNumber(name, "groups", asked);
    const window = filters.type.shape.slice(0, rank).map((extent, k) => {
      if (typeof extent === "number") return (extent - 1) * (dilation[k] as number) + 1;
      throw new SurfaceFault(`\`${name}\` needs filters of a known size`, [1]);
    });
    const channels = x.type.shape.at(-1) as Dim;
    const taken = filters.type.shape.at(-2) as Dim;
    if (typeof channels !== "number" || typeof taken !== "number" || taken * groups !== channels) {
      throw new SurfaceFault(
        `\`${name}\` needs filters for the channels of its 1st argument: ` +
          `${dimText(channels)} channels in ${groups} groups, and filters for ${dimText(taken)}`,
        [0, 1],
      );
    }
    const extents = x.type.shape.slice(1, -1);
    const { low, high } = padding(name, option(options, "padding"), extents, window, stride);
    return builder.one("conv", [x, filters], { stride, low, high, dilation, groups });
  };
}

/** Windows over the spatial axes of [N, …S, C]. */
function pool(
  name: string,
  rank: number,
  compute: (
    builder: GraphBuilder,
    x: Value,
    parameters: {
      readonly window: readonly number[];
      readonly stride: readonly number[];
      readonly low: readonly number[];
      readonly high: readonly number[];
    },
  ) => Value,
): SurfaceFunction {
  return (builder, args) => {
    const x = tensorAt(builder, name, args, 0);
    if (x.type.shape.length !== rank + 2) {
      throw new SurfaceFault(
        `\`${name}\` needs [batch, …extents, channels], ${rank + 2} axes, and got shape ` +
          shapeText(x.type.shape),
        [0],
      );
    }
    const window = spatial(name, "window", args[1], rank, 2);
    const step = option(args[2], "stride");
    const stride = step === undefined ? window : spatial(name, "stride", step, rank, 1);
    const extents = x.type.shape.slice(1, -1);
    const { low, high } = padding(name, option(args[2], "padding"), extents, window, stride);
    return compute(builder, x, { window, stride, low, high });
  };
}

const maxPool = (name: string, rank: number): SurfaceFunction =>
  pool(name, rank, (builder, x, parameters) => builder.one("window_max", [x], parameters));

/** The mean over the elements of a window that lie inside. */
const meanPool = (name: string, rank: number): SurfaceFunction =>
  pool(name, rank, (builder, x, parameters) => {
    const total = builder.one("window_sum", [x], parameters);
    if ([...parameters.low, ...parameters.high].every((side) => side === 0)) {
      return builder.mul(total, 1 / parameters.window.reduce((a, b) => a * b, 1));
    }
    const ones = builder.full(x.type.shape, 1, x.type.dtype);
    return builder.div(total, builder.one("window_sum", [ones], parameters));
  });

export const contractions: Readonly<Record<string, SurfaceFunction>> = {
  matmul,
  dot,
  outer,
  conv1d: convolution(1),
  conv2d: convolution(2),
  conv3d: convolution(3),
  maxPool1d: maxPool("maxPool1d", 1),
  maxPool2d: maxPool("maxPool2d", 2),
  avgPool1d: meanPool("avgPool1d", 1),
  avgPool2d: meanPool("avgPool2d", 2),
};
