/**
 * Sums and maxima over sliding windows of the spatial axes of [N, …spatial, C], with the ops that
 * their derivatives need. Padding counts as 0 in sums and as -∞ in maxima.
 *
 * The derivative of a maximum goes to the first maximal element of each window.
 */

import { type Dim, sameShape, shapeText } from "../ir/dim.ts";
import { forEachIndex, offsetOf, stridesOf } from "../ir/ndarray.ts";
import { arrayType, type Parameters, type Shape, type Value } from "../ir/types.ts";
import { defineOp, fault, type Batching, type Sample } from "./define.ts";
import { foldFirst, repeated, unfoldFirst } from "./support/batching.ts";
import { dimensions, integers } from "./support/parameters.ts";
import { fill, outputOf } from "./support/reference.ts";
import { f64, wave } from "./support/samples.ts";
import { expectDtype, expectSameDtype, floats, one, two, windowCount } from "./support/types.ts";

interface Windows {
  readonly window: readonly number[];
  readonly stride: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export const window_sum = defineOp({
  name: "window_sum",
  summary: "The sum of each window",
  laws: {},
  type: (inputs, parameters) => {
    const x = one(inputs);
    expectDtype(x, floats);
    return [arrayType(x.dtype, windowedShape(x.shape, windowsOf(parameters)))];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const x = one(inputs);
      forEachWindow(x.shape, outputOf(context).shape, parameters, (members, position) => {
        out[position] = members.reduce((sum, from) => sum + (x.data[from] as number), 0);
      });
    }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs, equation }, w) => {
      const input = (inputs[0] as Value).type.shape.slice(1, -1);
      return [builder.one("window_sum_input", [w], { ...equation.parameters, input })];
    },
  },
  batch: foldBatch(),
  lower: { kind: "schedule" },
  samples: windowSamples(),
});

export const window_sum_input = defineOp({
  name: "window_sum_input",
  summary: "The transpose of window_sum: each window's number, added to all of its elements",
  laws: {},
  type: (inputs, parameters) => {
    const y = one(inputs);
    expectDtype(y, floats);
    const shape = [y.shape[0] as Dim, ...dimensions(parameters, "input"), y.shape.at(-1) as Dim];
    expectWindowed(shape, y.shape, parameters);
    return [arrayType(y.dtype, shape)];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const y = one(inputs);
      forEachWindow(outputOf(context).shape, y.shape, parameters, (members, position) => {
        for (const to of members) out[to] = (out[to] as number) + (y.data[position] as number);
      });
    }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, equation }, w) => [
      builder.one("window_sum", [w], { ...windowsOf(equation.parameters) }),
    ],
  },
  batch: foldBatch(),
  lower: { kind: "schedule" },
  samples: windowSamples().map(({ inputs, parameters = {} }) => {
    const { shape, dtype } = one(inputs);
    const windowed = windowedShape(shape, windowsOf(parameters)) as readonly number[];
    return {
      inputs: [wave(dtype, windowed)],
      parameters: { ...parameters, input: shape.slice(1, -1) },
      ...(dtype !== "f64" ? { differentiate: [] } : {}),
    };
  }),
});

export const window_max = defineOp({
  name: "window_max",
  summary: "The greatest element of each window; NaN if one is NaN",
  laws: {},
  type: (inputs, parameters) => {
    const x = one(inputs);
    expectDtype(x, floats);
    return [arrayType(x.dtype, windowedShape(x.shape, windowsOf(parameters)))];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const x = one(inputs);
      forEachWindow(x.shape, outputOf(context).shape, parameters, (members, position) => {
        const best = firstGreatest(x.data, members);
        out[position] = best === undefined ? -Infinity : (x.data[best] as number);
      });
    }),
  derivative: {
    kind: "rules",
    jvp: ({ builder, inputs, equation }, [tangent]) => {
      if (tangent === undefined) return [undefined];
      return [builder.one("window_max_take", [inputs[0] as Value, tangent], equation.parameters)];
    },
    vjp: ({ builder, inputs, equation }, [w]) => {
      if (w === undefined) return [undefined];
      return [builder.one("window_max_grad", [inputs[0] as Value, w], equation.parameters)];
    },
  },
  batch: foldBatch(),
  lower: { kind: "schedule" },
  samples: [
    ...windowSamples(),
    {
      inputs: [f64([1, 1, NaN, 2, NaN, -Infinity, -Infinity, -Infinity], [1, 8, 1])],
      parameters: { window: [2], stride: [1], low: [1], high: [1] },
      differentiate: [],
      note: "ties and special values",
    },
  ],
});

export const window_max_grad = defineOp({
  name: "window_max_grad",
  summary: "Each window's number w, added to the first greatest element of the window in x",
  laws: {},
  type: (inputs, parameters) => {
    const [x, w] = two(inputs);
    expectSameDtype(x, w);
    expectDtype(x, floats);
    expectWindowed(x.shape, w.shape, parameters);
    return [x];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, w] = two(inputs);
      forEachWindow(x.shape, w.shape, parameters, (members, position) => {
        const best = firstGreatest(x.data, members);
        if (best !== undefined) out[best] = (out[best] as number) + (w.data[position] as number);
      });
    }),
  derivative: {
    kind: "linear",
    in: [1],
    transpose: ({ builder, inputs, equation }, w) => [
      builder.one("window_max_take", [inputs[0] as Value, w], equation.parameters),
    ],
  },
  batch: foldBatch(),
  lower: { kind: "schedule" },
  samples: windowSamples().map((sample) => {
    const x = one(sample.inputs);
    const windowed = windowedShape(x.shape, windowsOf(sample.parameters ?? {}));
    const w = wave(x.dtype, windowed as readonly number[], 2);
    return { ...sample, inputs: [x, w], differentiate: x.dtype !== "f64" ? [] : [1] };
  }),
});

export const window_max_take = defineOp({
  name: "window_max_take",
  summary:
    "For each window the element of t where x has its first greatest one; 0 if there is none",
  laws: {},
  type: (inputs, parameters) => {
    const [x, t] = two(inputs);
    expectDtype(x, floats);
    expectSameDtype(x, t);
    if (!sameShape(x.shape, t.shape)) {
      fault(`the operands have different shapes: ${shapeText(x.shape)} and ${shapeText(t.shape)}`);
    }
    return [arrayType(x.dtype, windowedShape(x.shape, windowsOf(parameters)))];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, t] = two(inputs);
      forEachWindow(x.shape, outputOf(context).shape, parameters, (members, position) => {
        const best = firstGreatest(x.data, members);
        out[position] = best === undefined ? 0 : (t.data[best] as number);
      });
    }),
  derivative: {
    kind: "linear",
    in: [1],
    transpose: ({ builder, inputs, equation }, w) => [
      builder.one("window_max_grad", [inputs[0] as Value, w], equation.parameters),
    ],
  },
  batch: foldBatch(),
  lower: { kind: "schedule" },
  samples: windowSamples().map((sample) => {
    const x = one(sample.inputs);
    const t = wave(x.dtype, x.shape, 2);
    return { ...sample, inputs: [x, t], differentiate: x.dtype !== "f64" ? [] : [1] };
  }),
});

function windowsOf(parameters: Parameters): Windows {
  return {
    window: integers(parameters, "window"),
    stride: integers(parameters, "stride"),
    low: integers(parameters, "low"),
    high: integers(parameters, "high"),
  };
}

function windowedShape(x: Shape, windows: Windows): Shape {
  const rank = windows.window.length;
  if (x.length !== rank + 2) {
    fault(`windows over ${rank} axes need a value of rank ${rank + 2}, not ${shapeText(x)}`);
  }
  const extents = windows.window.map((extent, axis) =>
    windowCount(x[axis + 1] as Dim, {
      extent,
      stride: windows.stride[axis] as number,
      low: windows.low[axis] as number,
      high: windows.high[axis] as number,
    }),
  );
  return [x[0] as Dim, ...extents, x.at(-1) as Dim];
}

function expectWindowed(x: Shape, y: Shape, parameters: Parameters): void {
  const expected = windowedShape(x, windowsOf(parameters));
  if (!sameShape(expected, y)) {
    fault(
      `the windows of a value of shape ${shapeText(x)} have shape ${shapeText(expected)}, ` +
        `not ${shapeText(y)}`,
    );
  }
}

/** For each window its position in y and the positions in x of its elements, in row-major order. */
function forEachWindow(
  x: readonly number[],
  y: readonly number[],
  parameters: Parameters,
  visit: (members: readonly number[], position: number) => void,
): void {
  const { window, stride, low } = windowsOf(parameters);
  const strides = stridesOf(x);
  forEachIndex(y, (index, position) => {
    const [n, c] = [index[0] as number, index.at(-1) as number];
    const members: number[] = [];
    forEachIndex(window, (offset) => {
      const place = offset.map(
        (q, axis) =>
          (index[axis + 1] as number) * (stride[axis] as number) + q - (low[axis] as number),
      );
      if (place.every((i, axis) => i >= 0 && i < (x[axis + 1] as number))) {
        members.push(offsetOf([n, ...place, c], strides));
      }
    });
    visit(members, position);
  });
}

/** The first position of the greatest number, or of the first NaN; undefined of none. */
function firstGreatest(data: ArrayLike<number>, members: readonly number[]): number | undefined {
  let best = members[0];
  for (const position of members) {
    const [value, greatest] = [data[position] as number, data[best as number] as number];
    if (value > greatest || (Number.isNaN(value) && !Number.isNaN(greatest))) best = position;
  }
  return best;
}

/** A batch of images: more images. */
function foldBatch(): Batching {
  return ({ builder, equation, size }, inputs, batched) => {
    const all = inputs.map((x, k) => (batched[k] ? x : repeated(builder, x, size)));
    const count = (all[0] as Value).type.shape[1] as Dim;
    const folded = all.map((x) => foldFirst(builder, x));
    const [result] = builder.emit(equation.op, folded, equation.parameters);
    return [unfoldFirst(builder, result as Value, size, count)];
  };
}

function windowSamples(): readonly Sample[] {
  return [
    {
      inputs: [wave("f64", [1, 5, 1])],
      parameters: { window: [2], stride: [1], low: [0], high: [0] },
    },
    {
      inputs: [wave("f64", [2, 4, 5, 2])],
      parameters: { window: [2, 2], stride: [2, 2], low: [0, 0], high: [0, 0] },
    },
    {
      inputs: [wave("f64", [1, 5, 4, 1])],
      parameters: { window: [3, 2], stride: [2, 1], low: [1, 0], high: [1, 1] },
    },
    {
      inputs: [wave("f64", [1, 2, 3, 2, 1])],
      parameters: { window: [2, 2, 1], stride: [1, 1, 1], low: [0, 0, 0], high: [0, 0, 0] },
    },
    {
      inputs: [wave("f64", [0, 3, 2])],
      parameters: { window: [2], stride: [1], low: [0], high: [0] },
    },
    ...(["f32", "f16"] as const).map((dtype) => ({
      inputs: [wave(dtype, [1, 6, 3])],
      parameters: { window: [3], stride: [2], low: [1], high: [0] },
      differentiate: [],
    })),
  ];
}
