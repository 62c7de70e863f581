/** Inputs that are the same for every system and on every run. */

export interface Data {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** A 32-bit integer hash of a counter, keyed by a seed (the `lowbias32` multipliers). */
function hash(counter: number, seed: number): number {
  let x = (counter + Math.imul(seed, 0x9e3779b9)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Uniform in [offset - scale, offset + scale), 24 bits each. */
export function uniform(shape: readonly number[], seed: number, scale = 1, offset = 0): Data {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = new Float32Array(size);
  for (let k = 0; k < size; k++) {
    data[k] = (((hash(k, seed) >>> 8) / 2 ** 24) * 2 - 1) * scale + offset;
  }
  return { shape, data };
}

/** Row k is 1 at column k mod `classes`, or at the column that `classOf` gives. */
export function oneHot(
  rows: number,
  classes: number,
  classOf = (row: number): number => row % classes,
): Data {
  const data = new Float32Array(rows * classes);
  for (let k = 0; k < rows; k++) data[k * classes + classOf(k)] = 1;
  return { shape: [rows, classes], data };
}

/** The labels of `oneHot`. */
export function labels(rows: number, classes: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, k) => k % classes);
}

/** The same elements with the axes in another order. */
export function permute({ shape, data }: Data, order: readonly number[]): Data {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const moved = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const out = new Float32Array(data.length);
  const index = moved.map(() => 0);
  for (let k = 0; k < out.length; k++) {
    out[k] = data[index.reduce((sum, at, axis) => sum + at * (steps[axis] ?? 0), 0)] ?? 0;
    for (let axis = moved.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (moved[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
  return { shape: moved, data: out };
}

/** All elements of one value. */
export function filled(shape: readonly number[], value: number): Data {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return { shape, data: new Float32Array(size).fill(value) };
}
