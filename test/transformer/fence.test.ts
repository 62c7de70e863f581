/** The fence has an answer for every kind of syntax that can stand in a function body. */

import ts from "typescript";
import { describe, expect, test } from "vitest";
import { fence, refusal } from "../../transformer/read/fence.ts";
import { readKinds } from "../../transformer/read/visit.ts";

const K = ts.SyntaxKind;
const kinds = Object.values(K).filter((kind): kind is ts.SyntaxKind => typeof kind === "number");

/** What can stand where, by the way TypeScript numbers and tests its kinds. */
const tokens = kinds.filter((kind) => kind <= K.LastToken);
const literals = [
  K.NumericLiteral,
  K.BigIntLiteral,
  K.StringLiteral,
  K.RegularExpressionLiteral,
  K.NoSubstitutionTemplateLiteral,
  K.TemplateHead,
  K.TemplateMiddle,
  K.TemplateTail,
  K.TrueKeyword,
  K.FalseKeyword,
  K.NullKeyword,
  K.ThisKeyword,
  K.SuperKeyword,
  K.ImportKeyword,
];
const expressions = kinds.filter(
  (kind) => kind >= K.ObjectBindingPattern && kind <= K.SatisfiesExpression,
);
const statements = kinds.filter((kind) => kind >= K.Block && kind <= K.CaseBlock);
/** Inside of others, or never in a function body. */
const elsewhere = new Set<ts.SyntaxKind>([
  K.SyntheticExpression,
  K.NamespaceExportDeclaration,
  K.ModuleBlock,
  K.MissingDeclaration,
  K.ExportAssignment,
  K.ExportDeclaration,
  K.ImportEqualsDeclaration,
]);

describe("the fence", () => {
  const bodied = new Set([...literals, ...expressions, ...statements]);
  for (const kind of elsewhere) bodied.delete(kind);

  test.each([...bodied].map((kind) => [K[kind], kind] as const))("knows %s", (_, kind) => {
    expect(fence[kind]).toBeDefined();
  });

  test("accepts what has a reader, and nothing else", () => {
    const accepted = kinds.filter((kind) => fence[kind] === "accepted");
    const readers = [...readKinds];
    expect(accepted.filter((kind) => !readKinds.has(kind)).map((kind) => K[kind])).toEqual([]);
    expect(readers.filter((kind) => fence[kind] !== "accepted").map((kind) => K[kind])).toEqual([]);
  });

  test("refuses by name, with a reason and a way out", () => {
    const span = { file: "a.ts", start: 0, length: 1 };
    for (const kind of kinds) {
      const entry = fence[kind];
      if (typeof entry === "string") expect(refusal(kind, span)).toBeUndefined();
      else {
        expect(refusal(kind, span)?.code).toBe("FX1001");
        if (entry === undefined) continue;
        expect(entry.reason).not.toBe("");
        expect(entry.wayOut).not.toBe("");
      }
    }
  });

  test("has tokens only where they are literals", () => {
    const named = tokens.filter((kind) => fence[kind] !== undefined && kind !== K.Identifier);
    const known = new Set<ts.SyntaxKind>([...literals, K.PrivateIdentifier]);
    expect(named.filter((kind) => !known.has(kind)).map((kind) => K[kind])).toEqual([]);
  });
});
