/** The result of a root: its leaves, and the tree that says how the host sees them. */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import type { Value } from "../../compiler/ir/types.ts";
import { constantTree, type Tree } from "../../runtime/manifest.ts";
import { toDtype } from "./numbers.ts";
import { entriesOf, itemsOf, toDense } from "./objects.ts";
import type { Reader } from "./reader.ts";
import { describe, isBoolean, isNumber, type ReaderValue } from "./values.ts";

export interface Outgoing {
  readonly tree: Tree;
  readonly leaves: readonly Value[];
}

export function outgoing(reader: Reader, value: ReaderValue, node: ts.Node): Outgoing {
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
      const leaf = toDtype(reader, value, "f64", node);
      return { tree: { kind: "leaf", as: "number", dtype: "f64", shape: [] }, leaves: [leaf] };
    }
    case "tensor": {
      const { dtype, shape } = value.value.type;
      return { tree: { kind: "leaf", as: "tensor", dtype, shape }, leaves: [value.value] };
    }
    case "array": {
      const state = reader.heap.read(value.object.state);
      if (state.form === "table") {
        const { tree, leaves } = outgoing(reader, state.columns, node);
        return { tree: { kind: "table", columns: ofElements(tree) }, leaves };
      }
      const items = itemsOf(reader, value, node);
      if (items !== undefined) {
        const parts = items.map((item) => outgoing(reader, item, node));
        return {
          tree: { kind: "tuple", items: parts.map((part) => part.tree) },
          leaves: parts.flatMap((part) => part.leaves),
        };
      }
      const dense = toDense(reader, value, node);
      const { dtype, shape } = dense.type;
      const as = value.object.typed ? "typed" : "array";
      return { tree: { kind: "leaf", as, dtype, shape }, leaves: [dense] };
    }
    case "record": {
      const fields = entriesOf(reader, value, node).map(
        ([name, field]) => [name, outgoing(reader, field, node)] as const,
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

/** Columns, with what an element of each is: a number of an array of numbers. */
function ofElements(tree: Tree): Tree {
  switch (tree.kind) {
    case "leaf": {
      if (tree.shape.length > 1) return tree;
      return { ...tree, as: tree.dtype === "bool" ? "boolean" : "number" };
    }
    case "record":
      return {
        kind: "record",
        fields: tree.fields.map(([name, field]) => [name, ofElements(field)] as const),
      };
    default:
      return tree;
  }
}
