/** Handles of arrays: immutable values that programs take and give without copying. */

import { countOf, dtypeOfArray, newArray, type TypedArray } from "./arrays.ts";
import type { DType } from "./manifest.ts";
import { isHere, pool, type Storage } from "./storage.ts";

/** Numbers, and arrays of them by axis. */
export type Nested = number | readonly Nested[];
/** The same with typed arrays as rows, or not. */
export type Rows = number | ArrayLike<number> | readonly Rows[];

function toHeir(storage: Storage): Storage {
  return pool.moved(storage);
}

export class Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  private readonly storage: Storage;
  private isKept = false;

  constructor(storage: Storage, shape: readonly number[], dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
    this.storage = storage;
    pool.track(this, storage);
  }

  /** The elements in row-major order, as a copy. */
  data(): Promise<TypedArray> {
    return pool.readLater(this.storage);
  }

  /** As `data`, at once. Throws an `Error` where the elements are on a device that answers later. */
  dataSync(): TypedArray {
    return pool.read(this.storage);
  }

  /** The elements as numbers nested by axis; a number for shape `[]`. */
  toArray(): Promise<Nested> {
    return this.data().then((data) => nest(data, this.shape));
  }

  toString(): string {
    const count = countOf(this.shape);
    const head = `tensor ${this.dtype}[${this.shape.join(", ")}]`;
    return count > 64 || !isHere(this.storage)
      ? head
      : `${head} ${JSON.stringify(nest(this.dataSync(), this.shape))}`;
  }

  /** Gives the memory back now. Needed for nothing: the collector does the same, later. */
  [Symbol.dispose](): void {
    pool.dispose(this.storage);
  }

  /** For the runtime: a tensor with the memory of another one, which loses it. */
  static heirOf(tensor: Tensor, shape: readonly number[], move = toHeir): Tensor {
    return new Tensor(move(tensor.storage), shape, tensor.dtype);
  }

  /** For the runtime: the host has the tensor too, so no program takes it over. */
  static keep(tensor: Tensor): void {
    tensor.isKept = true;
  }

  static isKept(tensor: Tensor): boolean {
    return tensor.isKept;
  }

  /** For the runtime: a program has taken the tensor over. */
  static takeOver(tensor: Tensor, program: string): void {
    pool.dispose(tensor.storage, `was donated to \`${program}\`: go on with what that returned`);
  }

  /** For the runtime: where the elements are. */
  static storageOf(tensor: Tensor): Storage {
    return tensor.storage;
  }

  /** For the runtime: the address of the elements in the shared memory. */
  static address(tensor: Tensor): number {
    const address = pool.address(tensor, tensor.storage);
    pool.pin(tensor.storage);
    return address;
  }
}

/**
 * A tensor of the given numbers: a number, a typed array, or numbers nested as the shape is, in
 * arrays or typed arrays. The
 * dtype is f32 unless `dtype` says otherwise or the data is an array of integers or halves. The data is copied.
 * Throws a `RangeError` when the shape does not hold the data.
 */
export function tensor(data: Rows, shape?: readonly number[], dtype?: DType): Tensor {
  const own = dtypeOfArray(data);
  const type = dtype ?? (own === "f64" || own === undefined ? "f32" : own);
  const measured = own === undefined ? measure(data) : [(data as TypedArray).length];
  const final = shape ?? measured;
  const count = countOf(final);
  if (count !== countOf(measured)) {
    throw new RangeError(
      `shape [${final.join(", ")}] holds ${count} elements, and ${countOf(measured)} are given`,
    );
  }
  const array = newArray(type, count);
  if (own !== undefined) array.set(data as TypedArray);
  else flatten(data, measured, 0, array, 0);
  return new Tensor(pool.onHost(type, array), [...final], type);
}

/** The shape of nested arrays. Throws a `RangeError` when they are ragged. */
export function measure(data: Rows): number[] {
  const shape: number[] = [];
  for (let inner: Rows | undefined = data; typeof inner === "object"; inner = inner[0]) {
    shape.push(inner.length);
  }
  return shape;
}

/** Writes nested numbers to `out` from `at` on; the position after the last one. */
export function flatten(
  data: Rows,
  shape: readonly number[],
  axis: number,
  out: TypedArray,
  at: number,
): number {
  if (axis === shape.length) {
    if (typeof data === "object") throw ragged(shape);
    out[at] = Number(data);
    return at + 1;
  }
  if (typeof data !== "object" || data.length !== shape[axis]) throw ragged(shape);
  let position = at;
  for (let k = 0; k < data.length; k++) {
    position = flatten(data[k] as Rows, shape, axis + 1, out, position);
  }
  return position;
}

export function ragged(shape: readonly number[]): RangeError {
  return new RangeError(
    `the rows of an array differ in length: the first ones give shape [${shape.join(", ")}]`,
  );
}

export function nest(data: TypedArray, shape: readonly number[]): Nested {
  let position = 0;
  const build = (axis: number): Nested => {
    if (axis === shape.length) return data[position++] as number;
    return Array.from({ length: shape[axis] as number }, () => build(axis + 1));
  };
  return build(0);
}
