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
  /**
   * Inputs and outputs as of a `jvp`, with masks for tangents; `touched` marks other inputs that
   * depend on the same.
   */
  | {
      readonly kind: "dependence";
      readonly of: Callee;
      readonly active: readonly boolean[];
      readonly touched: readonly boolean[];
    }
  /** Batched inputs, and all outputs, have the new axis first. */
  | {
      readonly kind: "vmap";
      readonly of: Callee;
      readonly batched: readonly boolean[];
      readonly size: Dim;
      /** One element after the other: faster where the function is made of loops. */
      readonly inTurn?: boolean;
    }
  | CustomCallee;

/** A function with a derivative of its own. Its last `captured` inputs are what it captures. */
export type CustomCallee =
  /** The derivative is computed again from the inputs: nothing is kept. */
  | { readonly kind: "checkpoint"; readonly of: Callee }
  | (CustomRule & {
      readonly kind: "custom";
      /** What the user calls it. */
      readonly name: string;
      readonly primal: Callee;
      /** The inputs that the rule is about. */
      readonly smooth: readonly boolean[];
      readonly captured: number;
    });

type CustomRule =
  /** Inputs: those of the function, then tangents of the smooth ones. Outputs as of a `jvp`. */
  | { readonly jvp: Callee }
  /**
   * `fwd` gives the results and then residuals; `bwd` takes residuals, what is captured, and
   * cotangents of the floating-point results, and gives cotangents of the smooth inputs.
   */
  | {
      readonly fwd: Callee;
      readonly bwd: Callee;
      /** How many residuals there are, and how many floating-point results. */
      readonly residuals: number;
      readonly cotangents: number;
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
  switch (callee.kind) {
    case "function":
      return `@${callee.name}`;
    case "custom":
      return `custom(${calleeText(callee.primal)})`;
    default:
      return `${callee.kind}(${calleeText(callee.of)})`;
  }
}

/** The functions of the graph that a callee names, rules included. */
export function namedFunctions(callee: Callee): readonly string[] {
  switch (callee.kind) {
    case "function":
      return [callee.name];
    case "custom": {
      const rules = "jvp" in callee ? [callee.jvp] : [callee.fwd, callee.bwd];
      return [callee.primal, ...rules].flatMap(namedFunctions);
    }
    default:
      return namedFunctions(callee.of);
  }
}
