/**
 * Convolutions without patches in memory: the images get their border of zeros once, and tiles of
 * the result are summed in registers over the taps of the filter.
 *
 *   y[n, p, o] = Σ_q Σ_c x[n, p·stride + q·dilation - low, c] · k[q, c, o]
 *
 * The transpose in x is a convolution of y, spread out by the strides, with the filter turned
 * around; the transpose in k sums over images and pixels instead of taps.
 */

import {
  addDims,
  type Dim,
  elementCount,
  exactQuotient,
  multiplyDims,
  sameDim,
  subtractDims,
} from "../../ir/dim.ts";
import { byteSize, type DType, type Equation, type Value, type ValueType } from "../../ir/types.ts";
import {
  addIndex,
  denseStrides,
  dimExpr,
  dimIndex,
  flatIndex,
  localIndex,
  scaleIndex,
} from "../affine.ts";
import { type Buffer } from "../buffer.ts";
import { ElementReader } from "../element.ts";
import {
  add,
  constant,
  type Expr,
  load,
  type Local,
  local,
  loop,
  minimum,
  multiply,
  op,
  read,
  set,
  type Statement,
  store,
  subtract,
} from "../loop.ts";
import { type Axis, axesOf, bordersIn, innermost, wrap, wrapRange, wrapShared } from "../nest.ts";
import { describe, type Epilogue, type PreparedProduct, type Program } from "../program.ts";
import { type Range, wholeRange } from "../tasks.ts";
import { alongRow } from "../reduce.ts";
import { freeLocals } from "../outline.ts";
import { convTile, type SumLoop } from "./convTile.ts";
import { convOnGrid, filterOnGrid, paysInSquares } from "./gridConv.ts";
import { ofElement } from "./gridTile.ts";
import { at, divided, type Images, type Settings } from "./images.ts";
import { type Depthwise, depthwiseFilter, depthwiseResult, isDepthwise } from "./depthwise.ts";
import { lanesOf, packFunction, range, type TileType } from "./tile.ts";

/** What a multiply-add in a tile costs, beside one of elements in memory (`costOf`). */
const tileCost = 0.25;

export function conv(program: Program, equation: Equation): void {
  const [x, k] = equation.inputs as readonly [Value, Value];
  const settings = equation.parameters as unknown as Settings;
  const rank = settings.stride.length;
  const images = bordered(
    program,
    x,
    settings.low,
    settings.high,
    range(rank).map(() => 0),
  );
  const filter = program.buffer(k);
  convolve(program, equation, images, read(filter.pointer), k.type, settings);
}

export function conv_input(program: Program, equation: Equation): void {
  const [y, k] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const settings = equation.parameters as unknown as Settings;
  const { stride, low, dilation, groups } = settings;
  const rank = stride.length;
  const window = k.type.shape.slice(0, rank) as readonly number[];
  // Position p of x gets from y at (p + low - q·dilation) / stride: y is spread out by the strides
  // and gets a border, wide enough for the last p to find all of its taps.
  const before = range(rank).map((a) => at(dilation, a) * (at(window, a) - 1) - at(low, a));
  const extents = range(rank).map((a) => y.type.shape[a + 1] as Dim);
  const after = range(rank).map((a): Dim => {
    const reach = at(dilation, a) * (at(window, a) - 1);
    const spreadOut = spread(extents[a] as Dim, at(stride, a));
    const needed = addDims(output.type.shape[a + 1] as Dim, reach);
    return subtractDims(subtractDims(needed, spreadOut), at(before, a));
  });
  const images = bordered(
    program,
    y,
    before.map((extent) => Math.max(0, extent)),
    after.map((extent) => (typeof extent === "number" ? Math.max(0, extent) : extent)),
    stride.map((step) => step - 1),
    before.map((extent) => Math.max(0, -extent)),
  );
  const [channels, outputs] = k.type.shape.slice(rank) as unknown as readonly [Dim, Dim];
  const perGroup = divided(outputs, groups);
  const type: ValueType = {
    dtype: k.type.dtype,
    shape: [...window, perGroup, multiplyDims(channels, groups)],
    stack: false,
  };
  const turned = turnedFilter(program, k, type, window, channels, perGroup, groups);
  convolve(program, equation, images, read(turned.pointer), type, {
    ...settings,
    stride: stride.map(() => 1),
  });
}

/** `t[q, o, g·C + c] = k[last - q, c, g·O + o]`, C and O counted within a group. */
function turnedFilter(
  program: Program,
  k: Value,
  type: ValueType,
  window: readonly number[],
  channels: Dim,
  perGroup: Dim,
  groups: number,
): Buffer {
  const source = program.buffer(k);
  const turned = program.allocate("turned_filter", program.bytesOf(type));
  const group = local("g", "i32");
  const inner = axesOf([...window, perGroup, channels]);
  const index = inner.map(({ counter }) => localIndex(counter));
  const taps = index.slice(0, window.length);
  const [o, c] = index.slice(window.length) as [Expr, Expr];
  const flipped = taps.map((q, axis) =>
    addIndex(constant(at(window, axis) - 1), scaleIndex(q, -1)),
  );
  const from = flatIndex(k.type.shape, [
    ...flipped,
    c,
    addIndex(scaleIndex(localIndex(group), perGroup), o),
  ]);
  const to = flatIndex(type.shape, [
    ...taps,
    o,
    addIndex(scaleIndex(localIndex(group), channels), c),
  ]);
  const { dtype } = type;
  const body = [store(read(turned.pointer), to, dtype, load(read(source.pointer), from, dtype))];
  const all = withGroups(program, { counter: group, extent: groups }, inner);
  program.nestKernel("turn_filter", `the taps of ${describe(k)} turned around`, all, body);
  return turned;
}

export function conv_filter(program: Program, equation: Equation): void {
  const [x, y] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const settings = equation.parameters as unknown as Settings;
  const { stride, dilation, groups } = settings;
  const rank = stride.length;
  const zeros = range(rank).map(() => 0);
  const images = bordered(program, x, settings.low, settings.high, zeros);
  const weights = program.buffer(y);
  const buffer = program.fresh(output);
  const { dtype, shape } = output.type;
  const window = shape.slice(0, rank) as readonly number[];
  const [channels, outputs] = shape.slice(rank) as unknown as readonly [Dim, Dim];
  const perGroup = divided(outputs, groups);
  const pixels = y.type.shape.slice(0, -1);
  const strides = denseStrides(images.shape);
  const tile = tileTypeOf(program, dtype);
  const name = `conv_filter of ${describe(x)} and ${describe(y)}`;
  if (paysInSquares(program, perGroup)) {
    filterOnGrid(program, name, images, read(weights.pointer), pixels, output, settings, buffer);
    program.define(output, { kind: "array", buffer });
    return;
  }
  if (program.options.grid !== true && isDepthwise(window, channels, outputs, groups)) {
    const [slopes, filter] = [read(weights.pointer), read(buffer.pointer)];
    const given = depthwise(program, images, filter, slopes, y.type, window, settings);
    clear(program, buffer, output);
    const count = multiplyDims(elementCount(y.type.shape), elementCount(window));
    program.sharedKernel("conv_filter", name, { count, cost: 1 }, (choose) =>
      depthwiseFilter(given, choose),
    );
    program.define(output, { kind: "array", buffer });
    return;
  }
  if (tile === undefined || typeof channels !== "number") {
    plainFilter(program, name, images, read(weights.pointer), pixels, output, settings, buffer);
    return;
  }
  const size = byteSize(dtype);
  // Taps along the last axis and channels are neighbours in x when nothing lies between them.
  const merged = groups === 1 && at(dilation, rank - 1) === 1;
  const run = merged ? at(window, rank - 1) * channels : channels;
  const outerTaps = merged ? window.slice(0, -1) : window;
  const { rows, vectors } = chooseTile(tile, perGroup);
  const width = vectors * lanesOf(tile);
  const loops = range(rank).map((a): SumLoop => {
    // Each loop's step takes back what the loops inside it have moved.
    const own = multiplyDims(strides[a + 1] as Dim, at(stride, a));
    const inside =
      a === rank - 1
        ? 0
        : multiplyDims(
            multiplyDims(strides[a + 2] as Dim, at(stride, a + 1)),
            pixels[a + 2] as Dim,
          );
    return {
      count: dimExpr(pixels[a + 1] as Dim, program.symbolLocal),
      stepA: bytesExpr(program, subtractDims(own, inside), size),
      stepB: a === rank - 1 ? bytesExpr(program, outputs, size) : constant(0),
    };
  });
  const call = tileCaller(program, "filter_tile", { dtype: tile, vectors, rowStep: size }, loops);
  const [image, group, r, j] = ["image", "g", "r", "j"].map((each) => local(each, "i32")) as [
    Local,
    Local,
    Local,
    Local,
  ];
  const taps = axesOf(outerTaps, "q");
  const tapIndex = taps.map(({ counter }) => localIndex(counter));
  const perImage = (shapeOfEach: readonly Dim[]): Expr =>
    scaleIndex(localIndex(image), denseStrides(shapeOfEach)[0] as Dim);
  const startA = range(taps.length).reduce(
    (sum, a) =>
      addIndex(
        sum,
        scaleIndex(tapIndex[a] as Expr, multiplyDims(strides[a + 1] as Dim, at(dilation, a))),
      ),
    addIndex(perImage(images.shape), scaleIndex(localIndex(group), channels)),
  );
  const startB = addIndex(perImage(y.type.shape), scaleIndex(localIndex(group), perGroup));
  const rowShape = merged ? [...outerTaps, run, outputs] : [...window, channels, outputs];
  const startC = flatIndex(rowShape, [
    ...tapIndex,
    localIndex(r),
    addIndex(scaleIndex(localIndex(group), perGroup), localIndex(j)),
  ]);
  const address = (base: Expr, index: Expr): Expr => add(base, multiply(index, constant(size)));
  const wide = minimum(constant(width), subtract(dimIndex(perGroup), read(j)));
  const tileAt =
    (spare: Local) =>
    (count: number): readonly Statement[] =>
      call({
        rows: count,
        a: address(images.base, addIndex(startA, localIndex(r))),
        b: address(read(weights.pointer), addIndex(startB, localIndex(j))),
        c: address(read(buffer.pointer), startC),
        ldc: multiply(dimIndex(outputs), constant(size)),
        accumulate: constant(1),
        spare: read(spare),
        wide,
        full: exactQuotient(perGroup, width) !== undefined,
      });
  clear(program, buffer, output);
  const count = multiplyDims(elementCount(pixels), elementCount(output.type.shape));
  program.sharedKernel("conv_filter", name, { count, cost: tileCost }, (choose) => {
    // All images add to each tap: what is split is the filter, along the axis with more tiles.
    const inColumns = typeof perGroup !== "number" || perGroup / width > run / rows;
    const range = inColumns ? choose(perGroup, width) : choose(run, rows);
    const [over, along] = inColumns
      ? [range, wholeRange(constant(run))]
      : [wholeRange(dimIndex(perGroup)), range];
    const spare = program.allocatePerThread("spare_tile", rows * width * size, range.split);
    const tiles = loop(
      j,
      over.to,
      loopInTiles(r, run, along, rows, tileAt(spare)),
      width,
      over.from,
    );
    return [
      loop(image, dimIndex(pixels[0] as Dim), [loop(group, constant(groups), wrap(taps, [tiles]))]),
    ];
  });
  program.define(output, { kind: "array", buffer });
}

/** Sets an array that sums will grow in to zeros. */
function clear(program: Program, buffer: Buffer, { type }: Value): void {
  const to = read(buffer.pointer);
  program.emit({ kind: "clear", to, bytes: program.dim(program.bytesOf(type)) });
  program.step++;
}

/** A loop over groups around others; on a grid, elements that are neighbours have neighbouring threads. */
function withGroups({ options }: Program, group: Axis, axes: readonly Axis[]): readonly Axis[] {
  return options.grid === true
    ? [...axes.slice(0, -1), group, ...axes.slice(-1)]
    : [group, ...axes];
}

/** Without tiles: one sum over images and pixels for each tap. */
function plainFilter(
  program: Program,
  name: string,
  images: Images,
  weights: Expr,
  pixels: readonly Dim[],
  output: Value,
  { stride, dilation, groups }: Settings,
  buffer: Buffer,
): void {
  const { dtype, shape } = output.type;
  const rank = stride.length;
  const [channels, outputs] = shape.slice(rank) as unknown as readonly [Dim, Dim];
  const perGroup = divided(outputs, groups);
  const group = local("g", "i32");
  const axes = axesOf([...shape.slice(0, rank), channels, perGroup]);
  const index = axes.map(({ counter }) => localIndex(counter));
  const sums = axesOf(pixels, "p");
  const pixel = sums.map(({ counter }) => localIndex(counter));
  const [c, o] = index.slice(rank) as [Expr, Expr];
  const x = load(
    images.base,
    flatIndex(images.shape, [
      pixel[0] as Expr,
      ...range(rank).map((a) =>
        addIndex(
          scaleIndex(pixel[a + 1] as Expr, at(stride, a)),
          scaleIndex(index[a] as Expr, at(dilation, a)),
        ),
      ),
      addIndex(scaleIndex(localIndex(group), channels), c),
    ]),
    dtype,
  );
  const column = addIndex(scaleIndex(localIndex(group), perGroup), o);
  const y = load(weights, flatIndex([...pixels, outputs], [...pixel, column]), dtype);
  const to = flatIndex(shape, [...index.slice(0, rank), c, column]);
  const sum = sumOfProducts(program, sums, x, y, output, buffer, to);
  const all = withGroups(program, { counter: group, extent: groups }, axes);
  const count = multiplyDims(elementCount(shape), elementCount(pixels));
  program.sharedKernel("conv_filter", name, { count, cost: 1 }, (choose) =>
    wrapShared(all, sum, choose),
  );
  program.define(output, { kind: "array", buffer });
}

/** `y[n, p, o] = Σ_q Σ_c images[n, skip + p·stride + q·dilation, c] · filter[q, c, o]`. */
function convolve(
  program: Program,
  equation: Equation,
  images: Images,
  filter: Expr,
  filterType: ValueType,
  settings: Settings,
): void {
  const { stride, dilation, groups } = settings;
  const rank = stride.length;
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = output.type;
  const window = filterType.shape.slice(0, rank) as readonly number[];
  const [channels, outputs] = filterType.shape.slice(rank) as unknown as readonly [Dim, Dim];
  const perGroup = divided(outputs, groups);
  const tile = tileTypeOf(program, dtype);
  const strides = denseStrides(images.shape);
  const allChannels = images.shape.at(-1) as Dim;
  const name = `conv to ${describe(output)}`;
  const taps = elementCount(window);
  const count = multiplyDims(elementCount(shape), multiplyDims(taps, channels));
  const pixelStep = multiplyDims(allChannels, at(stride, rank - 1));
  const pixels = shape[rank] as Dim;
  /** What an epilogue does for the pixels of a row. */
  const endOf = (epilogue: Epilogue, along: Range): readonly Statement[] => {
    const [pixel, channel] = epilogue.axes.slice(rank) as [Axis, Axis];
    const { vectors } = program.options;
    const inside = innermost(channel, epilogue.body, vectors);
    return [loop(pixel.counter, along.to, inside, 1, along.from)];
  };
  const outerOf = (epilogue: Epilogue | undefined): readonly Axis[] =>
    epilogue?.axes.slice(0, rank) ?? axesOf(shape.slice(0, rank), "n");
  const nameWith = (epilogue: Epilogue | undefined): string =>
    epilogue === undefined ? name : `${name}, then ${epilogue.comment}`;
  if (paysInSquares(program, perGroup)) {
    definePending(program, equation, images, () => (result, epilogue) => {
      const finish = epilogue && groups === 1 ? ofElement(epilogue, 0, rank + 1) : undefined;
      if (epilogue !== undefined && finish === undefined) return false;
      const on = nameWith(epilogue);
      convOnGrid(program, on, images, filter, filterType, output.type, settings, result, finish);
      return true;
    });
    return;
  }
  if (program.options.grid !== true && isDepthwise(window, channels, outputs, groups)) {
    definePending(program, equation, images, () => (result, epilogue) => {
      const given = depthwise(program, images, filter, result, output.type, window, settings);
      const end = epilogue && endOf(epilogue, wholeRange(dimIndex(pixels)));
      program.sharedKernel("conv", nameWith(epilogue), { count, cost: 1 }, (choose) =>
        depthwiseResult(given, outerOf(epilogue), end ?? [], choose),
      );
      return true;
    });
    return;
  }
  if (tile === undefined || typeof pixelStep !== "number") {
    plainConv(program, name, images, filter, filterType, output, settings);
    return;
  }
  const size = byteSize(dtype);
  const { rows, vectors } = chooseTile(tile, perGroup);
  const width = vectors * lanesOf(tile);
  const depth = multiplyDims(taps, channels);
  const merged = groups === 1 && at(dilation, rank - 1) === 1;
  const run = merged ? multiplyDims(at(window, rank - 1), channels) : channels;
  const outerTaps = merged ? window.slice(0, -1) : window;
  // Outer taps, then the run of neighbours; each step takes back what the loops inside have moved.
  const loops = [...outerTaps, run].map((count, a): SumLoop => {
    const last = a === outerTaps.length;
    const own = last ? 1 : multiplyDims(strides[a + 1] as Dim, at(dilation, a));
    const inside = last
      ? 0
      : a + 1 === outerTaps.length
        ? run
        : multiplyDims(
            multiplyDims(strides[a + 2] as Dim, at(dilation, a + 1)),
            outerTaps[a + 1] as Dim,
          );
    return {
      count: dimExpr(count, program.symbolLocal),
      stepA: bytesExpr(program, subtractDims(own, inside), size),
      stepB: last ? constant(width * size) : constant(0),
    };
  });
  const pack = packFunction(tile, width);
  program.parts.library(pack);
  const columnPanels = ceilDivide(program, perGroup, width);
  const panelBytes = multiplyDims(depth, width * size);
  const call = tileCaller(
    program,
    "conv_tile",
    { dtype: tile, vectors, rowStep: pixelStep * size },
    loops,
  );
  const [group, j, p] = ["g", "j", "p"].map((each) => local(each, "i32")) as [Local, Local, Local];
  const skipped = images.skip.reduce<Dim>(
    (sum, extent, a) => addDims(sum, multiplyDims(strides[a + 1] as Dim, extent)),
    0,
  );
  const startA = (outer: readonly Expr[]): Expr =>
    [...outer, localIndex(p)].reduce(
      (sum, index, a) =>
        addIndex(
          sum,
          scaleIndex(index, multiplyDims(strides[a] as Dim, a === 0 ? 1 : at(stride, a - 1))),
        ),
      addIndex(dimIndex(skipped), scaleIndex(localIndex(group), channels)),
    );
  const startC = (outer: readonly Expr[]): Expr =>
    flatIndex(shape, [
      ...outer,
      localIndex(p),
      addIndex(scaleIndex(localIndex(group), perGroup), localIndex(j)),
    ]);
  const groupPanels = multiply(multiply(localIndex(group), columnPanels), dimIndex(panelBytes));
  const address = (base: Expr, index: Expr): Expr => add(base, multiply(index, constant(size)));
  const tileAt =
    (packed: Expr, result: Expr, outer: readonly Expr[], spare: Local) =>
    (count: number): readonly Statement[] =>
      call({
        rows: count,
        a: address(images.base, startA(outer)),
        b: add(
          add(packed, groupPanels),
          multiply(op("index_div", "i32", [read(j), constant(width)]), dimIndex(panelBytes)),
        ),
        c: address(result, startC(outer)),
        ldc: multiply(dimIndex(outputs), constant(size)),
        accumulate: constant(0),
        spare: read(spare),
        wide: minimum(constant(width), subtract(dimIndex(perGroup), read(j))),
        full: exactQuotient(perGroup, width) !== undefined,
      });
  definePending(program, equation, images, () => {
    const packed = program.allocate(
      "filter_panels",
      multiplyDims(
        multiplyDims(panelBytes, groups),
        typeof perGroup === "number" ? Math.ceil(perGroup / width) : addDims(perGroup, 1),
      ),
    );
    program.kernel("pack_filter", `panels of the filter for ${describe(output)}`, [
      loop(group, constant(groups), [
        {
          kind: "call",
          callee: pack.name,
          operands: [
            address(filter, scaleIndex(localIndex(group), perGroup)),
            constant(1),
            dimIndex(outputs),
            dimIndex(perGroup),
            dimIndex(depth),
            add(read(packed.pointer), groupPanels),
          ],
          results: [],
        },
      ]),
    ]);
    return (result, epilogue) => {
      const outer = outerOf(epilogue);
      const index = outer.map(({ counter }) => localIndex(counter));
      program.sharedKernel("conv", nameWith(epilogue), { count, cost: tileCost }, (choose) => {
        // Images, or rows of one; of one row its pixels.
        const first = outer.findIndex(({ extent }) => extent !== 1);
        const shared = outer[first];
        const range = shared === undefined ? choose(pixels, rows) : choose(shared.extent, 1);
        const along = shared === undefined ? range : wholeRange(dimIndex(pixels));
        const spare = program.allocatePerThread("spare_tile", rows * width * size, range.split);
        const tileOf = tileAt(read(packed.pointer), result, index, spare);
        const tiles = loop(
          j,
          dimIndex(perGroup),
          loopInTiles(p, pixels, along, rows, tileOf),
          width,
        );
        const ofGroups = loop(group, constant(groups), [tiles]);
        return wrapRange(outer, first, range, [
          ofGroups,
          ...(epilogue === undefined ? [] : endOf(epilogue, along)),
        ]);
      });
      return true;
    };
  });
}

/** A convolution that waits for what reads it first. `make` is called once before it is emitted. */
function definePending(
  program: Program,
  { inputs, outputs }: Equation,
  images: Images,
  make: () => PreparedProduct["emit"],
): void {
  let prepared: PreparedProduct | undefined;
  const prepare = (): PreparedProduct => {
    prepared ??= { operands: [images.base], emit: make() };
    return prepared;
  };
  program.define(outputs[0] as Value, { kind: "pending", product: { prepare }, sources: inputs });
}

function depthwise(
  program: Program,
  images: Images,
  filter: Expr,
  result: Expr,
  { dtype, shape }: ValueType,
  window: readonly number[],
  { stride, dilation }: Settings,
): Depthwise {
  return {
    dtype,
    vectors: program.options.vectors,
    images: images.base,
    imageShape: images.shape,
    skip: images.skip,
    filter,
    window,
    result,
    resultShape: shape,
    stride,
    dilation,
  };
}

/** Whole tiles, then one of what is left: of a fixed size where the extent is known. */
function loopInTiles(
  counter: Local,
  extent: Dim,
  range: Range,
  rows: number,
  tileAt: (count: number) => readonly Statement[],
): readonly Statement[] {
  const known = typeof extent === "number";
  const whole = known
    ? constant(extent - (extent % rows))
    : op("bit_and", "i32", [dimIndex(extent), constant(-rows)]);
  const left = known ? extent % rows : 1;
  const [end, tail] = bordersIn(range, whole);
  const main = loop(counter, end, tileAt(rows), rows, range.from);
  return left === 0 ? [main] : [main, loop(counter, range.to, tileAt(left), left, tail)];
}

/** Without tiles: one sum over taps and channels for each pixel and channel of the result. */
function plainConv(
  program: Program,
  name: string,
  images: Images,
  filter: Expr,
  filterType: ValueType,
  output: Value,
  { stride, dilation, groups }: Settings,
): void {
  const buffer = program.fresh(output);
  const { dtype, shape } = output.type;
  const rank = stride.length;
  const [channels, outputs] = filterType.shape.slice(rank) as unknown as readonly [Dim, Dim];
  const perGroup = divided(outputs, groups);
  const group = local("g", "i32");
  const axes = axesOf([...shape.slice(0, -1), perGroup]);
  const index = axes.map(({ counter }) => localIndex(counter));
  const sums = axesOf([...filterType.shape.slice(0, rank), channels], "q");
  const tap = sums.map(({ counter }) => localIndex(counter));
  const c = tap.at(-1) as Expr;
  const column = addIndex(scaleIndex(localIndex(group), perGroup), index.at(-1) as Expr);
  const x = load(
    images.base,
    flatIndex(images.shape, [
      index[0] as Expr,
      ...range(rank).map((a) =>
        addIndex(
          addIndex(constant(at(images.skip, a)), scaleIndex(index[a + 1] as Expr, at(stride, a))),
          scaleIndex(tap[a] as Expr, at(dilation, a)),
        ),
      ),
      addIndex(scaleIndex(localIndex(group), channels), c),
    ]),
    dtype,
  );
  const k = load(filter, flatIndex(filterType.shape, [...tap, column]), dtype);
  const to = flatIndex(shape, [...index.slice(0, -1), column]);
  const sum = sumOfProducts(program, sums, x, k, output, buffer, to);
  const all = withGroups(program, { counter: group, extent: groups }, axes);
  const count = elementCount([...all, ...sums].map(({ extent }) => extent));
  program.sharedKernel("conv", name, { count, cost: 1 }, (choose) => wrapShared(all, sum, choose));
  program.define(output, { kind: "array", buffer });
}

/** Stores at `to` the sum of `x · y` along `sums`. */
function sumOfProducts(
  program: Program,
  sums: readonly Axis[],
  x: Expr,
  y: Expr,
  output: Value,
  buffer: Buffer,
  to: Expr,
): readonly Statement[] {
  const { dtype } = output.type;
  const rule = { combine: "add", identity: 0, dtype };
  return alongRow(program, sums, [], op("mul", dtype, [x, y]), rule, (total) => [
    store(read(buffer.pointer), to, dtype, total),
  ]);
}

// Tiles

interface TileCall {
  readonly rows: number;
  readonly a: Expr;
  readonly b: Expr;
  readonly c: Expr;
  readonly ldc: Expr;
  readonly accumulate: Expr;
  readonly spare: Expr;
  /** Columns of the tile that exist. */
  readonly wide: Expr;
  /** All of them always do. */
  readonly full: boolean;
}

/** Calls of tile functions, one function for each number of rows, made when first called. */
function tileCaller(
  program: Program,
  stem: string,
  shape: { readonly dtype: TileType; readonly vectors: number; readonly rowStep: number },
  loops: readonly SumLoop[],
): (call: TileCall) => readonly Statement[] {
  const names = new Map<number, string>();
  const width = shape.vectors * lanesOf(shape.dtype);
  const size = byteSize(shape.dtype);
  const used = loops.flatMap(({ count, stepA, stepB }) => [count, stepA, stepB]);
  const probe: Statement = { kind: "call", callee: "", operands: used, results: [] };
  const extra = freeLocals([probe], []);
  const functionOf = (rows: number): string => {
    let name = names.get(rows);
    if (name === undefined) {
      name = program.parts.functionName(`${stem}_${rows}`);
      names.set(rows, name);
      program.parts.functions.push(convTile(name, { ...shape, rows }, loops, extra));
    }
    return name;
  };
  return ({ rows, a, b, c, ldc, accumulate, spare, wide, full }) => {
    const tile = (target: Expr, step: Expr, adds: Expr): Statement => ({
      kind: "call",
      callee: functionOf(rows),
      operands: [a, b, target, step, adds, ...extra.map(read)],
      results: [],
    });
    if (full) return [tile(c, ldc, accumulate)];
    const [columns, target, r, v] = ["columns", "target", "r", "v"].map((each) =>
      local(each, "i32"),
    ) as [Local, Local, Local, Local];
    const place = add(read(target), multiply(read(r), ldc));
    const from = load(spare, add(multiply(read(r), constant(width)), read(v)), shape.dtype);
    const sum = op("add", shape.dtype, [load(place, read(v), shape.dtype), from]);
    const adds = accumulate.kind === "const" && accumulate.value === 1;
    return [
      set(columns, wide),
      {
        kind: "if",
        condition: op("eq", "i32", [read(columns), constant(width)]),
        then: [tile(c, ldc, accumulate)],
        otherwise: [
          tile(spare, constant(width * size), constant(0)),
          set(target, c),
          loop(r, constant(rows), [
            loop(v, read(columns), [store(place, read(v), shape.dtype, adds ? sum : from)]),
          ]),
        ],
      },
    ];
  };
}

function tileTypeOf(program: Program, dtype: DType): TileType | undefined {
  return program.options.vectors && (dtype === "f32" || dtype === "f64") ? dtype : undefined;
}

/** Four rows by two vectors; where one vector is all there is, eight rows by one. */
function chooseTile(dtype: TileType, columns: Dim): { rows: number; vectors: number } {
  return typeof columns === "number" && columns <= lanesOf(dtype)
    ? { rows: 8, vectors: 1 }
    : { rows: 4, vectors: 2 };
}

// Borders

/** Images with zeros around them, and between their elements; themselves where there are none. */
function bordered(
  program: Program,
  x: Value,
  low: readonly number[],
  high: readonly Dim[],
  between: readonly number[],
  skip: readonly number[] = low.map(() => 0),
): Images {
  const { dtype, shape } = x.type;
  const rank = low.length;
  const plain = [...low, ...high, ...between].every((extent) => extent === 0);
  if (plain) return { base: read(program.buffer(x).pointer), shape, skip };
  const wider = shape.map((extent, axis): Dim => {
    if (axis === 0 || axis > rank) return extent;
    const spreadOut = spread(extent, at(between, axis - 1) + 1);
    return addDims(addDims(spreadOut, at(low, axis - 1)), high[axis - 1] as Dim);
  });
  const type: ValueType = { dtype, shape: wider, stack: false };
  if (program.options.grid === true) {
    const base = borderedOnGrid(program, x, type, low, between);
    return { base, shape: wider, skip };
  }
  const reader = new ElementReader(program);
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const element = reader.read(x, index);
  const buffer = program.allocate("bordered", program.bytesOf(type));
  reader.finish([buffer]);
  const place = index.map((i, axis) =>
    axis === 0 || axis > rank
      ? i
      : addIndex(constant(at(low, axis - 1)), scaleIndex(i, at(between, axis - 1) + 1)),
  );
  const to = flatIndex(wider, place);
  const bytes = program.dim(program.bytesOf(type));
  program.emit({ kind: "clear", to: read(buffer.pointer), bytes });
  program.nestKernel("border", `zeros around ${describe(x)}`, axes, [
    ...reader.statements,
    store(read(buffer.pointer), to, dtype, element),
  ]);
  // A border that is there to be read may not share bytes with what it was made from.
  buffer.overlays.clear();
  return { base: read(buffer.pointer), shape: wider, skip };
}

/** As `bordered`, a thread for each element, which is one of x or a zero. */
function borderedOnGrid(
  program: Program,
  x: Value,
  type: ValueType,
  low: readonly number[],
  between: readonly number[],
): Expr {
  const { dtype, shape } = x.type;
  const tests: Expr[] = [];
  const axes = axesOf(type.shape);
  const place = axes.map(({ counter }, axis): Expr => {
    const index = localIndex(counter);
    const extent = shape[axis] as Dim;
    if (axis === 0 || axis > low.length) return index;
    const [before, step] = [at(low, axis - 1), at(between, axis - 1) + 1];
    if (before === 0 && sameDim(extent, type.shape[axis] as Dim)) return index;
    const shifted = addIndex(index, constant(-before));
    const own = step === 1 ? shifted : op("div", "i32", [shifted, constant(step)]);
    tests.push(op("lt", "u32", [own, dimIndex(extent)]));
    if (step === 1) return own;
    tests.push(op("ge", "i32", [shifted, constant(0)]));
    tests.push(op("eq", "i32", [op("rem", "i32", [shifted, constant(step)]), constant(0)]));
    return own;
  });
  const reader = new ElementReader(program);
  const element = reader.read(x, place);
  const buffer = program.allocate("bordered", program.bytesOf(type));
  reader.finish([buffer]);
  const [first, ...others] = tests;
  const inside = first && others.reduce((a, b) => op("and", "bool", [a, b]), first);
  const value: Expr =
    inside === undefined
      ? element
      : {
          kind: "when",
          dtype,
          lanes: 1,
          condition: inside,
          then: element,
          otherwise: constant(0, dtype),
        };
  const to = flatIndex(
    type.shape,
    axes.map(({ counter }) => localIndex(counter)),
  );
  program.nestKernel("border", `zeros around ${describe(x)}`, axes, [
    ...reader.statements,
    store(read(buffer.pointer), to, dtype, value),
  ]);
  return read(buffer.pointer);
}

/** Extent of elements `step` apart. */
function spread(extent: Dim, step: number): Dim {
  return addDims(multiplyDims(addDims(extent, -1), step), 1);
}

function ceilDivide(program: Program, extent: Dim, by: number): Expr {
  if (typeof extent === "number") return constant(Math.ceil(extent / by));
  return op("index_div", "i32", [add(program.dim(extent), constant(by - 1)), constant(by)]);
}

function bytesExpr(program: Program, elements: Dim, size: number): Expr {
  return dimExpr(multiplyDims(elements, size), program.symbolLocal);
}
