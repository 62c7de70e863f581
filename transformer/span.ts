/** Where a node of the source is. */

import type ts from "typescript";
import type { Span } from "../compiler/ir/types.ts";

export function spanOf(node: ts.Node): Span {
  const file = node.getSourceFile();
  const start = node.getStart(file);
  return { file: file.fileName, start, length: node.getEnd() - start };
}
