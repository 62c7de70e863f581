/**
 * The fence: every kind of syntax that can stand in a function body, and whether it is compiled.
 * Nothing passes that is not named here.
 */

import ts from "typescript";
import { type Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import type { Span } from "../../compiler/ir/types.ts";

export type Fence =
  /** Has a reader. */
  | "accepted"
  /** Means what its operand means. */
  | "transparent"
  /** Read by the reader of what it is part of. */
  | "part"
  | { readonly what: string; readonly reason: string; readonly wayOut: string };

const K = ts.SyntaxKind;

function refused(what: string, reason: string, wayOut: string): Fence {
  return { what, reason, wayOut };
}

const expression: Readonly<Record<number, Fence>> = {
  [K.ArrayLiteralExpression]: "accepted",
  [K.ArrowFunction]: "accepted",
  [K.AsExpression]: "transparent",
  [K.AwaitExpression]: refused(
    "`await`",
    "compiled code does not wait",
    "await outside, and pass the result as an argument",
  ),
  [K.BigIntLiteral]: refused("a `bigint`", "numbers are IEEE doubles", "use a `number`"),
  [K.BinaryExpression]: "accepted",
  [K.CallExpression]: "accepted",
  [K.ClassExpression]: refused(
    "a class",
    "objects are plain records",
    "use a record and functions over it",
  ),
  [K.CommaListExpression]: "part",
  [K.ConditionalExpression]: "accepted",
  [K.DeleteExpression]: refused(
    "`delete`",
    "the fields of a record are fixed",
    "make a new record without the field",
  ),
  [K.ElementAccessExpression]: "accepted",
  [K.ExpressionWithTypeArguments]: "transparent",
  [K.FalseKeyword]: "accepted",
  [K.FunctionExpression]: "accepted",
  [K.Identifier]: "accepted",
  [K.ImportKeyword]: refused(
    "a dynamic `import`",
    "code is fixed when it is compiled",
    "import at the top of the file",
  ),
  [K.JsxElement]: refused("JSX", "it is for user interfaces", "build it outside"),
  [K.JsxFragment]: refused("JSX", "it is for user interfaces", "build it outside"),
  [K.JsxSelfClosingElement]: refused("JSX", "it is for user interfaces", "build it outside"),
  [K.MetaProperty]: refused(
    "a meta property",
    "compiled code has no module of its own",
    "read it outside, and pass it as an argument",
  ),
  [K.NewExpression]: "accepted",
  [K.NoSubstitutionTemplateLiteral]: "accepted",
  [K.NonNullExpression]: "transparent",
  [K.NullKeyword]: "accepted",
  [K.NumericLiteral]: "accepted",
  [K.ObjectLiteralExpression]: "accepted",
  [K.OmittedExpression]: "part",
  [K.ParenthesizedExpression]: "transparent",
  [K.PostfixUnaryExpression]: "accepted",
  [K.PrefixUnaryExpression]: "accepted",
  [K.PrivateIdentifier]: refused(
    "a private field",
    "objects are plain records",
    "use a record and functions over it",
  ),
  [K.PropertyAccessExpression]: "accepted",
  [K.RegularExpressionLiteral]: refused(
    "a regular expression",
    "text is not computed with",
    "match outside, and pass the result as an argument",
  ),
  [K.SatisfiesExpression]: "transparent",
  [K.SpreadElement]: "part",
  [K.StringLiteral]: "accepted",
  [K.SuperKeyword]: refused(
    "`super`",
    "objects are plain records",
    "use a record and functions over it",
  ),
  [K.TaggedTemplateExpression]: refused(
    "a tagged template",
    "text is not computed with",
    "call the function outside",
  ),
  [K.TemplateExpression]: "accepted",
  [K.ThisKeyword]: refused(
    "`this`",
    "functions are plain functions",
    "pass the object as an argument",
  ),
  [K.TrueKeyword]: "accepted",
  [K.TypeAssertionExpression]: "transparent",
  [K.TypeOfExpression]: "accepted",
  [K.VoidExpression]: "accepted",
  [K.YieldExpression]: refused(
    "`yield`",
    "generators keep their state on the host",
    "fill an array and return it",
  ),
};

const statement: Readonly<Record<number, Fence>> = {
  [K.Block]: "accepted",
  [K.BreakStatement]: "accepted",
  [K.ClassDeclaration]: refused(
    "a class",
    "objects are plain records",
    "use a record and functions over it",
  ),
  [K.ContinueStatement]: "accepted",
  [K.DebuggerStatement]: refused(
    "`debugger`",
    "compiled code has no place to stop at",
    "step through the function before it is compiled",
  ),
  [K.DoStatement]: "accepted",
  [K.EmptyStatement]: "accepted",
  [K.EnumDeclaration]: "accepted",
  [K.ExpressionStatement]: "accepted",
  [K.ForInStatement]: refused(
    "`for … in`",
    "the order of keys is not part of a record",
    "name the fields, or loop over an array with `for … of`",
  ),
  [K.ForOfStatement]: "accepted",
  [K.ForStatement]: "accepted",
  [K.FunctionDeclaration]: "accepted",
  [K.IfStatement]: "accepted",
  [K.ImportDeclaration]: refused(
    "an import",
    "code is fixed when it is compiled",
    "import at the top of the file",
  ),
  [K.InterfaceDeclaration]: "accepted",
  [K.LabeledStatement]: "accepted",
  [K.ModuleDeclaration]: refused("a namespace", "it is an object of the host", "use a module"),
  [K.ReturnStatement]: "accepted",
  [K.SwitchStatement]: "accepted",
  [K.ThrowStatement]: refused(
    "`throw`",
    "compiled code has no errors to catch",
    "check the arguments before the call, or return NaN",
  ),
  [K.TryStatement]: refused(
    "`try`",
    "compiled code has no errors to catch",
    "put the `try` around the call of the compiled function",
  ),
  [K.TypeAliasDeclaration]: "accepted",
  [K.VariableStatement]: "accepted",
  [K.WhileStatement]: "accepted",
  [K.WithStatement]: refused("`with`", "names must be known", "use a variable"),
};

const part: Readonly<Record<number, Fence>> = {
  [K.ArrayBindingPattern]: "part",
  [K.BindingElement]: "part",
  [K.CaseBlock]: "part",
  [K.CaseClause]: "part",
  [K.CatchClause]: "part",
  [K.ComputedPropertyName]: "part",
  [K.DefaultClause]: "part",
  [K.GetAccessor]: refused("a getter", "the fields of a record are values", "use a function"),
  [K.MethodDeclaration]: "part",
  [K.ObjectBindingPattern]: "part",
  [K.Parameter]: "part",
  [K.PropertyAssignment]: "part",
  [K.SetAccessor]: refused("a setter", "the fields of a record are values", "use a function"),
  [K.ShorthandPropertyAssignment]: "part",
  [K.SpreadAssignment]: "part",
  [K.TemplateHead]: "part",
  [K.TemplateMiddle]: "part",
  [K.TemplateSpan]: "part",
  [K.TemplateTail]: "part",
  [K.VariableDeclaration]: "part",
  [K.VariableDeclarationList]: "part",
};

export const fence: Readonly<Record<number, Fence>> = { ...expression, ...statement, ...part };

/** The diagnostic for syntax that is refused, or that nobody has thought of. */
export function refusal(kind: ts.SyntaxKind, span: Span): Diagnostic | undefined {
  const entry = fence[kind];
  if (entry === undefined) {
    return messages.unsupportedSyntax(
      {
        what: `this syntax (${ts.SyntaxKind[kind]})`,
        reason: "it is not part of the language",
        wayOut: "write it in another way",
      },
      span,
    );
  }
  return typeof entry === "string" ? undefined : messages.unsupportedSyntax(entry, span);
}
