/** `treeMap(f, tree, …trees)`: a function over the leaves of records and tuples of one structure. */

import * as messages from "../../../compiler/diagnostics/messages.ts";
import { invoke } from "../expressions/calls.ts";
import { entriesOf, itemsOf, newList, newRecord } from "../objects.ts";
import type { Reader } from "../reader.ts";
import { describe, type NativeCall, type ReaderValue, undefinedValue } from "../values.ts";

export function treeMap(reader: Reader, call: NativeCall): ReaderValue {
  const [each = undefinedValue, ...trees] = call.arguments;
  const { node } = call;
  const visit = (parts: readonly ReaderValue[]): ReaderValue => {
    const [first] = parts;
    if (first?.kind === "record") {
      const fields = parts.map((part) =>
        part.kind === "record" ? new Map(entriesOf(reader, part, node)) : differ(first, part),
      );
      const names = [...(fields[0]?.keys() ?? [])];
      return newRecord(
        reader,
        names.map((name) => {
          const leaves = fields.map((map) => map.get(name) ?? differ(first, undefinedValue));
          return [name, visit(leaves)] as const;
        }),
      );
    }
    if (first?.kind === "array") {
      const items = parts.map((part) =>
        part.kind === "array" ? itemsOf(reader, part, node) : undefined,
      );
      const [own] = items;
      if (own !== undefined) {
        return newList(
          reader,
          own.map((_, k) => visit(items.map((list) => list?.[k] ?? differ(first, undefinedValue)))),
        );
      }
    }
    return invoke(reader, each, { ...call, arguments: parts });
  };
  const differ = (one: ReaderValue, other: ReaderValue): never =>
    reader.fail(
      messages.pathsDiffer(
        { name: "treeMap", one: describe(one), other: describe(other) },
        reader.span(node),
      ),
    );
  return visit(trees);
}
