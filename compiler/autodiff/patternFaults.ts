/** Patterns that are asked for, and are not the same at all values. */

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import * as messages from "../diagnostics/messages.ts";
import { type Graph, rootOf } from "../ir/types.ts";
import { allEquations } from "../ir/walk.ts";
import { decodeCallee } from "./callee.ts";
import { PatternFault } from "./dependence.ts";
import { expand } from "./expand.ts";

/** What keeps a program that asks for a pattern from having one. */
export function patternFaults(graph: Graph): readonly Diagnostic[] {
  const asks = [...allEquations(rootOf(graph).body)].some(
    ({ op, parameters }) =>
      op === "call" && decodeCallee(parameters["callee"]).kind === "dependence",
  );
  if (!asks) return [];
  try {
    expand(graph);
    return [];
  } catch (error) {
    // What else is wrong, compiling says.
    if (!(error instanceof PatternFault)) return [];
    const { what, span, calls } = error;
    const related = calls.map((call) => ({
      message: "when asked for the pattern here",
      span: call,
    }));
    return [messages.unstablePattern({ what }, span ?? calls[0], related)];
  }
}
