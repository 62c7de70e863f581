/** Values as TypeScript: what they are called, and the expressions that compute them. */

import { type Dim, elementCount, foldDim } from "../ir/dim.ts";
import type { Equation, Value } from "../ir/types.ts";
import { opOf } from "../ops/of.ts";
import { atom, call, castText, numberText, scalarText, type Text, within } from "./expressions.ts";

/** Thrown where TypeScript has no words for an equation. */
export class Unreadable extends Error {}

export const elementTypes: Readonly<Record<string, string>> = {
  f64: "Float64Array",
  f32: "Float32Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  u8: "Uint8Array",
  bool: "Uint8Array",
};

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
  not: "logicalNot",
  reduce_max: "max",
  reduce_min: "min",
  stop_gradient: "stopGradient",
};

/** The values of a function that have been given texts so far, and what their texts need. */
export class Expressions {
  protected readonly texts = new Map<Value, Text>();
  /** Names taken, in the blocks around the current place. */
  protected readonly scopes: Set<string>[] = [new Set()];
  protected readonly definitions = new Map<Value, Equation>();
  protected readonly imports = new Set<string>();
  protected readonly types = new Set<string>();
  /** Where the extent of a symbol can be read. */
  protected readonly extents = new Map<string, string>();

  protected expression(equation: Equation): Text {
    const [output] = equation.outputs as readonly [Value];
    const { op, inputs, parameters } = equation;
    const scalarWorld =
      output.type.shape.length === 0 && inputs.every((input) => this.isPlain(input));
    switch (op) {
      case "constant": {
        const values = parameters["values"] as readonly number[];
        if (output.type.shape.length === 0) {
          if (output.type.dtype === "bool") return atom(values[0] === 1 ? "true" : "false");
          return numberText(values[0] as number);
        }
        const list = `[${values.map((value) => numberText(value).text).join(", ")}]`;
        if (this.isTyped(output))
          return call(`${elementTypes[output.type.dtype]}.of`, atom(list.slice(1, -1)));
        return this.tensor(list, output);
      }
      case "extent":
        return this.dim(parameters["dim"] as Dim);
      case "at": {
        const [array, ...indices] = inputs as readonly [Value, ...Value[]];
        if (this.isTyped(array) && output.type.shape.length === 0) {
          return { text: `${this.place(array, indices)}!`, binds: 18 };
        }
        throw new Unreadable("rows of an array");
      }
      case "select": {
        const exact = this.exactIndex(equation);
        if (exact !== undefined) return this.textOf(exact);
        break;
      }
      case "cast":
        if (scalarWorld) {
          const [x] = inputs as readonly [Value];
          const text = castText(x.type.dtype, output.type.dtype, this.textOf(x));
          if (text !== undefined && output.type.dtype !== "f32") return text;
        }
        break;
    }
    if (scalarWorld && output.type.dtype !== "f32") {
      const dtype = (inputs[0] ?? output).type.dtype;
      const text = scalarText(
        op,
        dtype,
        inputs.map((input) => this.textOf(input)),
      );
      if (text !== undefined) return text;
      throw new Unreadable(`\`${op}\` of numbers`);
    }
    return this.isTyped(output) || inputs.some((input) => this.isTyped(input))
      ? this.typedExpression(equation)
      : this.tensorExpression(equation);
  }

  /** `select (x == trunc x) (trunc x) -1`: the index x. */
  protected exactIndex({ inputs }: Equation): Value | undefined {
    const [test, chosen] = inputs as readonly [Value, Value];
    const comparison = this.definitions.get(test);
    const truncated = this.definitions.get(chosen);
    if (comparison?.op !== "eq" || truncated?.op !== "cast") return undefined;
    const [x] = truncated.inputs as readonly [Value];
    return comparison.inputs.includes(x) ? x : undefined;
  }

  /** Whole typed arrays: made, combined element by element, summed. */
  protected typedExpression(equation: Equation): Text {
    const [output] = equation.outputs as readonly [Value];
    const { op, inputs } = equation;
    const kind = elementTypes[output.type.dtype] ?? "Float64Array";
    const { shape } = output.type;
    if (op === "broadcast" && (inputs[0] as Value).type.shape.length === 0) {
      const length = this.dim(elementCount(shape));
      const made = `new ${kind}(${length.text})`;
      const value = this.textOf(inputs[0] as Value).text;
      return atom(value === "0" ? made : `${made}.fill(${value})`);
    }
    if (op === "cast" && !this.isTyped(output)) {
      return this.tensor(this.textOf(inputs[0] as Value).text, output);
    }
    if (op === "reshape") {
      const [x] = inputs as readonly [Value];
      return this.isTyped(x) ? this.textOf(x) : call(`${kind}.of`, this.textOf(x));
    }
    if (op === "concat" && shape.length === 1) {
      const parts = inputs.map((input) => atom(`...${within(this.textOf(input), 18)}`));
      return call(`${kind}.of`, ...parts);
    }
    if (op === "sum" && shape.length === 0) {
      return atom(`${this.textOf(inputs[0] as Value).text}.reduce((sum, v) => sum + v, 0)`);
    }
    if (opOf(equation).laws.elementwise) {
      const [first, ...rest] = inputs as readonly [Value, ...Value[]];
      this.scopes.push(new Set());
      const [v, k] = [this.fresh("v"), this.fresh("k")];
      this.scopes.pop();
      const elements = inputs.map((_, at) =>
        at === 0 ? atom(v) : atom(`${this.textOf(rest[at - 1] as Value).text}[${k}]!`),
      );
      const text = scalarText(op, first.type.dtype, elements);
      if (text !== undefined && first.type.dtype === output.type.dtype) {
        return atom(`${this.textOf(first).text}.map((${v}, ${k}) => ${text.text})`);
      }
    }
    throw new Unreadable(`\`${op}\` of whole typed arrays`);
  }

  protected tensorExpression(equation: Equation): Text {
    const [output] = equation.outputs as readonly [Value];
    const { op, inputs, parameters } = equation;
    const method = (target: Value, name: string, ...operands: readonly string[]): Text => ({
      text: `${within(this.tensorText(target), 17)}.${name}(${operands.join(", ")})`,
      binds: 17,
    });
    const [x, y] = inputs as readonly [Value, Value];
    switch (op) {
      case "broadcast": {
        const shape = this.shape(output.type.shape);
        const axes = parameters["axes"] as readonly number[];
        const aligned = output.type.shape.map((dim, axis) => (axes.includes(axis) ? dim : 1));
        const trailing = axes.every(
          (axis, k) => axis === output.type.shape.length - axes.length + k,
        );
        if (trailing) return method(x, "broadcastTo", shape);
        return atom(`${method(x, "reshape", this.shape(aligned)).text}.broadcastTo(${shape})`);
      }
      case "reshape":
        return method(x, "reshape", this.shape(output.type.shape));
      case "transpose":
        return method(
          x,
          "transpose",
          `[${(parameters["permutation"] as readonly number[]).join(", ")}]`,
        );
      case "cast":
        if (output.type.dtype === "f64" && output.type.shape.length === 0) return method(x, "item");
        if (this.isPlain(x)) return this.tensor(this.textOf(x).text, output);
        return method(x, "cast", `"${output.type.dtype}"`);
      case "sum":
      case "prod":
      case "reduce_max":
      case "reduce_min": {
        const axes = parameters["axes"] as readonly number[];
        const all = axes.length === x.type.shape.length;
        return method(x, methods[op] ?? op, ...(all ? [] : [`[${axes.join(", ")}]`]));
      }
      case "select": {
        this.imports.add("where");
        return call("where", ...inputs.map((input) => this.operand(input)));
      }
      case "dot": {
        const product = this.matrixProduct(equation, method);
        if (product !== undefined) return product;
        break;
      }
    }
    const lang = methods[op] ?? op;
    if (opOf(equation).laws.elementwise && inputs.length === 1) return method(x, lang);
    if (opOf(equation).laws.elementwise && inputs.length === 2) {
      if (this.uniform(x) !== undefined && this.uniform(y) === undefined) {
        if (opOf(equation).laws.commutative) return method(y, lang, this.operand(x).text);
        this.imports.add(lang);
        return call(lang, this.operand(x), this.operand(y));
      }
      return method(x, lang, this.operand(y).text);
    }
    this.imports.add("primitive");
    const given = Object.entries(parameters).map(
      ([key, value]) => `${key}: ${this.parameter(value)}`,
    );
    const list = inputs.map((input) => this.tensorText(input).text).join(", ");
    return call("primitive", atom(`"${op}"`), atom(`[${list}]`), atom(`{ ${given.join(", ")} }`));
  }

  /** A contraction of two matrices as `matmul`, one of them transposed where it has to be. */
  protected matrixProduct(
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
    if (ranks.some((rank) => rank > 2)) return undefined;
    const [a, b] = [contract[0][0], contract[1][0]];
    const right = b === 0 ? this.tensorText(y).text : method(y, "transpose").text;
    if (a === (ranks[0] as number) - 1) return method(x, "matmul", right);
    return atom(`${method(x, "transpose").text}.matmul(${right})`);
  }

  protected tensor(text: string, like: Value): Text {
    this.imports.add("tensor");
    const dtype = like.type.dtype === "f32" ? "" : `, "${like.type.dtype}"`;
    return call("tensor", atom(text), atom(`${this.shape(like.type.shape)}${dtype}`));
  }

  /** An operand of a method: a plain number where the tensor repeats one. */
  protected operand(value: Value): Text {
    const number = this.uniform(value);
    return number === undefined ? this.tensorText(value) : number;
  }

  protected tensorText(value: Value): Text {
    const number = this.uniform(value);
    if (number === undefined) return this.textOf(value);
    this.imports.add("full");
    const dtype = value.type.dtype === "f32" ? "" : `, "${value.type.dtype}"`;
    return call(
      "full",
      atom(this.shape(value.type.shape)),
      number,
      ...(dtype ? [atom(dtype.slice(2))] : []),
    );
  }

  /** The number that a tensor repeats, where that is known. */
  protected uniform(value: Value): Text | undefined {
    const definition = this.definitions.get(value);
    if (definition?.op === "broadcast") return this.uniform(definition.inputs[0] as Value);
    if (definition?.op === "constant" && value.type.shape.length === 0) {
      return numberText((definition.parameters["values"] as readonly [number])[0]);
    }
    if (definition?.op === "cast" && value.type.shape.length === 0) {
      const [x] = definition.inputs as readonly [Value];
      return this.isPlain(x) && value.type.dtype === "f32" ? this.textOf(x) : undefined;
    }
    return undefined;
  }

  protected parameter(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map((entry) => this.parameter(entry)).join(", ")}]`;
    if (typeof value === "object" && value !== null) return this.dim(value as Dim).text;
    return typeof value === "number" ? numberText(value).text : JSON.stringify(value);
  }

  protected place(array: Value, indices: readonly Value[]): string {
    return `${this.textOf(array).text}${indices.map((index) => `[${this.textOf(index).text}]`).join("!")}`;
  }

  protected shape(shape: readonly Dim[]): string {
    return `[${shape.map((dim) => this.dim(dim).text).join(", ")}]`;
  }

  protected dim(dim: Dim): Text {
    return foldDim<Text>(dim, {
      constant: numberText,
      symbol: (name) => {
        const text = this.extents.get(name);
        if (text === undefined) throw new Unreadable(`the length ${name}, found at run time`);
        return atom(text);
      },
      add: (a, b) => scalarText("add", "f64", [a, b]) as Text,
      multiply: (a, b) => scalarText("mul", "f64", [a, b]) as Text,
      divide: (a, divisor) =>
        call("Math.floor", scalarText("div", "f64", [a, numberText(divisor)]) as Text),
    });
  }

  // Values

  protected textOf(value: Value): Text {
    const text = this.texts.get(value);
    if (text === undefined) throw new Error("a value is printed before it is defined");
    return text;
  }

  /** Numbers and booleans: scalars that are not tensors. */
  protected isPlain({ type }: Value): boolean {
    return type.shape.length === 0 && !type.stack && type.dtype !== "f32";
  }

  /** Typed arrays: all arrays but those of f32, and integers that feed tensors. */
  protected isTyped({ type }: Value): boolean {
    return type.shape.length > 0 && !type.stack && type.dtype === "f64";
  }

  protected variableType(value: Value): string {
    if (this.isPlain(value)) return value.type.dtype === "bool" ? "boolean" : "number";
    if (this.isTyped(value)) return "Float64Array";
    this.types.add("Tensor");
    const dtype = value.type.dtype === "f32" ? "" : `, "${value.type.dtype}"`;
    return `Tensor<any${dtype}>`;
  }

  protected stackType({ type }: Value): string {
    return this.variableType({ type: { ...type, stack: false } });
  }

  /** A name that is not taken: letters, digits and underscores. */
  protected fresh(wanted: string): string {
    const plain = wanted.replaceAll(/\W+/g, "_").replace(/^(?=\d)/, "_");
    const base = reserved.has(plain) ? `${plain}_` : plain;
    let name = base;
    for (let k = 2; this.scopes.some((scope) => scope.has(name)); k++) name = `${base}${k}`;
    this.scopes.at(-1)?.add(name);
    return name;
  }
}

const reserved = new Set(
  (
    "break case catch class const continue debugger default delete do else enum export extends " +
    "false finally for function if import in instanceof new null return super switch this throw " +
    "true try typeof var void while with yield let static await number Math Number"
  ).split(" "),
);
