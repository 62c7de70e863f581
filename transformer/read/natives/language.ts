/** The names of the language: tensor functions, and the roots inside compiled code. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Reader } from "../reader.ts";
import { Scope } from "../scope.ts";
import type { NativeValue, ReaderValue } from "../values.ts";
import { type Declared, isFunctionNode } from "../world.ts";
import { surfaceFunction } from "./tensors.ts";
import { transforms } from "./transforms.ts";
import { treeMap } from "./trees.ts";
import { tensorLiteral } from "./literal.ts";

const others: Readonly<Record<string, NativeValue>> = {
  tensor: { kind: "native", name: "tensor", call: tensorLiteral },
  treeMap: { kind: "native", name: "treeMap", call: treeMap },
};

const later = ["on"];

export function languageValue(
  reader: Reader,
  declared: Declared & { readonly kind: "language" },
  node: ts.Node,
): ReaderValue {
  const { name, declaration } = declared;
  const transform = Object.hasOwn(transforms, name) ? transforms[name] : undefined;
  if (transform !== undefined) return transform;
  if (Object.hasOwn(others, name)) return others[name] as NativeValue;
  const known = surfaceFunction(reader, name);
  if (known !== undefined) return known;
  if (later.includes(name)) {
    return reader.fail(
      messages.notYetSupported(
        { what: `\`${name}\``, wayOut: "write the function without it" },
        reader.span(node),
      ),
    );
  }
  if (isFunctionNode(declaration) && declaration.body !== undefined) {
    return { kind: "function", declaration, scope: new Scope(), name };
  }
  return reader.fail(messages.unknownCallee({ name }, reader.span(node)));
}

export function functionArgument(
  reader: Reader,
  root: string,
  value: ReaderValue | undefined,
  node: ts.Node,
): ReaderValue & { readonly kind: "function" | "native" } {
  if (value?.kind === "function" || (value?.kind === "native" && value.call !== undefined)) {
    return value;
  }
  return reader.fail(messages.notAFunctionRoot({ root }, reader.span(node)));
}
