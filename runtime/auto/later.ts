/**
 * A call on the host of a program some of whose arguments are on a device: it runs when these have
 * been read, and its results are handles until then.
 */

import { type Copied, donatedOf, type Given, type Input, writeInput } from "../arguments.ts";
import { countOf, newArray, type TypedArray } from "../arrays.ts";
import { evaluate, type Extents } from "../dims.ts";
import type { HostProgram } from "../load.ts";
import { isPlain, type Leaf, leavesOf, type Manifest } from "../manifest.ts";
import { onHostLater } from "../remote.ts";
import { buildResult } from "../results.ts";
import { pool } from "../storage.ts";
import { Tensor } from "../tensor.ts";

/** The leaves of the result, when the program has run. The arguments are taken before this returns. */
export function runLater(
  manifest: Manifest,
  run: HostProgram,
  given: Given,
): Promise<readonly unknown[]> {
  const { extents } = given;
  const { inputs } = withCopies(given);
  const reading = inputs.map(read);
  for (const tensor of donatedOf(manifest.layout, inputs)) Tensor.takeOver(tensor, manifest.name);
  return Promise.all(reading).then((read) => run({ inputs: read, extents }));
}

/** The arrays among the arguments as copies: the caller may write to them. Throws where rows differ. */
export function withCopies({ inputs, extents }: Given): Given {
  return {
    inputs: inputs.map((input) => (input.kind === "copy" ? copied(input) : input)),
    extents,
  };
}

/** A tensor with elements of its own: the caller may dispose of it. */
async function read(input: Input): Promise<Input> {
  if (input.kind !== "tensor") return input;
  const { tensor } = input;
  const data = await pool.readLater(Tensor.storageOf(tensor));
  const storage = pool.onHost(tensor.dtype, data);
  return { kind: "tensor", tensor: new Tensor(storage, tensor.shape, tensor.dtype) };
}

function copied(input: Copied): Copied {
  const data = newArray(input.leaf.dtype, countOf(input.shape));
  writeInput(input, data);
  return { ...input, data, shape: [data.length] };
}

/** Makes the result of a call from its leaves: tensors at once, anything else as a promise. */
type Giver = (values: Promise<readonly unknown[]>) => unknown;

/** Of a call with such extents; undefined where tensors have lengths that only the program knows. */
export function giverOf({ result }: Manifest, extents: Extents): Giver | undefined {
  const built = (leaf: (k: number) => unknown): unknown => {
    let k = 0;
    return buildResult(result, () => leaf(k++));
  };
  if (isPlain(result)) return (values) => values.then((all) => built((k) => all[k]));
  const leaves = leavesOf(result);
  const shapes = leaves.map(({ shape }) => shape.map((dim) => evaluate(dim, extents)));
  if (!shapes.every(isKnown)) return undefined;
  return (values) =>
    built((k) => {
      const { dtype } = leaves[k] as Leaf;
      const shape = shapes[k] as readonly number[];
      const elements = values.then((all): TypedArray => (all[k] as Tensor).dataSync());
      return new Tensor(onHostLater(dtype, countOf(shape), elements), shape, dtype);
    });
}

function isKnown(shape: readonly (number | undefined)[]): shape is readonly number[] {
  return !shape.includes(undefined);
}
