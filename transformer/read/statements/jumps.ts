/** `break` and `continue`. */

import ts from "typescript";
import type { Exit, Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";

export function jumpStatement(_: Reader, node: ts.BreakOrContinueStatement, scope: Scope): Exit {
  const kind = ts.isBreakStatement(node) ? "break" : "continue";
  const jump = scope.findJump(node.label?.text, kind);
  const target = kind === "break" ? jump?.breakTarget : jump?.continueTarget;
  if (target === undefined) throw new Error(`${kind} outside of a loop`);
  return { kind: "abrupt", target };
}
