/** What a `call` equation calls: a function of the graph, or a transform of one. */

import type { Dim } from "../ir/dim.ts";

export type Callee =
  | { readonly kind: "function"; readonly name: string }
  /** Inputs: primals, then a cotangent for each floating-point result. Outputs: results, then
   * cotangents of the active inputs. */
  | { readonly kind: "vjp"; readonly of: Callee; readonly active: readonly boolean[] }
  /** Inputs: primals, then tangents of the active inputs. Outputs: results, then tangents of the
   * floating-point results. */
  | { readonly kind: "jvp"; readonly of: Callee; readonly active: readonly boolean[] }
  /** Batched inputs, and all outputs, have the new axis first. */
  | {
      readonly kind: "vmap";
      readonly of: Callee;
      readonly batched: readonly boolean[];
      readonly size: Dim;
    };

/** The callee as the parameter of a `call` equation. */
export function encodeCallee(callee: Callee): string {
  return JSON.stringify(callee);
}

export function decodeCallee(text: unknown): Callee {
  return JSON.parse(String(text)) as Callee;
}

/** `vjp(vmap(@loss))` */
export function calleeText(callee: Callee): string {
  return callee.kind === "function"
    ? `@${callee.name}`
    : `${callee.kind}(${calleeText(callee.of)})`;
}
