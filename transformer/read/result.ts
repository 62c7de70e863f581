/** The result of a root: its leaves, and the tree that says how the host sees them. */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import type { Value } from "../../compiler/ir/types.ts";
import { constantTree, type Tree } from "../../runtime/manifest.ts";
import { toDtype } from "./numbers.ts";
import { entriesOf, itemsOf, toDense } from "./objects.ts";
import type { Reader } from "./reader.ts";
import { columnsIn } from "./tables.ts";
import { describe, isBoolean, isNumber, type ReaderValue } from "./values.ts";

export interface Outgoing {
  readonly tree: Tree;
  readonly leaves: readonly Value[];
}

/** In a table, the first `axes` of each array are those of the tables around it. */
export function outgoing(reader: Reader, value: ReaderValue, node: ts.Node, axes = 0): Outgoing {
  const inner = (part: ReaderValue): Outgoing => outgoing(reader, part, node, axes);
  switch (value.kind) {
    case "static":
      return { tree: constantTree(value.value), leaves: [] };
    case "dim":
    case "integer":
    case "scalar": {
      if (isBoolean(value)) {
        const leaf = toDtype(reader, value, "bool", node);
        return {
          tree: { kind: "leaf", as: "boolean", dtype: "bool", shape: [] },
          leaves: [leaf],
        };
      }
      if (!isNumber(value)) break;
      return numberLeaf(toDtype(reader, value, "f64", node));
    }
    case "tensor": {
      const { dtype, shape } = value.value.type;
      return { tree: { kind: "leaf", as: "tensor", dtype, shape }, leaves: [value.value] };
    }
    case "array": {
      const state = reader.heap.read(value.object.state);
      if (state.form === "table") {
        const { tree, leaves } = outgoing(reader, columnsIn(state, value), node, axes + 1);
        return { tree: { kind: "table", columns: tree }, leaves };
      }
      const items = itemsOf(reader, value, node);
      if (items !== undefined) {
        const parts = items.map(inner);
        return {
          tree: { kind: "tuple", items: parts.map((part) => part.tree) },
          leaves: parts.flatMap((part) => part.leaves),
        };
      }
      const dense = toDense(reader, value, node);
      const { dtype, shape } = dense.type;
      const element = dtype === "bool" ? "boolean" : "number";
      const as = shape.length === axes ? element : value.object.typed ? "typed" : "array";
      return { tree: { kind: "leaf", as, dtype, shape }, leaves: [dense] };
    }
    case "record": {
      const fields = entriesOf(reader, value, node).map(
        ([name, field]) => [name, inner(field)] as const,
      );
      return {
        tree: { kind: "record", fields: fields.map(([name, { tree }]) => [name, tree] as const) },
        leaves: fields.flatMap(([, { leaves }]) => leaves),
      };
    }
    default:
  }
  return reader.fail(messages.unsupportedResult({ what: describe(value) }, reader.span(node)));
}

function numberLeaf(leaf: Value): Outgoing {
  return { tree: { kind: "leaf", as: "number", dtype: "f64", shape: [] }, leaves: [leaf] };
}
