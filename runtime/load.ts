/** A program's manifest and code → a function of plain values and tensors. */

import {
  boundExtent,
  type Given,
  givenOr,
  type Input,
  donatedOf,
  ownersOf,
  takeCall,
  writeInput,
} from "./arguments.ts";
import { bytesPerElement, countOf, viewAt } from "./arrays.ts";
import { evaluate, type Extents } from "./dims.ts";
import { loaded } from "./loaded.ts";
import { binaryOf, Linked, linkLater, team, transient } from "./link.ts";
import { type Argument, type Code, type Leaf, leavesOf, type Manifest } from "./manifest.ts";
import type { Profile } from "./profile.ts";
import { profiled, type Profiler } from "./profiled.ts";
import { pool } from "./storage.ts";
import { buildResult, plainArray, shapeOf, slotSize } from "./results.ts";
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
  return program(manifest, linkNow(manifest, code), captured, profiler);
}

/** Builds a program that is called with what `takeCall` gives. */
export function loadHost(manifest: Manifest, code: Code): HostProgram {
  return hostProgram(manifest, linkNow(manifest, code));
}

function linkNow(manifest: Manifest, code: Code): Linked {
  const linked = new Linked(manifest.layout, code);
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
  const linked = new Linked(manifest.layout, code);
  await linkLater(linked, code);
  return program(manifest, linked, captured, profiler);
}

/** The engine's own words for a full stack name neither the function nor a way out. */
function explained(error: unknown, name: string): unknown {
  if (!(error instanceof Error) || !/call stack|recursion/.test(error.message)) return error;
  return new RangeError(
    `${name}: calls go too deep for the stack; write the recursion as a loop, or make it shallower`,
    { cause: error },
  );
}

// Calls

/** The bytes that calls work in: the arena, copies of arguments, plain results. */
const scratch = { address: 0, bytes: 0 };

function scratchOf(bytes: number): number {
  if (bytes > scratch.bytes) {
    if (scratch.bytes > 0) pool.memory.release(scratch.address);
    scratch.bytes = 0;
    scratch.address = pool.memory.allocate(bytes);
    scratch.bytes = bytes;
  }
  return scratch.address;
}

function program(
  manifest: Manifest,
  linked: Linked,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  const { name, target } = manifest;
  loaded.add(target);
  const call = scalarProgram(manifest, linked) ?? anyProgram(manifest, linked, captured);
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
  manifest: Manifest,
  linked: Linked,
  captured?: () => readonly unknown[],
): Program {
  const run = hostProgram(manifest, linked);
  return (...args) => {
    const values = run(takeCall(manifest, args, captured?.()));
    let k = 0;
    return buildResult(manifest.result, () => values[k++]);
  };
}

function hostProgram(manifest: Manifest, linked: Linked): HostProgram {
  const { layout } = manifest;
  const leaves = leavesOf(manifest.result);
  return (given) => {
    const { extents } = given;
    extents.set(threadsSymbol, threadCount());
    const inputs = given.inputs.map(byValue);
    const symbols = layout.symbols.map((name) => boundExtent(name, extents));
    // Everything that a call needs besides tensors, one after the other.
    let bytes = 0;
    const reserve = (size: number): number => {
      const at = bytes;
      bytes += Math.ceil(size / 16) * 16;
      return at;
    };
    for (const sizes of layout.arena) reserve(slotSize(sizes, extents));
    const places = inputs.map((input) => (input.kind === "copy" ? reserve(input.bytes) : 0));
    const shapes = leaves.map(({ shape }) => shape.map((dim) => evaluate(dim, extents)));
    const owners = ownersOf(layout, inputs);
    const results = leaves.map((leaf, k): number | Tensor => {
      if (layout.results[k]?.kind !== "passed" || owners.has(k)) return 0;
      const shape = shapes[k] as number[];
      if (leaf.as === "tensor") return newTensor(leaf, shape);
      return reserve(countOf(shape) * bytesPerElement(leaf.dtype));
    });
    try {
      // Tensors first: they may move memory, and they do not move once they are pinned.
      const tensors = inputs.map((input) =>
        input.kind === "tensor" ? Tensor.address(input.tensor) : 0,
      );
      const base = scratchOf(bytes);
      const operands = inputs.map((input, k) => {
        if (input.kind === "scalar") return input.value;
        if (input.kind === "tensor") return tensors[k] as number;
        const address = base + (places[k] as number);
        const { dtype } = input.leaf;
        const length = countOf(input.shape);
        writeInput(input, viewAt(pool.memory.memory.buffer, address, dtype, length));
        return address;
      });
      leaves.forEach((_, k) => {
        if (layout.results[k]?.kind !== "passed") return;
        const result = results[k] as number | Tensor;
        const owner = owners.get(k);
        if (owner !== undefined) operands.push(tensors[owner] as number);
        else operands.push(typeof result === "number" ? base + result : Tensor.address(result));
      });
      let returned: number | undefined;
      try {
        returned = linked.run(...operands, ...symbols, base);
        for (const [k, owner] of owners) {
          const input = inputs[owner];
          if (input?.kind === "tensor") {
            results[k] = Tensor.heirOf(input.tensor, shapes[k] as number[]);
          }
        }
      } finally {
        // Of what was written in place nothing is left, even if the program failed.
        for (const tensor of donatedOf(layout, inputs)) Tensor.takeOver(tensor, manifest.name);
      }
      for (const { symbol, offset } of layout.bound) {
        extents.set(symbol, pool.memory.views.i32[(base + offset) >> 2] as number);
      }
      return leaves.map((leaf, k) =>
        takeResult(manifest, leaf, k, returned, base, results[k], extents),
      );
    } catch (error) {
      throw explained(error, manifest.name);
    } finally {
      for (const address of transient) pool.memory.release(address);
      transient.clear();
      pool.unpinAll();
    }
  };
}

/** A tensor without axes is passed as its number. */
function byValue(input: Input): Input {
  if (input.kind !== "tensor" || input.tensor.shape.length > 0) return input;
  return { kind: "scalar", value: input.tensor.dataSync()[0] as number };
}

/** Numbers in, one number out: called without ceremony. */
function scalarProgram({ name, parameters, captured, result, layout }: Manifest, linked: Linked) {
  const numbers = parameters.every(({ tree }) => tree.kind === "leaf" && tree.as === "number");
  const plain =
    numbers && captured.length === 0 && layout.symbols.length === 0 && parameters.length <= 8;
  if (!plain || result.kind !== "leaf" || result.as !== "number") return undefined;
  if (layout.results[0]?.kind !== "returned" || result.dtype !== "f64") return undefined;
  const bytes = layout.arena.reduce((sum, sizes) => {
    return sum + Math.ceil(slotSize(sizes, new Map()) / 16) * 16;
  }, 0);
  const count = parameters.length;
  return (...args: readonly unknown[]): unknown => {
    const operands = args.slice(0, count) as number[];
    for (let k = 0; k < count; k++) {
      if (typeof operands[k] === "number") continue;
      const parameter = parameters[k] as Argument;
      const value = givenOr(parameter, operands[k]);
      if (typeof value !== "number") {
        throw new TypeError(`${parameter.name}: expected a number, got ${typeof value}`);
      }
      operands[k] = value;
    }
    operands.push(bytes === 0 ? 0 : scratchOf(bytes));
    try {
      return linked.run(...operands);
    } catch (error) {
      throw explained(error, name);
    } finally {
      if (transient.size > 0) {
        for (const address of transient) pool.memory.release(address);
        transient.clear();
      }
    }
  };
}

function newTensor(leaf: Leaf, shape: readonly number[]): Tensor {
  const storage = pool.onDevice(leaf.dtype, countOf(shape));
  pool.pin(storage);
  return new Tensor(storage, shape, leaf.dtype);
}

function takeResult(
  manifest: Manifest,
  leaf: Leaf,
  k: number,
  returned: number | undefined,
  base: number,
  passed: number | Tensor | undefined,
  extents: Extents,
): unknown {
  const place = manifest.layout.results[k];
  const { views, memory } = pool.memory;
  switch (place?.kind) {
    case "returned":
      return fromScalar(leaf, returned as number);
    case "stored":
      return fromScalar(leaf, readScalar(leaf, base + place.offset));
    case "passed":
      if (passed instanceof Tensor) return passed;
      return fromArray(leaf, shapeOf(leaf, extents), base + (passed as number));
    case "allocated": {
      const address = views.i32[(base + place.offset) >> 2] as number;
      const shape = shapeOf(leaf, extents);
      if (leaf.as !== "tensor") return fromArray(leaf, shape, address);
      transient.delete(address);
      return new Tensor(pool.adopt(leaf.dtype, countOf(shape), address), shape, leaf.dtype);
    }
    default:
      throw new Error(
        `result ${k} of ${manifest.name} in ${memory.buffer.byteLength} bytes is lost`,
      );
  }
}

function readScalar(leaf: Leaf, address: number): number {
  return viewAt(pool.memory.memory.buffer, address, leaf.dtype, 1)[0] as number;
}

function fromScalar(leaf: Leaf, value: number): unknown {
  if (leaf.as === "boolean") return value !== 0;
  if (leaf.as === "tensor") {
    const storage = pool.onDevice(leaf.dtype, 1);
    const made = new Tensor(storage, [], leaf.dtype);
    viewAt(pool.memory.memory.buffer, Tensor.address(made), leaf.dtype, 1)[0] = value;
    return made;
  }
  return leaf.dtype === "u32" ? value >>> 0 : value;
}

function fromArray(leaf: Leaf, shape: readonly number[], address: number): unknown {
  const { buffer } = pool.memory.memory;
  return plainArray(leaf, shape, viewAt(buffer, address, leaf.dtype, countOf(shape)));
}
