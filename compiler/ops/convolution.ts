/**
 * Convolution with 1 to 3 spatial axes, and its two transposes; together closed under
 * differentiation.
 *
 *   y[n,p,o] = Σ_q Σ_c x[n, p·stride + q·dilation - low, g·C/G + c] · k[q,c,o],  g = group of o
 *
 * Layouts: x [N, …spatial, C], k [...window, C/groups, O], y [N, …spatial, O]. What lies outside
 * x is zero. One walk over all (x, k, y) triples gives the meaning of all three.
 */

import {
  type Dim,
  dimText,
  exactQuotient,
  multiplyDims,
  sameDim,
  sameShape,
  shapeText,
} from "../ir/dim.ts";
import { forEachIndex, offsetOf, stridesOf } from "../ir/ndarray.ts";
import { arrayType, type Parameters, type Shape, type Value } from "../ir/types.ts";
import { defineOp, fault, type Batching } from "./define.ts";
import { byLoop, foldFirst, moveAxis, unfoldFirst } from "./support/batching.ts";
import { dimensions, integer, integers } from "./support/parameters.ts";
import { fill, outputOf } from "./support/reference.ts";
import { wave } from "./support/samples.ts";
import { expectDtype, expectSameDtype, floats, two, windowCount } from "./support/types.ts";

interface Settings {
  readonly stride: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

export const conv = defineOp({
  name: "conv",
  summary: "Convolution of images with filters",
  laws: { costly: true },
  type: (inputs, parameters) => {
    const [x, k] = two(inputs);
    expectSameDtype(x, k);
    expectDtype(x, floats);
    return [arrayType(x.dtype, convolvedShape(x.shape, k.shape, settingsOf(parameters)))];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, k] = two(inputs);
      const sums = new Float64Array(out.length);
      forEachTriple(
        x.shape,
        k.shape,
        outputOf(context).shape,
        settingsOf(parameters),
        (i, j, o) => {
          sums[o] = (sums[o] as number) + (x.data[i] as number) * (k.data[j] as number);
        },
      );
      out.set(sums);
    }),
  derivative: {
    kind: "multilinear",
    transposes: [
      ({ builder, inputs, equation }, w) => {
        const [x, k] = two(inputs);
        const input = spatial(x.type.shape);
        return builder.one("conv_input", [w, k], { ...settings(equation.parameters), input });
      },
      ({ builder, inputs, equation }, w) => {
        const [x, k] = two(inputs);
        const window = k.type.shape.slice(0, -2);
        return builder.one("conv_filter", [x, w], { ...settings(equation.parameters), window });
      },
    ],
  },
  batch: (context, inputs, batched) => {
    const { builder, equation, size } = context;
    const [x, k] = two(inputs);
    if (!batched[1]) return foldBatch(context, inputs, batched);
    if (batched[0]) return byLoop(context, inputs, batched);
    // Only the filters: as more output channels, within each group [B, O/g].
    const { groups } = settingsOf(equation.parameters);
    const [, ...filter] = k.type.shape;
    const channels = filter.at(-1) as Dim;
    const perGroup = divided(channels, groups);
    const split = builder.reshape(k, [size, ...filter.slice(0, -1), groups, perGroup]);
    const inner = moveAxis(builder, split, 0, split.type.shape.length - 2);
    const wide = builder.reshape(inner, [...filter.slice(0, -1), multiplyDims(size, channels)]);
    const y = builder.one("conv", [x, wide], equation.parameters);
    const front = y.type.shape.slice(0, -1);
    const parts = builder.reshape(y, [...front, groups, size, perGroup]);
    const moved = moveAxis(builder, parts, front.length + 1, 0);
    return [builder.reshape(moved, [size, ...front, channels])];
  },
  lower: { kind: "schedule" },
  samples: [
    ...geometries().map(({ x, k, parameters, note }) => ({
      inputs: [wave("f64", x), wave("f64", k, 1)],
      parameters,
      note,
    })),
    ...geometries().map(({ x, k, parameters, note }) => ({
      inputs: [wave("f16", x), wave("f16", k, 1)],
      parameters,
      note,
      differentiate: [],
    })),
  ],
});

export const conv_input = defineOp({
  name: "conv_input",
  summary: "The transpose of a convolution in its images",
  laws: { costly: true },
  type: (inputs, parameters) => {
    const [y, k] = two(inputs);
    expectSameDtype(y, k);
    expectDtype(y, floats);
    const options = settingsOf(parameters);
    const channels = multiplyDims(k.shape.at(-2) as Dim, options.groups);
    const shape = [y.shape[0] as Dim, ...dimensions(parameters, "input"), channels];
    expectConvolved(shape, k.shape, y.shape, options);
    return [arrayType(y.dtype, shape)];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [y, k] = two(inputs);
      const sums = new Float64Array(out.length);
      forEachTriple(
        outputOf(context).shape,
        k.shape,
        y.shape,
        settingsOf(parameters),
        (i, j, o) => {
          sums[i] = (sums[i] as number) + (y.data[o] as number) * (k.data[j] as number);
        },
      );
      out.set(sums);
    }),
  derivative: {
    kind: "multilinear",
    transposes: [
      ({ builder, inputs, equation }, w) =>
        builder.one("conv", [w, inputs[1] as Value], settings(equation.parameters)),
      ({ builder, inputs, equation }, w) => {
        const [y, k] = two(inputs);
        const window = k.type.shape.slice(0, -2);
        return builder.one("conv_filter", [w, y], { ...settings(equation.parameters), window });
      },
    ],
  },
  batch: (context, inputs, batched) =>
    batched[1] ? byLoop(context, inputs, batched) : foldBatch(context, inputs, batched),
  lower: { kind: "schedule" },
  samples: geometries().map(({ x, k, y, parameters, note }) => ({
    inputs: [wave("f64", y), wave("f64", k, 1)],
    parameters: { ...parameters, input: x.slice(1, -1) },
    note,
  })),
});

export const conv_filter = defineOp({
  name: "conv_filter",
  summary: "The transpose of a convolution in its filters",
  laws: { costly: true },
  type: (inputs, parameters) => {
    const [x, y] = two(inputs);
    expectSameDtype(x, y);
    expectDtype(x, floats);
    const options = settingsOf(parameters);
    const channels = divided(x.shape.at(-1) as Dim, options.groups);
    const shape = [...integers(parameters, "window"), channels, y.shape.at(-1) as Dim];
    expectConvolved(x.shape, shape, y.shape, options);
    return [arrayType(x.dtype, shape)];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, y] = two(inputs);
      const sums = new Float64Array(out.length);
      forEachTriple(
        x.shape,
        outputOf(context).shape,
        y.shape,
        settingsOf(parameters),
        (i, j, o) => {
          sums[j] = (sums[j] as number) + (x.data[i] as number) * (y.data[o] as number);
        },
      );
      out.set(sums);
    }),
  derivative: {
    kind: "multilinear",
    transposes: [
      ({ builder, inputs, equation }, w) => {
        const [x, y] = two(inputs);
        const input = spatial(x.type.shape);
        return builder.one("conv_input", [y, w], { ...settings(equation.parameters), input });
      },
      ({ builder, inputs, equation }, w) =>
        builder.one("conv", [inputs[0] as Value, w], settings(equation.parameters)),
    ],
  },
  batch: (context, inputs, batched) => byLoop(context, inputs, batched),
  lower: { kind: "schedule" },
  samples: geometries().map(({ x, k, y, parameters, note }) => ({
    inputs: [wave("f64", x), wave("f64", y, 1)],
    parameters: { ...parameters, window: k.slice(0, -2) },
    note,
  })),
});

function settingsOf(parameters: Parameters): Settings {
  return {
    stride: integers(parameters, "stride"),
    low: integers(parameters, "low"),
    high: integers(parameters, "high"),
    dilation: integers(parameters, "dilation"),
    groups: integer(parameters, "groups"),
  };
}

/** The parameters that the three share. */
function settings(parameters: Parameters): Parameters {
  return { ...settingsOf(parameters) };
}

function spatial(shape: Shape): Shape {
  return shape.slice(1, -1);
}

/** The exact quotient of channels by groups. */
function divided(channels: Dim, groups: number): Dim {
  const quotient = exactQuotient(channels, groups);
  return quotient ?? fault(`${dimText(channels)} channels cannot be divided into ${groups} groups`);
}

function convolvedShape(x: Shape, k: Shape, options: Settings): Shape {
  const rank = options.stride.length;
  if (rank < 1 || rank > 3) fault(`a convolution has 1 to 3 spatial axes, and this one ${rank}`);
  if (x.length !== rank + 2 || k.length !== rank + 2) {
    fault(
      `a convolution over ${rank} axes needs images and filters of rank ${rank + 2}: ` +
        `their shapes are ${shapeText(x)} and ${shapeText(k)}`,
    );
  }
  const channels = divided(x.at(-1) as Dim, options.groups);
  const outputs = k.at(-1) as Dim;
  divided(outputs, options.groups);
  if (!sameDim(channels, k.at(-2) as Dim)) {
    fault(
      `the filters read ${dimText(k.at(-2) as Dim)} channels, and the images have ` +
        `${dimText(channels)}${options.groups > 1 ? " in each group" : ""}`,
    );
  }
  const extents = spatial(x).map((dim, axis) => {
    const window = k[axis];
    if (typeof window !== "number" || window < 1) {
      return fault(`the window of a filter must be a known positive extent: ${shapeText(k)}`);
    }
    return windowCount(dim, {
      extent: (window - 1) * at(options.dilation, axis) + 1,
      stride: at(options.stride, axis),
      low: at(options.low, axis),
      high: at(options.high, axis),
    });
  });
  return [x[0] as Dim, ...extents, outputs];
}

function expectConvolved(x: Shape, k: Shape, y: Shape, options: Settings): void {
  const expected = convolvedShape(x, k, options);
  if (!sameShape(expected, y)) {
    fault(
      `images of shape ${shapeText(x)} and filters of shape ${shapeText(k)} give ` +
        `${shapeText(expected)}, not ${shapeText(y)}`,
    );
  }
}

/** Positions in x, k and y of every product of the convolution. */
function forEachTriple(
  x: readonly number[],
  k: readonly number[],
  y: readonly number[],
  options: Settings,
  visit: (x: number, k: number, y: number) => void,
): void {
  const [inner, outer] = [at(k, k.length - 2), at(k, k.length - 1)];
  const perGroup = outer / options.groups;
  const [xStrides, kStrides] = [stridesOf(x), stridesOf(k)];
  const window = k.slice(0, -2);
  const extents = x.slice(1, -1);
  forEachIndex(y.slice(0, -1), ([n, ...place], pixel) => {
    forEachIndex(window, (offset) => {
      const from = place.map(
        (p, axis) =>
          p * at(options.stride, axis) +
          at(offset, axis) * at(options.dilation, axis) -
          at(options.low, axis),
      );
      if (from.some((i, axis) => i < 0 || i >= at(extents, axis))) return;
      const xBase = offsetOf([n as number, ...from], xStrides);
      const kBase = offsetOf(offset, kStrides);
      for (let o = 0; o < outer; o++) {
        const group = Math.floor(o / perGroup) * inner;
        for (let c = 0; c < inner; c++) {
          visit(xBase + group + c, kBase + c * outer + o, pixel * outer + o);
        }
      }
    });
  });
}

function at(list: readonly number[], k: number): number {
  return list[k] as number;
}

/** A batch of images or of results: more of them. */
const foldBatch: Extract<Batching, (...inputs: never[]) => unknown> = (context, inputs) => {
  const { builder, equation, size } = context;
  const [images, filters] = two(inputs);
  const count = images.type.shape[1] as Dim;
  const all = [foldFirst(builder, images), filters];
  const [result] = builder.emit(equation.op, all, equation.parameters);
  return [unfoldFirst(builder, result as Value, size, count)];
};

interface Geometry {
  readonly x: readonly number[];
  readonly k: readonly number[];
  readonly y: readonly number[];
  readonly parameters: Parameters;
  readonly note: string;
}

function geometries(): readonly Geometry[] {
  const one = (
    note: string,
    x: readonly number[],
    k: readonly number[],
    changes: Partial<Settings> = {},
  ): Geometry => {
    const each = (value: number): readonly number[] => k.slice(2).map(() => value);
    const options: Settings = {
      stride: each(1),
      low: each(0),
      high: each(0),
      dilation: each(1),
      groups: 1,
      ...changes,
    };
    const y = convolvedShape(x, k, options) as readonly number[];
    return { x, k, y, parameters: { ...options }, note };
  };
  return [
    one("one axis", [2, 6, 2], [3, 2, 3]),
    one("two axes, padded", [1, 4, 5, 2], [3, 2, 2, 3], { low: [1, 0], high: [1, 1] }),
    one("strided, with a rest", [1, 6, 7, 1], [2, 3, 1, 2], { stride: [2, 3], low: [0, 1] }),
    one("dilated", [1, 7, 6, 1], [3, 2, 1, 1], { dilation: [2, 3] }),
    one("groups", [1, 4, 4], [2, 2, 6], { groups: 2, low: [1] }),
    one("depthwise", [2, 3, 3, 3], [2, 2, 1, 3], { groups: 3, stride: [1, 2] }),
    one("three axes", [1, 3, 3, 2, 1], [2, 2, 2, 1, 2], { high: [0, 0, 1] }),
    one("one pixel", [1, 1, 1, 3], [1, 1, 3, 2]),
    one("no images", [0, 3, 2], [2, 2, 1]),
  ];
}
