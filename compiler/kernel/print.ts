/** The loop IR as text, for people: what a kernel does, in the shape of code. */

import { dimText } from "../ir/dim.ts";
import type { DType } from "../ir/types.ts";
import type { Expr, Lanes, LoopFunction, LoopModule, Local, Statement } from "./loop.ts";

/** All functions of a module, kernels first and `run` last. */
export function printModule(module: LoopModule): string {
  return module.functions.map(printFunction).join("\n");
}

function printFunction(fn: LoopFunction): string {
  const names = namer();
  const parameters = fn.parameters.map((one) => `${names(one)}: ${one.type}`).join(", ");
  const results = fn.resultTypes.length === 0 ? "" : ` -> ${fn.resultTypes.join(", ")}`;
  const text = expressionText(names);
  const body = fn.body.flatMap((statement) => lines(statement, names, text));
  if (fn.results.length > 0) body.push(`return ${fn.results.map(text).join(", ")}`);
  const comment = fn.comment === "" ? "" : `# ${fn.comment}\n`;
  return `${comment}${fn.name}(${parameters})${results} {\n${indented(body).join("\n")}\n}\n`;
}

type Names = (one: Local) => string;
type Text = (expr: Expr) => string;

/** Names of locals; a second local of one name gets a number. */
function namer(): Names {
  const given = new Map<Local, string>();
  const used = new Map<string, number>();
  return (one) => {
    const known = given.get(one);
    if (known !== undefined) return known;
    const count = used.get(one.name) ?? 0;
    used.set(one.name, count + 1);
    const name = count === 0 ? one.name : `${one.name}_${count}`;
    given.set(one, name);
    return name;
  };
}

function lines(statement: Statement, names: Names, text: Text): readonly string[] {
  const block = (body: readonly Statement[]): readonly string[] =>
    indented(body.flatMap((inner) => lines(inner, names, text)));
  switch (statement.kind) {
    case "set":
      return [`${names(statement.local)} = ${text(statement.value)}`];
    case "store": {
      const { base, index, dtype, lanes, value } = statement;
      return [`${elementText(text(base), text(index), dtype, lanes)} = ${text(value)}`];
    }
    case "for": {
      const { local, from, to, step, body } = statement;
      const stride = step === 1 ? "" : ` step ${step}`;
      return [
        `for ${names(local)} in ${text(from)} .. ${text(to)}${stride} {`,
        ...block(body),
        "}",
      ];
    }
    case "while":
      return [
        "loop {",
        ...block(statement.before),
        `  break unless ${text(statement.condition)}`,
        ...block(statement.body),
        "}",
      ];
    case "if": {
      const head = [`if ${text(statement.condition)} {`, ...block(statement.then)];
      if (statement.otherwise.length === 0) return [...head, "}"];
      return [...head, "} else {", ...block(statement.otherwise), "}"];
    }
    case "call": {
      const results = statement.results.map(names).join(", ");
      const call = `${statement.callee}(${statement.operands.map(text).join(", ")})`;
      return [results === "" ? call : `${results} = ${call}`];
    }
    case "copy":
      return [
        `copy ${text(statement.bytes)} bytes: ${text(statement.from)} to ${text(statement.to)}`,
      ];
    case "clear":
      return [`clear ${text(statement.bytes)} bytes: ${text(statement.to)}`];
    case "fault":
      return [`fault ${statement.site}: ${text(statement.index)} of ${text(statement.extent)}`];
  }
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

function expressionText(names: Names): Text {
  const text = (expr: Expr): string => {
    switch (expr.kind) {
      case "const":
        return vectorText(numberText(expr.value), expr.lanes);
      case "local":
        return names(expr.local);
      case "affine": {
        const terms = expr.terms.map(({ local, coefficient }) =>
          coefficient === 1 ? names(local) : `${dimText(coefficient)}*${names(local)}`,
        );
        if (expr.constant !== 0 || terms.length === 0) terms.push(dimText(expr.constant));
        return terms.length === 1 ? (terms[0] ?? "0") : `(${terms.join(" + ")})`;
      }
      case "load":
        return elementText(text(expr.base), text(expr.index), expr.dtype, expr.lanes);
      case "op": {
        const operands = expr.operands.map(text);
        const sign = infix[expr.op];
        if (sign !== undefined && operands.length === 2) return `(${operands.join(` ${sign} `)})`;
        return `${expr.op}(${operands.join(", ")})`;
      }
      case "cast":
        return `${expr.to}(${text(expr.value)})`;
      case "splat":
        return vectorText(text(expr.value), expr.lanes);
      case "lane":
        return `${text(expr.value)}.${expr.lane}`;
      case "shuffle":
        return `shuffle(${text(expr.a)}, ${text(expr.b)}, ${expr.picks.join(" ")})`;
      case "madd":
        return `madd(${text(expr.a)}, ${text(expr.b)}, ${text(expr.c)})`;
      case "when":
        return `(${text(expr.condition)} ? ${text(expr.then)} : ${text(expr.otherwise)})`;
    }
  };
  return text;
}

/** `x[i]`, or `x[i:4]` for four elements at once; the dtype where the pointer does not tell. */
function elementText(base: string, index: string, dtype: DType, lanes: Lanes): string {
  return `${base}:${dtype}[${index}${lanes === 1 ? "" : `:${lanes}`}]`;
}

function vectorText(value: string, lanes: Lanes): string {
  return lanes === 1 ? value : `<${value} ×${lanes}>`;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function indented(body: readonly string[]): readonly string[] {
  return body.map((line) => `  ${line}`);
}
