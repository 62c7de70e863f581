/** Tensors: the methods of the language, or `primitive` where it has none. */

import type { Dim } from "../ir/dim.ts";
import type { Equation, Value } from "../ir/types.ts";
import { ops } from "../ops/index.ts";
import { opOf } from "../ops/of.ts";
import { atom, call, numberText, type Text, within } from "./expressions.ts";
import { elementsOfTensor, handedOn } from "./loops.ts";
import type { Writing } from "./writing.ts";

const methods: Readonly<Record<string, string>> = {
  max: "maximum",
  min: "minimum",
  lt: "less",
  le: "lessEqual",
  gt: "greater",
  ge: "greaterEqual",
  eq: "equal",
  ne: "notEqual",
  bit_and: "bitwiseAnd",
  bit_or: "bitwiseOr",
  bit_xor: "bitwiseXor",
  shift_left: "leftShift",
  shift_right: "rightShift",
  is_nan: "isNaN",
  and: "logicalAnd",
  or: "logicalOr",
  xor: "logicalXor",
  not: "logicalNot",
  reduce_max: "max",
  reduce_min: "min",
  stop_gradient: "stopGradient",
};

/** An equation with a tensor among its inputs, or as its output. */
export function tensorExpression(page: Writing, equation: Equation): Text {
  const [output] = equation.outputs as readonly [Value];
  const text = asTensor(page, equation);
  if (page.isArray(output)) return atom(elementsOfTensor(page, output, text));
  return page.isTensor(output) || equation.op === "cast" ? text : item(text);
}

function item(text: Text): Text {
  return { text: `${within(text, 17)}.item()`, binds: 17 };
}

function asTensor(page: Writing, equation: Equation): Text {
  const [output] = equation.outputs as readonly [Value];
  const { op, inputs, parameters } = equation;
  const [x, y] = inputs as readonly [Value, Value];
  const method = (target: Value, name: string, ...operands: readonly string[]): Text =>
    methodOf(tensorText(page, target), name, ...operands);
  switch (op) {
    case "constant": {
      const values = parameters["values"] as readonly number[];
      return tensorOf(
        page,
        `[${values.map((value) => numberText(value).text).join(", ")}]`,
        output,
      );
    }
    case "broadcast": {
      const shape = page.shape(output.type.shape);
      const number = uniform(page, output);
      if (number !== undefined) return full(page, output, number);
      if (isImplied(page, output)) return aligned(page, equation);
      return methodOf(aligned(page, equation), "broadcastTo", shape);
    }
    case "reshape":
      if (!page.isTensor(x)) return tensorOf(page, handedOn(page, x).text, output);
      return method(x, "reshape", page.shape(output.type.shape));
    case "transpose": {
      const order = (parameters["permutation"] as readonly number[]).join(", ");
      return method(x, "transpose", ...(order === "1, 0" ? [] : [`[${order}]`]));
    }
    case "cast":
      return castTensor(page, x, output);
    case "copy":
      return tensorText(page, x);
    case "sum":
    case "prod":
    case "reduce_max":
    case "reduce_min":
    case "any":
    case "all": {
      const axes = parameters["axes"] as readonly number[];
      const all = axes.length === x.type.shape.length;
      return method(x, methods[op] ?? op, ...(all ? [] : [`[${axes.join(", ")}]`]));
    }
    case "select":
      page.imports.add("where");
      return call("where", ...inputs.map((input) => operand(page, input)));
    case "dot": {
      const product = matrixProduct(page, equation, method);
      if (product !== undefined) return product;
      break;
    }
  }
  const lang = methods[op] ?? op;
  if (opOf(equation).laws.elementwise && inputs.length === 1) return method(x, lang);
  if (opOf(equation).laws.elementwise && inputs.length === 2) {
    if (isImplied(page, x)) return method(y, lang, operand(page, x).text);
    if (uniform(page, x) === undefined) return method(x, lang, operand(page, y).text);
    if (uniform(page, y) === undefined) {
      if (opOf(equation).laws.commutative) return method(y, lang, operand(page, x).text);
      page.imports.add(lang);
      return call(lang, operand(page, x), operand(page, y));
    }
    return method(x, lang, operand(page, y).text);
  }
  return primitive(page, equation);
}

/** The operand of a broadcast, with axes of 1 where it has to be moved to the left. */
function aligned(page: Writing, { inputs, outputs, parameters }: Equation): Text {
  const [x] = inputs as readonly [Value];
  const { shape } = (outputs[0] as Value).type;
  const axes = parameters["axes"] as readonly number[];
  const trailing = axes.every((axis, k) => axis === shape.length - axes.length + k);
  const text = tensorText(page, x);
  if (trailing) return text;
  const first = axes[0] as number;
  const dims = shape.map((dim, axis) => (axes.includes(axis) ? dim : 1)).slice(first);
  return methodOf(text, "reshape", page.shape(dims));
}

/** True for a broadcast that the operations which read it make by themselves, as in NumPy. */
function isImplied(page: Writing, value: Value): boolean {
  const { facts } = page;
  const isRepeated = (one: Value): boolean =>
    facts.definitions.get(one)?.op === "broadcast" || !page.isTensor(one);
  if (facts.definitions.get(value)?.op !== "broadcast" || !page.isTensor(value)) return false;
  if (uniform(page, value) !== undefined) return false;
  const readers = facts.readersOf(value);
  if (readers.length !== facts.uses.get(value)) return false;
  return readers.every((reader) => {
    const { inputs, op } = reader;
    if (ops[op]?.laws.elementwise !== true || inputs.length < 2) return false;
    if (inputs.every(isRepeated)) return false;
    return inputs[0] !== value || opOf(reader).laws.commutative === true || op === "select";
  });
}

function methodOf(target: Text, name: string, ...operands: readonly string[]): Text {
  return { text: `${within(target, 17)}.${name}(${operands.join(", ")})`, binds: 17 };
}

/** An operation of the compiler's table, by name. */
export function primitive(page: Writing, { op, inputs, parameters }: Equation): Text {
  page.imports.add("primitive");
  const given = Object.entries(parameters).map(
    ([key, value]) => `${key}: ${parameterText(page, value)}`,
  );
  const list = inputs.map((input) => tensorText(page, input).text).join(", ");
  return call("primitive", atom(`"${op}"`), atom(`[${list}]`), atom(`{ ${given.join(", ")} }`));
}

/** Between tensors, from plain values to tensors, and from tensors of one element to numbers. */
function castTensor(page: Writing, x: Value, output: Value): Text {
  const { dtype, shape } = output.type;
  if (!page.isTensor(x)) {
    return shape.length === 0
      ? full(page, output, page.text(x))
      : tensorOf(page, handedOn(page, x).text, output);
  }
  if (page.isPlain(output)) {
    if (dtype === "f64") return item(page.text(x));
    return item(methodOf(page.text(x), "cast", `"${dtype}"`));
  }
  return methodOf(tensorText(page, x), "cast", `"${dtype}"`);
}

/** A contraction of two matrices as `matmul`, one of them transposed where it has to be. */
function matrixProduct(
  page: Writing,
  { inputs, parameters }: Equation,
  method: (target: Value, name: string, ...operands: readonly string[]) => Text,
): Text | undefined {
  const [x, y] = inputs as readonly [Value, Value];
  const contract = [
    parameters["lhsContract"],
    parameters["rhsContract"],
  ] as unknown as readonly (readonly number[])[];
  if ((parameters["lhsBatch"] as readonly number[]).length > 0) return undefined;
  if (contract[0]?.length !== 1 || contract[1]?.length !== 1) return undefined;
  const ranks = [x.type.shape.length, y.type.shape.length];
  if (ranks.some((rank) => rank > 2 || rank === 0)) return undefined;
  const [a, b] = [contract[0][0], contract[1][0]];
  const right = b === 0 ? tensorText(page, y).text : method(y, "transpose").text;
  if (a === (ranks[0] as number) - 1) return method(x, "matmul", right);
  return methodOf(method(x, "transpose"), "matmul", right);
}

/** `tensor(text, shape)` */
export function tensorOf(page: Writing, text: string, { type }: Value): Text {
  page.imports.add("tensor");
  const dtype = type.dtype === "f32" ? [] : [atom(`"${type.dtype}"`)];
  return call("tensor", atom(text), atom(page.shape(type.shape)), ...dtype);
}

function full(page: Writing, { type }: Value, number: Text): Text {
  page.imports.add("full");
  const dtype = type.dtype === "f32" ? [] : [atom(`"${type.dtype}"`)];
  return call("full", atom(page.shape(type.shape)), number, ...dtype);
}

/** An operand of a method: a plain number where the tensor repeats one. */
function operand(page: Writing, value: Value): Text {
  return uniform(page, value) ?? tensorText(page, value);
}

/** A value as a tensor. */
export function tensorText(page: Writing, value: Value): Text {
  if (page.isPlain(value)) return full(page, value, page.text(value));
  if (page.isArray(value)) return tensorOf(page, handedOn(page, value).text, value);
  const number = uniform(page, value);
  return number === undefined ? page.text(value) : full(page, value, number);
}

/** The number that a tensor repeats, where that is known. */
export function uniform(page: Writing, value: Value): Text | undefined {
  if (page.isPlain(value)) {
    return value.type.dtype === "bool" ? undefined : page.text(value);
  }
  const definition = page.facts.definitions.get(value);
  const [x] = definition?.inputs ?? [];
  switch (definition?.op) {
    case "broadcast":
      return uniform(page, x as Value);
    case "constant":
      return value.type.shape.length > 0
        ? undefined
        : numberText((definition.parameters["values"] as readonly [number])[0]);
    case "cast":
      return value.type.shape.length === 0 && page.isPlain(x as Value)
        ? page.text(x as Value)
        : undefined;
    default:
      return undefined;
  }
}

function parameterText(page: Writing, value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map((entry) => parameterText(page, entry)).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null) return page.dim(value as Dim).text;
  return typeof value === "number" ? numberText(value).text : JSON.stringify(value);
}
