/**
 * What ships of a program. For "auto" that is its code for wasm, and code for each graphics device
 * that can run it.
 */

import type { Compiled, CompilerOptions, Signature } from "../compiler/compile.ts";
import { isTarget, targetNames } from "../compiler/compile.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import * as messages from "../compiler/diagnostics/messages.ts";
import type { Graph, Span } from "../compiler/ir/types.ts";
import { NotOnDevice } from "../compiler/targets/gpu/split.ts";
import { isPlain, leavesOf } from "../runtime/manifest.ts";
import { hasComputedLength } from "./read/root.ts";

/** Targets of roots and of builds. */
export type TargetName = CompilerOptions["target"] | "auto";
export const rootTargetNames: readonly TargetName[] = [...targetNames, "auto"];

export function isRootTarget(name: string | undefined): name is TargetName {
  return name === "auto" || isTarget(name);
}

/** The devices of "auto", best first, and what the runtime calls the queues of their work. */
const devices = [
  { target: "webgpu", queue: "webgpu" },
  { target: "webgl", queue: "webgl" },
] as const;

export type CompileProgram = (
  graph: Graph,
  signature: Signature,
  options: CompilerOptions,
) => Promise<Compiled>;

export interface ShipOptions extends Omit<CompilerOptions, "target"> {
  readonly target: TargetName;
}

/** A program, and for "auto" what there is of it for devices. */
export interface Shipped extends Compiled {
  readonly offers?: readonly Offer[];
}

/** Code for a device, or why there is none. */
export type Offer =
  | { readonly target: string; readonly queue: string; readonly compiled: Compiled }
  | { readonly target: string; readonly why: string };

/** Compiles what ships of a program. `root` is where faults are that know no better place. */
export async function ship(
  graph: Graph,
  signature: Signature,
  options: ShipOptions,
  compile: CompileProgram,
  root: Span,
): Promise<Shipped> {
  const { target, ...rest } = options;
  if (target !== "auto") return compile(graph, signature, { ...rest, target });
  const onHost = await compile(graph, signature, { ...rest, target: "wasm" });
  const offers: Offer[] = [];
  for (const { target, queue } of devices) {
    const why = (refusal: Diagnostic): Offer => ({ target, why: refusal.message });
    const [refusal] = [...lengths(signature, target, root), ...precision(signature, target, root)];
    if (refusal !== undefined) {
      offers.push(why(refusal));
      continue;
    }
    try {
      const compiled = await compile(graph, signature, { ...rest, target });
      offers.push({ target, queue, compiled });
    } catch (error) {
      if (!(error instanceof NotOnDevice)) throw error;
      offers.push(why(notOnDevice(error, signature.name, target, root)));
    }
  }
  return { ...onHost, offers };
}

/** What no device can run, as the user is told. */
export function notOnDevice(
  { reason, span }: NotOnDevice,
  name: string,
  target: string,
  root: Span,
): Diagnostic {
  return reason === "memory"
    ? messages.memoryOnDevice({ name, target }, span ?? root)
    : messages.recursionOnDevice({ name, target }, span ?? root);
}

/** Tensors that types promise at once, and whose shapes are known when the program has run. */
export function lengths(signature: Signature, target: string, root: Span): readonly Diagnostic[] {
  if (isPlain(signature.result) || !hasComputedLength(signature)) return [];
  return [messages.lengthOnDevice({ name: signature.name, target }, root)];
}

/** Doubles at the border of a program that computes in single precision. */
export function precision(
  { name, parameters, captured, result }: Signature,
  target: string,
  root: Span,
): readonly Diagnostic[] {
  const trees = [...[...parameters, ...captured].map(({ tree }) => tree), result];
  const isDouble = trees.some((tree) => leavesOf(tree).some(({ dtype }) => dtype === "f64"));
  return isDouble ? [messages.singlePrecision({ name, target }, root)] : [];
}
