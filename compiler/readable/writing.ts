/** A page being written: its lines so far, and what its values are called. */

import { type Dim, foldDim } from "../ir/dim.ts";
import type { DType, Value } from "../ir/types.ts";
import { atom, call, numberText, scalarText, type Text, within } from "./expressions.ts";
import type { Facts } from "./facts.ts";
import { Names } from "./names.ts";

/** Thrown where TypeScript has no words for an equation. */
export class Unreadable extends Error {}

/** An element of an array as an expression of its index. */
export type Elements = (index: readonly Text[]) => Text;

/**
 * A part of all that stands in an array, with the text between its indices: `points`, `.x` for
 * `points[i].x`, and `bodies`, `.path`, `[0]` for `bodies[i].path[j][0]`.
 */
type Column = readonly string[];

export class Writing {
  readonly facts: Facts;
  readonly isTensor: (value: Value) => boolean;
  readonly names = new Names();
  /** What is imported from the language: functions, and types. */
  readonly imports = new Set<string>();
  readonly types = new Set<string>();
  lines: string[] = [];
  /** Inside of a function over the elements of tensors, numbers have the type of the elements. */
  inElements = false;
  private readonly texts = new Map<Value, Text>();
  /** Where the extent of a symbol can be read. */
  private readonly extents = new Map<string, string>();
  private readonly columns = new Map<Value, Column>();
  /** Arrays of numbers that the caller owns: not typed arrays. */
  private readonly untyped = new Set<Value>();
  /** Arrays that are not made, but computed where they are read. */
  private readonly unmade = new Map<Value, Elements>();

  constructor(facts: Facts, isTensor: (value: Value) => boolean) {
    this.facts = facts;
    this.isTensor = isTensor;
  }

  line(...lines: readonly string[]): void {
    this.lines.push(...lines);
  }

  /** The lines that `body` writes, instead of writing them; names in it are free afterwards. */
  apart<T>(body: () => T): { readonly lines: readonly string[]; readonly result: T } {
    const around = this.lines;
    this.lines = [];
    const result = this.names.within(body);
    const { lines } = this;
    this.lines = around;
    return { lines, result };
  }

  // What values are called

  say(value: Value, text: Text): void {
    this.texts.set(value, text);
  }

  /** Another name for what `source` is: also where it is a column, or not made. */
  alias(value: Value, source: Value): void {
    const text = this.texts.get(source);
    if (text !== undefined) this.texts.set(value, text);
    const column = this.columns.get(source);
    if (column !== undefined) this.columns.set(value, column);
    const unmade = this.unmade.get(source);
    if (unmade !== undefined) this.unmade.set(value, unmade);
    if (this.untyped.has(source)) this.untyped.add(value);
  }

  sayColumn(value: Value, column: Column): void {
    this.columns.set(value, column);
  }

  sayUntyped(value: Value, text: Text): void {
    this.untyped.add(value);
    this.texts.set(value, text);
  }

  sayUnmade(value: Value, elements: Elements): void {
    this.unmade.set(value, elements);
  }

  sayExtent(symbol: string, text: string): void {
    if (!this.extents.has(symbol)) this.extents.set(symbol, text);
  }

  /** From here on, an extent that is bound is read from there. */
  bindExtent(symbol: string, text: string): void {
    this.extents.set(symbol, text);
  }

  /** The variables that extents are read from, but for those of `own` symbols. */
  extentVariables(own: readonly string[]): readonly string[] {
    const read = [...this.extents].filter(([symbol]) => !own.includes(symbol));
    return read.flatMap(([, text]) => /^[\w$]+/.exec(text) ?? []);
  }

  /** Inside of `body`, extents are read from the parameters of a function. */
  withExtents<T>(own: readonly (readonly [symbol: string, text: string])[], body: () => T): T {
    const around = own.map(([symbol]) => this.extents.get(symbol));
    for (const [symbol, text] of own) this.extents.set(symbol, text);
    const result = body();
    own.forEach(([symbol], k) => {
      const text = around[k];
      if (text === undefined) this.extents.delete(symbol);
      else this.extents.set(symbol, text);
    });
    return result;
  }

  /** Gives a value a variable of its own. */
  introduce(value: Value, text: string, given?: string): string {
    const name = given ?? this.nameOf(value);
    const isRows = this.isArray(value) && value.type.shape.length > 1;
    const isLoose = this.isTensor(value) && this.facts.isSummedOverNamed(value);
    const type = isRows || isLoose ? `: ${this.typeOf(value)}` : "";
    this.line(`const ${name}${type} = ${text};`);
    this.say(value, atom(name));
    return name;
  }

  nameOf(value: Value): string {
    return this.names.fresh(
      this.facts.nameOf(value) ?? (value.type.shape.length > 0 ? "array" : "t"),
    );
  }

  /** A number, a boolean, a tensor, or the variable of an array. */
  text(value: Value): Text {
    const text = this.texts.get(value);
    if (text !== undefined) return text;
    if (this.columns.has(value)) return this.whole(value);
    throw new Error("a value is printed before it is defined");
  }

  /** True for arrays that can be named, element by element, without being made. */
  hasVariable(value: Value): boolean {
    return this.texts.has(value) && !this.untyped.has(value);
  }

  /** True for arrays of the page's own, whose truths are 1 and 0. */
  private isStored(array: Value): boolean {
    return !this.columns.has(array) && !this.untyped.has(array);
  }

  /** A value as it is handed on: an array is a typed array, or rows of such. */
  whole(value: Value): Text {
    const column = this.columns.get(value);
    if (column !== undefined) {
      return typed(atom(this.mapped(column)), value.type.dtype, value.type.shape.length);
    }
    const text = this.text(value);
    if (!this.untyped.has(value)) return text;
    return typed(text, value.type.dtype, value.type.shape.length);
  }

  /** The parts of an array, one by one: `points.map((one) => one.x)`. */
  private mapped([array = "", ...inner]: Column): string {
    const [step, ...further] = inner;
    if (step === undefined) return array;
    return this.names.within(() => {
      const one = this.names.fresh("one");
      return `${array}.map((${one}) => ${this.mapped([`${one}${step}`, ...further])})`;
    });
  }

  /** An element, or a row, of a plain array. */
  element(array: Value, indices: readonly Text[]): Text {
    const unmade = this.unmade.get(array);
    if (unmade !== undefined) return unmade(indices);
    if (indices.length === 0) return this.whole(array);
    const column = this.columns.get(array);
    if (column !== undefined && indices.length < column.length - 1) {
      const own = interleaved(column.slice(0, indices.length + 1), indices);
      const { dtype, shape } = array.type;
      const rest = this.mapped([own, ...column.slice(indices.length + 1)]);
      return typed(atom(rest), dtype, shape.length - indices.length);
    }
    const place = this.place(array, indices);
    const isWhole = indices.length === array.type.shape.length;
    if (array.type.dtype === "bool" && isWhole && this.isStored(array)) {
      return { text: `${place}! !== 0`, binds: 8 };
    }
    // A field of a record is there; an element of an array may not be, to the type checker.
    return place.endsWith("]") ? { text: `${place}!`, binds: 18 } : { text: place, binds: 18 };
  }

  place(array: Value, indices: readonly Text[]): string {
    const column = this.columns.get(array);
    return interleaved(column ?? [within(this.text(array), 18)], indices);
  }

  /** True where an array has to be written down before it can be handed on. */
  isUnmade(value: Value): boolean {
    return this.unmade.has(value);
  }

  // Shapes and types

  shape(shape: readonly Dim[]): string {
    return `[${shape.map((dim) => this.dim(dim).text).join(", ")}]`;
  }

  dim(dim: Dim): Text {
    return foldDim<Text>(dim, {
      constant: numberText,
      symbol: (name) => {
        const text = this.extents.get(name);
        if (text === undefined) throw new Unreadable(`the length ${name}`);
        return atom(text);
      },
      add: (a, b) =>
        b.text.startsWith("-")
          ? (scalarText("sub", "f64", [a, { ...b, text: b.text.slice(1) }]) as Text)
          : (scalarText("add", "f64", [a, b]) as Text),
      multiply: (a, b) =>
        a.text === "-1"
          ? { text: `-${within(b, 14)}`, binds: 14 }
          : (scalarText("mul", "f64", [a, b]) as Text),
      divide: (a, divisor) =>
        call("Math.floor", scalarText("div", "f64", [a, numberText(divisor)]) as Text),
    });
  }

  /** Numbers and booleans. */
  isPlain(value: Value): boolean {
    return value.type.shape.length === 0 && !value.type.stack && !this.isTensor(value);
  }

  /** Typed arrays, and rows of them. */
  isArray(value: Value): boolean {
    return value.type.shape.length > 0 && !value.type.stack && !this.isTensor(value);
  }

  typeOf(value: Value): string {
    const { dtype, shape, stack } = value.type;
    if (this.isTensor(value)) {
      this.types.add("Tensor");
      return `Tensor<any${dtype === "f32" ? "" : `, "${dtype}"`}>${stack ? "[]" : ""}`;
    }
    return plainType(dtype, shape.length) + (stack ? "[]" : "");
  }
}

export const elementTypes: Readonly<Record<string, string>> = {
  f64: "Float64Array",
  f32: "Float32Array",
  f16: "Float16Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  u8: "Uint8Array",
  bool: "Uint8Array",
};

/** An element as it is stored: truths as 1 and 0. */
export function storedText(dtype: string, { text }: Text): string {
  if (dtype !== "bool") return text;
  if (text === "true") return "1";
  return text === "false" ? "0" : `Number(${text})`;
}

/** The type of a number, a boolean, or an array of that many axes. */
export function plainType(dtype: string, rank: number): string {
  if (rank === 0) return dtype === "bool" ? "boolean" : "number";
  return `${elementTypes[dtype]}${"[]".repeat(rank - 1)}`;
}

/** `points`, `.x` and `i` → `points[i]!.x`. */
function interleaved([array = "", ...steps]: readonly string[], indices: readonly Text[]): string {
  return indices.reduce((text, index, k) => {
    const mayMiss = k > 0 && steps[k - 1] === undefined;
    const step = steps[k] === undefined ? "" : `!${steps[k]}`;
    return `${text}${mayMiss ? "!" : ""}[${index.text}]${step}`;
  }, array);
}

/** An array of numbers, or of arrays of them, as typed arrays. */
function typed(list: Text, dtype: DType, axes: number): Text {
  const kind = elementTypes[dtype];
  const from = (text: string, rank: number): string => {
    if (rank === 1 && dtype === "bool") return `${kind}.from(${text}.map((on) => Number(on)))`;
    if (rank === 1) return `${kind}.from(${text})`;
    return `${text}.map((row) => ${from("row", rank - 1)})`;
  };
  return atom(from(within(list, 18), axes));
}
