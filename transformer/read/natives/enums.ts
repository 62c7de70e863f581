/** Enums: their members are numbers and strings that are known when the program is compiled. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Declared } from "../world.ts";
import { fixed, type NativeValue } from "../values.ts";

export function enumObject({
  name,
  members,
  checker,
}: Declared & { readonly kind: "enum" }): NativeValue {
  return {
    kind: "native",
    name,
    property(reader, property, node) {
      const member = members.find((other) => memberName(other) === property);
      const value = member && checker.getConstantValue(member);
      if (value !== undefined) return fixed(value);
      const wayOut =
        member === undefined ? "name one of its members" : "give the member a literal value";
      const what = `the enum \`${name}\``;
      return reader.fail(
        messages.unknownProperty({ what, name: property, wayOut }, reader.span(node)),
      );
    },
  };
}

function memberName({ name }: ts.EnumMember): string {
  return ts.isStringLiteralLike(name) || ts.isIdentifier(name) ? name.text : name.getText();
}
