/** The loop IR as text, for people: `explain --stage kernels`. */

import { dimText } from "../ir/dim.ts";
import type { Expr, Local, LoopFunction, LoopModule, Statement } from "./loop.ts";

export function printModule(module: LoopModule): string {
  return module.functions.map(printLoopFunction).join("\n");
}

export function printLoopFunction(fn: LoopFunction): string {
  const names = new Names();
  const parameters = fn.parameters.map((of) => `${names.of(of)}: ${of.type}`).join(", ");
  const results = fn.resultTypes.length === 0 ? "" : ` -> ${fn.resultTypes.join(", ")}`;
  const lines = statements(fn.body, names, "  ");
  const ending =
    fn.results.length === 0
      ? []
      : [`  return ${fn.results.map((result) => text(result, names)).join(", ")}`];
  return [
    `// ${fn.comment}`,
    `kernel ${fn.name}(${parameters})${results} {`,
    ...lines,
    ...ending,
    "}",
    "",
  ].join("\n");
}

/** Different names for different locals. */
class Names {
  private readonly names = new Map<Local, string>();
  private readonly counts = new Map<string, number>();

  of(local: Local): string {
    let name = this.names.get(local);
    if (name === undefined) {
      const count = this.counts.get(local.name) ?? 0;
      this.counts.set(local.name, count + 1);
      name = count === 0 ? local.name : `${local.name}.${count}`;
      this.names.set(local, name);
    }
    return name;
  }
}

function statements(body: readonly Statement[], names: Names, indent: string): readonly string[] {
  return body.flatMap((statement) => statementLines(statement, names, indent));
}

function statementLines(statement: Statement, names: Names, indent: string): readonly string[] {
  const deeper = `${indent}  `;
  const show = (expr: Expr): string => text(expr, names);
  switch (statement.kind) {
    case "set":
      return [`${indent}${names.of(statement.local)} = ${show(statement.value)}`];
    case "store": {
      const { base, index, dtype, lanes } = statement;
      return [
        `${indent}${place(base, index, dtype, lanes, names)} = ${show(statement.value)}`,
      ];
    }
    case "for": {
      const { from, to, step } = statement;
      const by = step === 1 ? "" : ` by ${step}`;
      return [
        `${indent}for ${names.of(statement.local)} from ${show(from)} to ${show(to)}${by} {`,
        ...statements(statement.body, names, deeper),
        `${indent}}`,
      ];
    }
    case "while":
      return [
        `${indent}loop {`,
        ...statements(statement.before, names, deeper),
        `${deeper}unless ${show(statement.condition)} leave`,
        ...statements(statement.body, names, deeper),
        `${indent}}`,
      ];
    case "if":
      return [
        `${indent}if ${show(statement.condition)} {`,
        ...statements(statement.then, names, deeper),
        ...(statement.otherwise.length === 0
          ? []
          : [`${indent}} else {`, ...statements(statement.otherwise, names, deeper)]),
        `${indent}}`,
      ];
    case "call": {
      const results = statement.results.map((result) => names.of(result)).join(", ");
      const target = results === "" ? "" : `${results} = `;
      return [`${indent}${target}${statement.callee}(${statement.operands.map(show).join(", ")})`];
    }
    case "copy":
      return [`${indent}copy ${show(statement.bytes)} bytes from ${show(statement.from)} to ${show(statement.to)}`];
    case "clear":
      return [`${indent}clear ${show(statement.bytes)} bytes at ${show(statement.to)}`];
    case "fault":
      return [`${indent}fault ${statement.site} (${show(statement.index)}, ${show(statement.extent)})`];
  }
}

function place(base: Expr, index: Expr, dtype: string, lanes: number, names: Names): string {
  const at = lanes === 1 ? "" : `x${lanes}`;
  return `${text(base, names)}:${dtype}${at}[${text(index, names)}]`;
}

const infix: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  eq: "==",
  ne: "!=",
};

function text(expr: Expr, names: Names): string {
  switch (expr.kind) {
    case "const":
      return Object.is(expr.value, -0) ? "-0" : String(expr.value);
    case "local":
      return names.of(expr.local);
    case "affine": {
      const terms = expr.terms.map(
        ({ local, coefficient }) => `${dimText(coefficient)}*${names.of(local)}`,
      );
      return [dimText(expr.constant), ...terms].join(" + ");
    }
    case "load":
      return place(expr.base, expr.index, expr.dtype, expr.lanes, names);
    case "op": {
      const operands = expr.operands.map((operand) => text(operand, names));
      const sign = infix[expr.op];
      if (sign !== undefined && operands.length === 2) return `(${operands.join(` ${sign} `)})`;
      return `${expr.op}(${operands.join(", ")})`;
    }
    case "cast":
      return `${expr.to}(${text(expr.value, names)})`;
    case "splat":
      return `splat(${text(expr.value, names)})`;
    case "lane":
      return `${text(expr.value, names)}.${expr.lane}`;
    case "shuffle":
      return `shuffle(${text(expr.a, names)}, ${text(expr.b, names)}; ${expr.picks.join(" ")})`;
    case "madd":
      return `madd(${text(expr.a, names)}, ${text(expr.b, names)}, ${text(expr.c, names)})`;
    case "when":
      return `(${text(expr.condition, names)} ? ${text(expr.then, names)} : ${text(expr.otherwise, names)})`;
  }
}
