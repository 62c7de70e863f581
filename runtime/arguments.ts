/** Arguments → what the program is called with: checked, flattened, their symbols bound. */

import { dimText, evaluate, type Extents, type Lengths, solve, symbolOf } from "./dims.ts";
import { allKinds } from "./kinds/all.ts";
import { build, type Input, type Kinds, take, type Taking, type Waiting } from "./kinds/kind.ts";
import type { Argument, Layout, Leaf, Manifest } from "./manifest.ts";
import { Tensor } from "./tensor.ts";

export { writeInput } from "./kinds/arrays.ts";
export type { Copied, Input } from "./kinds/kind.ts";

/** A call taken apart: what it is given, and the extents that this binds. */
export interface Given {
  readonly inputs: readonly Input[];
  readonly extents: Extents;
}

/** What a call is given: its arguments, and what the program captures. */
export function takeCall(
  manifest: Pick<Manifest, "parameters" | "captured">,
  args: readonly unknown[],
  captured?: readonly unknown[],
): Given {
  return takeWith({ kinds: allKinds, lengths: { solve, dimText } }, manifest, args, captured);
}

interface Takers {
  readonly kinds: Kinds;
  readonly lengths?: Lengths;
}

/** As `takeCall`, with the kinds of values and of lengths that the program knows. */
export function takeWith(
  takers: Takers,
  manifest: Pick<Manifest, "parameters" | "captured">,
  args: readonly unknown[],
  captured: readonly unknown[] = [],
): Given {
  const extents: Extents = new Map();
  const inputs = [
    ...takeArguments(takers, manifest.parameters, args, extents),
    ...takeArguments(takers, manifest.captured, captured, extents),
  ];
  return { inputs, extents };
}

/** Flattens arguments, and binds in `extents` the symbols that their shapes mention. */
function takeArguments(
  { kinds, lengths }: Takers,
  expected: readonly Argument[],
  values: readonly unknown[],
  extents: Extents,
): readonly Input[] {
  const taking: Taking = { kinds, inputs: [], shapes: [] };
  expected.forEach((argument, k) => {
    take(argument.tree, givenOr(argument, values[k], kinds), argument.name, taking);
  });
  unify(taking.shapes, extents, lengths);
  return taking.inputs;
}

/** An argument as it is given, or its default, which has no leaves. */
export function givenOr({ default: otherwise }: Argument, value: unknown, kinds: Kinds): unknown {
  return value === undefined && otherwise !== undefined
    ? build(otherwise, () => undefined, kinds)
    : value;
}

/** Binds symbols from the shapes; those that stand alone first, then `2*B` and the like. */
function unify(shapes: readonly Waiting[], extents: Extents, lengths?: Lengths): void {
  const inOrder = [...shapes].sort((a, b) => Number(isPart(a)) - Number(isPart(b)));
  for (const { path, leaf, shape } of inOrder) {
    if (leaf.shape.length !== shape.length) throw wrongShape(path, leaf, shape, lengths);
    leaf.shape.forEach((dim, axis) => {
      const symbol = symbolOf(dim);
      if (symbol !== undefined && !extents.has(symbol)) extents.set(symbol, shape[axis] as number);
    });
  }
  for (const { leaf, shape } of inOrder) {
    leaf.shape.forEach((dim, axis) => {
      if (typeof dim === "number" || evaluate(dim, extents) !== undefined) return;
      lengths?.solve(dim, shape[axis] as number, extents);
    });
  }
  for (const { path, leaf, shape, told } of shapes) {
    leaf.shape.slice(0, told).forEach((dim, axis) => {
      if (evaluate(dim, extents) !== shape[axis])
        throw wrongShape(path, leaf, shape, lengths, extents);
    });
  }
}

/** Such an extent is what another argument says it is, and 0 if none does. */
function isPart({ shape, told }: Waiting): boolean {
  return told < shape.length;
}

function wrongShape(
  path: string,
  leaf: Leaf,
  shape: readonly number[],
  lengths: Lengths | undefined,
  extents: Extents = new Map(),
): RangeError {
  const expected = leaf.shape.map((dim) => {
    const text = typeof dim === "number" ? dim : (symbolOf(dim) ?? lengths?.dimText(dim));
    const value = evaluate(dim, extents);
    return value === undefined || typeof dim === "number" ? text : `${text} = ${value}`;
  });
  return new RangeError(`${path}: expected [${expected.join(", ")}], got [${shape.join(", ")}]`);
}

/** For each result that is written in place, the argument in whose memory it is. */
export function ownersOf(layout: Layout, inputs: readonly Input[]): ReadonlyMap<number, number> {
  const owners = new Map<number, number>();
  for (const [leaf, result] of layout.inPlace) {
    const input = inputs[leaf];
    if (input?.kind !== "tensor") continue;
    const isShared = inputs.some(
      (other) => other !== input && other.kind === "tensor" && other.tensor === input.tensor,
    );
    if (!isShared && !Tensor.isKept(input.tensor)) owners.set(result, leaf);
  }
  return owners;
}

/** The tensors that a call takes over: those that it is donated, without the ones that are kept. */
export function donatedOf({ donated }: Layout, inputs: readonly Input[]): readonly Tensor[] {
  return donated.flatMap((leaf) => {
    const input = inputs[leaf];
    return input?.kind === "tensor" && !Tensor.isKept(input.tensor) ? [input.tensor] : [];
  });
}

/** The extent that the arguments give a symbol; throws a `RangeError` where none does. */
export function boundExtent(name: string, extents: Extents): number {
  const extent = extents.get(name);
  if (extent === undefined) {
    throw new RangeError(`no argument says how large ${name} is`);
  }
  return extent;
}
