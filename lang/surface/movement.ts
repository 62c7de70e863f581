/** Shapes changed, parts taken, tensors made. */

import {
  addDims,
  type Dim,
  dimText,
  elementCount,
  exactQuotient,
  multiplyDims,
  sameDim,
  shapeText,
} from "../../compiler/ir/dim.ts";
import type { Shape, Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import {
  axisOf,
  dimAt,
  dtypeAt,
  isValue,
  option,
  shapeAt,
  staticNumber,
  stretch,
  SurfaceFault,
  type SurfaceArgument,
  type SurfaceFunction,
  tensorAt,
} from "./support.ts";

/** `reshape(x, [a, -1, b])`: one -1 stands for what is left. */
const reshape: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "reshape", args, 0);
  const asked = shapeAt("reshape", args[1]);
  const size = elementCount(x.type.shape);
  const open = asked.findIndex((dim) => dim === -1);
  const others = asked.filter((_, k) => k !== open).reduce<Dim>(multiplyDims, 1);
  const left = open < 0 ? undefined : exactQuotient(size, others);
  const shape = left === undefined ? asked : asked.with(open, left);
  if (!sameDim(elementCount(shape), size) || shape.some((dim) => dim === -1)) {
    throw new SurfaceFault(
      `\`reshape\` cannot give ${shapeText(x.type.shape)} the shape ${shapeText(asked)}: ` +
        `the first has ${dimText(size)} elements, the second ${dimText(others)}` +
        (open < 0 ? "" : " times a whole number"),
      [0],
    );
  }
  return builder.reshape(x, shape);
};

const transpose: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "transpose", args, 0);
  const rank = x.type.shape.length;
  const [, order] = args;
  if (order === undefined) {
    return builder.transpose(
      x,
      x.type.shape.map((_, axis) => rank - 1 - axis),
    );
  }
  const listed = Array.isArray(order) ? order : args.slice(1);
  const permutation = listed.map((entry) =>
    axisOf("transpose", staticNumber("transpose", "axis", entry), rank),
  );
  if (permutation.length !== rank || new Set(permutation).size !== rank) {
    throw new SurfaceFault(
      `\`transpose\` needs each of the ${rank} axes once, and got ${permutation.join(", ")}`,
    );
  }
  return builder.transpose(x, permutation);
};

/** `slice(x, axis, start, end)`: elements start … end-1 of one axis; negative from the end. */
const slice: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "slice", args, 0);
  const { shape } = x.type;
  const axis = axisOf("slice", staticNumber("slice", "axis", args[1]), shape.length);
  const extent = shape[axis] as Dim;
  const bound = (argument: SurfaceArgument, otherwise: Dim): Dim => {
    if (argument === undefined) return otherwise;
    const dim = dimAt("slice", argument);
    return typeof dim === "number" && dim < 0 ? addDims(extent, dim) : dim;
  };
  const start = bound(args[2], 0);
  const end = bound(args[3], extent);
  const stride = args[4] === undefined ? 1 : staticNumber("slice", "step", args[4]);
  return builder.slice(
    x,
    shape.map((_, k) => (k === axis ? start : 0)),
    shape.map((dim, k) => (k === axis ? end : dim)),
    shape.map((_, k) => (k === axis ? stride : 1)),
  );
};

/** `dynamicSlice(x, start, size, axis)`: the start is a number of the program. */
const dynamicSlice: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "dynamicSlice", args, 0);
  const start = builder.cast(tensorAt(builder, "dynamicSlice", args, 1, "i32"), "i32");
  const size = dimAt("dynamicSlice", args[2]);
  const axis = args[3] === undefined ? 0 : staticNumber("dynamicSlice", "axis", args[3]);
  return builder.one("dynamic_slice", [x, start], {
    axis: axisOf("dynamicSlice", axis, x.type.shape.length),
    size,
  });
};

/** `pad(x, [[low, high], …])`: zeros around each axis. */
const pad: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "pad", args, 0);
  const amounts = args[1];
  const rank = x.type.shape.length;
  if (!Array.isArray(amounts) || amounts.length !== rank) {
    throw new SurfaceFault(`\`pad\` needs a pair [low, high] for each of the ${rank} axes`);
  }
  const pairs = amounts.map((pair) => shapeAt("pad", pair));
  return builder.pad(
    x,
    pairs.map(([low]) => low ?? 0),
    pairs.map(([low, high]) => high ?? low ?? 0),
  );
};

/** The tensors of a list. */
function tensorList(
  builder: GraphBuilder,
  name: string,
  argument: SurfaceArgument,
): readonly [Value, ...Value[]] {
  const listed = Array.isArray(argument) ? argument : [];
  const tensors = listed.map((_, k) => tensorAt(builder, name, listed, k));
  const [first, ...rest] = tensors;
  if (first === undefined) throw new SurfaceFault(`\`${name}\` needs a list of tensors`, [0]);
  return [first, ...rest];
}

const concat: SurfaceFunction = (builder, args) => {
  const parts = tensorList(builder, "concat", args[0]);
  const axis = args[1] === undefined ? 0 : staticNumber("concat", "axis", args[1]);
  return builder.concat(parts, axisOf("concat", axis, parts[0].type.shape.length));
};

/** `stack(list, axis)`: a new axis. */
const stack: SurfaceFunction = (builder, args) => {
  const parts = tensorList(builder, "stack", args[0]);
  const { shape } = parts[0].type;
  const asked = args[1] === undefined ? 0 : staticNumber("stack", "axis", args[1]);
  const axis = axisOf("stack", asked, shape.length + 1);
  const widened = parts.map((part) => builder.reshape(part, part.type.shape.toSpliced(axis, 0, 1)));
  return builder.concat(widened, axis);
};

const expandDims: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "expandDims", args, 0);
  const asked = args[1] === undefined ? 0 : staticNumber("expandDims", "axis", args[1]);
  const axis = axisOf("expandDims", asked, x.type.shape.length + 1);
  return builder.reshape(x, x.type.shape.toSpliced(axis, 0, 1));
};

/** Drops axes of 1: the one named, or all of them. */
const squeeze: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "squeeze", args, 0);
  const { shape } = x.type;
  if (args[1] === undefined) {
    return builder.reshape(
      x,
      shape.filter((dim) => dim !== 1),
    );
  }
  const axis = axisOf("squeeze", staticNumber("squeeze", "axis", args[1]), shape.length);
  if (shape[axis] !== 1) {
    throw new SurfaceFault(
      `\`squeeze\` needs an axis of 1, and axis ${axis} of ${shapeText(shape)} is not`,
    );
  }
  return builder.reshape(x, shape.toSpliced(axis, 1));
};

/** A tensor of a shape, filled with a number. */
function filled(name: string, value: number): SurfaceFunction {
  return (builder, args) =>
    builder.full(shapeAt(name, args[0]), value, dtypeAt(name, args[1], "f32"));
}

function filledLike(name: string, value: number): SurfaceFunction {
  return (builder, args) => {
    const { shape, dtype } = tensorAt(builder, name, args, 0).type;
    return builder.full(shape, value, dtype);
  };
}

/** `full(shape, value, dtype)` */
const full: SurfaceFunction = (builder, args) => {
  const shape = shapeAt("full", args[0]);
  const dtype = dtypeAt("full", args[2], "f32");
  const value = tensorAt(builder, "full", args, 1, dtype);
  return builder.broadcastTo(builder.cast(value, dtype), shape);
};

/** `arange(n)`: 0 … n-1. */
const arange: SurfaceFunction = (builder, args) =>
  builder.iota([dimAt("arange", args[0])], 0, dtypeAt("arange", args[1], "f32"));

const eye: SurfaceFunction = (builder, args) => {
  const n = dimAt("eye", args[0]);
  const same = builder.binary("eq", builder.iota([n, n], 0), builder.iota([n, n], 1));
  return builder.cast(same, dtypeAt("eye", args[1], "f32"));
};

/** `oneHot(indices, classes)`: a new last axis that is 1 at the index. */
const oneHot: SurfaceFunction = (builder, args) => {
  const indices = builder.cast(tensorAt(builder, "oneHot", args, 0, "i32"), "i32");
  const classes = dimAt("oneHot", args[1]);
  const shape: Shape = [...indices.type.shape, classes];
  const axes = indices.type.shape.map((_, axis) => axis);
  const at = builder.iota(shape, axes.length);
  const hot = builder.binary("eq", builder.broadcast(indices, shape, axes), at);
  return builder.cast(hot, dtypeAt("oneHot", args[2], "f32"));
};

/** `take(x, indices, axis)` */
const take: SurfaceFunction = (builder, args) => {
  const x = tensorAt(builder, "take", args, 0);
  const indices = builder.cast(tensorAt(builder, "take", args, 1, "i32"), "i32");
  const asked = args[2] === undefined ? 0 : staticNumber("take", "axis", args[2]);
  return builder.one("gather", [x, indices], {
    axis: axisOf("take", asked, x.type.shape.length),
  });
};

export const movement: Readonly<Record<string, SurfaceFunction>> = {
  reshape,
  transpose,
  slice,
  dynamicSlice,
  pad,
  concat,
  stack,
  expandDims,
  squeeze,
  full,
  arange,
  eye,
  oneHot,
  take,
  zeros: filled("zeros", 0),
  ones: filled("ones", 1),
  zerosLike: filledLike("zerosLike", 0),
  onesLike: filledLike("onesLike", 1),
  flatten: (builder, args) => {
    const x = tensorAt(builder, "flatten", args, 0);
    const from = option(args[1], "from");
    const lead = from === undefined ? 0 : staticNumber("flatten", "from", from);
    const { shape } = x.type;
    return builder.reshape(x, [...shape.slice(0, lead), elementCount(shape.slice(lead))]);
  },
  broadcastTo: (builder, args) =>
    stretch(builder, tensorAt(builder, "broadcastTo", args, 0), shapeAt("broadcastTo", args[1])),
  flip: (builder, args) => {
    const x = tensorAt(builder, "flip", args, 0);
    const axis = args[1] === undefined ? 0 : staticNumber("flip", "axis", args[1]);
    return builder.one("reverse", [x], { axes: [axisOf("flip", axis, x.type.shape.length)] });
  },
  /** A tensor of one element as a number of the program. */
  item: (builder, args) => {
    const x = tensorAt(builder, "item", args, 0);
    if (!sameDim(elementCount(x.type.shape), 1)) {
      throw new SurfaceFault(
        `\`item\` needs a tensor of one element, and got shape ${shapeText(x.type.shape)}`,
        [0],
        "reduce it first, as in `x.mean().item()`",
      );
    }
    return builder.cast(builder.reshape(x, []), "f64");
  },
  /** `split(x, parts, axis)`: equal parts. */
  split: (builder, args) => {
    const x = tensorAt(builder, "split", args, 0);
    const parts = staticNumber("split", "number of parts", args[1]);
    const asked = args[2] === undefined ? 0 : staticNumber("split", "axis", args[2]);
    const axis = axisOf("split", asked, x.type.shape.length);
    const extent = x.type.shape[axis] as Dim;
    const size = exactQuotient(extent, parts);
    if (size === undefined) {
      throw new SurfaceFault(
        `\`split\` cannot cut ${dimText(extent)} into ${parts} equal parts`,
        [0],
      );
    }
    return Array.from({ length: parts }, (_, k) => {
      const start = multiplyDims(size, k);
      const limit = addDims(start, size);
      return builder.slice(
        x,
        x.type.shape.map((_, a) => (a === axis ? start : 0)),
        x.type.shape.map((dim, a) => (a === axis ? limit : dim)),
      );
    });
  },
  /** `randomBits(key, shape)`: Threefry-2x32 of a counter, u32. */
  randomBits: (builder, args) => {
    const key = tensorAt(builder, "randomBits", args, 0, "u32");
    return builder.one("random_bits", [key], { shape: shapeAt("randomBits", args[1]) });
  },
  tensor: (builder, args) => {
    const flat = flatten(args[0]);
    const shape = args[1] === undefined ? flat.shape : shapeAt("tensor", args[1]);
    const dtype = dtypeAt("tensor", args[2], "f32");
    const { values } = flat;
    if (!sameDim(elementCount(shape), values.length)) {
      throw new SurfaceFault(
        `\`tensor\` got ${values.length} numbers for shape ${shapeText(shape)}`,
      );
    }
    const numbers = values.filter((value) => typeof value === "number");
    if (numbers.length === values.length) return builder.array(numbers, dtype, shape);
    const parts = values.map((value) =>
      typeof value === "number"
        ? builder.array([value], dtype)
        : builder.reshape(builder.cast(value, dtype), [1]),
    );
    return builder.reshape(builder.concat(parts, 0), shape);
  },
};

/** Nested lists of numbers, known or computed, as values and shape. */
function flatten(argument: SurfaceArgument): {
  readonly values: readonly (number | Value)[];
  readonly shape: readonly number[];
} {
  if (typeof argument === "number") return { values: [argument], shape: [] };
  if (argument !== undefined && isValue(argument) && argument.type.shape.length === 0) {
    return { values: [argument], shape: [] };
  }
  if (!Array.isArray(argument)) {
    throw new SurfaceFault("`tensor` needs numbers, nested in lists as the shape is", [0]);
  }
  const parts = argument.map(flatten);
  const [first] = parts;
  if (parts.some((part) => part.shape.join() !== first?.shape.join())) {
    throw new SurfaceFault("`tensor` needs rows of equal length", [0]);
  }
  return {
    values: parts.flatMap((part) => part.values),
    shape: [parts.length, ...(first?.shape ?? [])],
  };
}
