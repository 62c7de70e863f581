/** A program's manifest and code → a function of plain values and tensors. */

import { boundExtent, donatedOf, type Given, type Input, ownersOf, takeWith } from "./arguments.ts";
import { bytesPerElement, countOf, viewAt } from "./arrays.ts";
import { build, type Kind } from "./kinds/kind.ts";
import { loaded } from "./loaded.ts";
import { binaryOf, Linked, linkLater, team } from "./link.ts";
import type { Code, Leaf, Manifest } from "./manifest.ts";
import { allParts, allPartsOf, type Parts } from "./parts.ts";
import type { Profile } from "./profile.ts";
import { profiled, type Profiler } from "./profiled.ts";
import { arenaSize, shapeOf } from "./results.ts";
import { explained, releaseTransient, scratchOf, transient } from "./scratch.ts";
import { pool } from "./storage.ts";
import { Tensor } from "./tensor.ts";

/** A compiled function. What it captured is asked for at every call. */
export type Program = (...args: readonly unknown[]) => unknown;

/** As it is loaded: it can be called once to say what that takes. */
export interface LoadedProgram extends Program {
  readonly profile: (...args: readonly unknown[]) => Promise<Profile>;
}

/** A program that runs where it is called; gives the leaves of its result, in order. */
export type HostProgram = (given: Given) => readonly unknown[];

/** As an extent, how many threads there are. */
const threadsSymbol = "#threads";

/** Builds a program now. In a browser's main thread use `loadAsync` for large ones. */
export function load(
  manifest: Manifest,
  code: Code,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  return loadWith(allPartsOf(manifest), manifest, code, captured, profiler);
}

/** As `load`, with the parts of the runtime that the program needs. */
export function loadWith(
  parts: Parts,
  manifest: Manifest,
  code: Code,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  return program(parts, manifest, linkNow(parts, manifest, code), captured, profiler);
}

/** Builds a program that is called with what `takeCall` gives. */
export function loadHost(manifest: Manifest, code: Code): HostProgram {
  return hostProgram(allParts, manifest, linkNow(allParts, manifest, code));
}

function linkNow(parts: Parts, manifest: Manifest, code: Code): Linked {
  const linked = new Linked(manifest.layout, code, parts);
  if (code.kind === "wasm") linked.link(new WebAssembly.Module(binaryOf(code)));
  return linked;
}

/** As `load`, compiling the code off the main thread. */
export async function loadAsync(
  manifest: Manifest,
  code: Code,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): Promise<LoadedProgram> {
  if (code.kind === "js") return load(manifest, code, captured, profiler);
  const parts = allPartsOf(manifest);
  const linked = new Linked(manifest.layout, code, parts);
  await linkLater(linked, code);
  return program(parts, manifest, linked, captured, profiler);
}

// Calls

function program(
  parts: Parts,
  manifest: Manifest,
  linked: Linked,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  const { name, target } = manifest;
  const { kinds, direct } = parts;
  loaded.add(target);
  const call =
    direct === undefined
      ? anyProgram(parts, manifest, linked, captured)
      : direct(manifest, linked, kinds);
  const profile = profiler?.ofCall;
  return profiled(
    name,
    call,
    profile && ((...args) => profile(name, () => call(...args), threadCount())),
  );
}

function threadCount(): number {
  return team.crew?.count ?? 1;
}

function anyProgram(
  parts: Parts,
  manifest: Manifest,
  linked: Linked,
  captured?: () => readonly unknown[],
): Program {
  const { kinds } = parts;
  const run = hostProgram(parts, manifest, linked);
  return (...args) => {
    const values = run(takeWith(parts, manifest, args, captured?.()));
    let k = 0;
    return build(manifest.result, () => values[k++], kinds);
  };
}

function hostProgram({ kinds }: Parts, manifest: Manifest, linked: Linked): HostProgram {
  const { layout, name, result } = manifest;
  const leaves: Leaf[] = [];
  build(result, (leaf) => leaves.push(leaf), kinds);
  return ({ inputs: given, extents }) => {
    extents.set(threadsSymbol, threadCount());
    const inputs = given.map(byValue);
    const symbols = layout.symbols.map((symbol) => boundExtent(symbol, extents));
    // Everything that a call needs besides tensors, one after the other.
    let bytes = arenaSize(layout, extents);
    const reserve = (size: number): number => {
      const at = bytes;
      bytes += Math.ceil(size / 16) * 16;
      return at;
    };
    const places = inputs.map((input) => (input.kind === "copy" ? reserve(input.bytes) : 0));
    const owners = ownersOf(layout, inputs);
    const results = leaves.map((leaf, k): number | Tensor => {
      if (layout.results[k]?.kind !== "passed" || owners.has(k)) return 0;
      const shape = shapeOf(leaf, extents);
      if (leaf.as === "tensor") return newTensor(leaf, shape);
      return reserve(countOf(shape) * bytesPerElement(leaf.dtype));
    });
    try {
      // Tensors first: they may move memory, and they do not move once they are pinned.
      const tensors = inputs.map((input) =>
        input.kind === "tensor" ? Tensor.address(input.tensor) : 0,
      );
      const base = scratchOf(bytes);
      const { views } = pool.memory;
      const operands = inputs.map((input, k) => {
        if (input.kind === "scalar") return input.value;
        if (input.kind === "tensor") return tensors[k] as number;
        const address = base + (places[k] as number);
        const { dtype } = input.leaf;
        kinds.array?.write?.(input, viewOf(address, dtype, countOf(input.shape)));
        return address;
      });
      results.forEach((made, k) => {
        if (layout.results[k]?.kind !== "passed") return;
        const owner = owners.get(k);
        if (owner !== undefined) operands.push(tensors[owner] as number);
        else operands.push(typeof made === "number" ? base + made : Tensor.address(made));
      });
      let returned: number | undefined;
      try {
        returned = linked.run(...operands, ...symbols, base);
        for (const [k, owner] of owners) {
          const input = inputs[owner];
          if (input?.kind !== "tensor") continue;
          results[k] = Tensor.heirOf(input.tensor, shapeOf(leaves[k] as Leaf, extents));
        }
      } finally {
        // Of what was written in place nothing is left, even if the program failed.
        for (const tensor of donatedOf(layout, inputs)) Tensor.takeOver(tensor, name);
      }
      const wordAt = (offset: number): number => views.i32[(base + offset) >> 2] as number;
      for (const { symbol, offset } of layout.bound) extents.set(symbol, wordAt(offset));
      return leaves.map((leaf, k) => {
        const made = results[k];
        if (made instanceof Tensor) return made;
        const place = layout.results[k];
        const { as, dtype } = leaf;
        const ofNumber = (value: number): unknown => kinds[as as Scalar]?.ofNumber?.(leaf, value);
        if (place?.kind === "returned") return ofNumber(returned as number);
        if (place?.kind === "stored") {
          return ofNumber(viewOf(base + place.offset, dtype, 1)[0] as number);
        }
        const address =
          place?.kind === "allocated" ? wordAt(place.offset) : base + (made as number);
        const kind: Kind | undefined = as === "tensor" ? kinds.tensor : kinds.array;
        if (as === "tensor") transient.delete(address);
        return kind?.ofMemory?.(leaf, shapeOf(leaf, extents), address);
      });
    } catch (error) {
      throw explained(error, name);
    } finally {
      releaseTransient();
      pool.unpinAll();
    }
  };
}

type Scalar = "number" | "boolean" | "tensor";

function viewOf(address: number, dtype: Leaf["dtype"], length: number) {
  return viewAt(pool.memory.memory.buffer, address, dtype, length);
}

/** A tensor without axes is passed as its number. */
function byValue(input: Input): Input {
  if (input.kind !== "tensor" || input.tensor.shape.length > 0) return input;
  return { kind: "scalar", value: input.tensor.dataSync()[0] as number };
}

function newTensor({ dtype }: Leaf, shape: readonly number[]): Tensor {
  const storage = pool.onDevice(dtype, countOf(shape));
  pool.pin(storage);
  return new Tensor(storage, shape, dtype);
}
