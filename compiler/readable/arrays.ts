/**
 * Plain arrays: typed arrays, and rows of them.
 *
 * An operation on a whole array is an expression of its index. It is written into the loop that
 * reads it where it is read once and near by, and makes an array in a loop of its own elsewhere:
 *
 *   y = exp x; s = sum y   →   let s = 0; for (let i = 0; i < x.length; i++) s += Math.exp(x[i]!)
 */

import type { Dim } from "../ir/dim.ts";
import type { Block, Equation, Value } from "../ir/types.ts";
import type { Element, ElementWriter, Op } from "../ops/define.ts";
import { ops } from "../ops/index.ts";
import { opOf } from "../ops/of.ts";
import {
  atom,
  call,
  castText,
  choice,
  numberText,
  scalarText,
  type Text,
  within,
} from "./expressions.ts";
import { applied, elementAt, sum } from "./elements.ts";
import { accumulate, contract, reduce } from "./reductions.ts";
import { write, writeMany } from "./writes.ts";
import { fill, filled, loops, placeIn, zeroOf } from "./loops.ts";
import { type Elements, elementTypes, storedText, Unreadable, type Writing } from "./writing.ts";

/** An equation that makes, reads or writes whole plain arrays. */
export function arrayStatement(page: Writing, equation: Equation): void {
  const { op, inputs } = equation;
  const [output] = equation.outputs as readonly [Value];
  switch (op) {
    case "update":
    case "add_at":
      return write(page, equation);
    case "dynamic_update":
    case "scatter_add":
      return writeMany(page, equation);
    case "at":
      return read(page, equation);
    case "copy":
      return copy(page, output, inputs[0] as Value);
  }
  if (isNumberEverywhere(page, equation)) {
    return page.sayUnmade(output, () => page.text(inputs[0] as Value));
  }
  const short = shortForm(page, equation);
  if (short !== undefined) return void page.introduce(output, short);
  const lowering = opOf(equation).lower;
  if (lowering.kind === "reduce") {
    return reduce(page, equation, lowering.combine, lowering.identity);
  }
  if (op === "dot") return contract(page, equation);
  if (op === "cumsum") return accumulate(page, equation);
  const elements = elementsOf(page, equation);
  if (isReadOnce(page, equation)) page.sayUnmade(output, elements);
  else fill(page, output, elements);
}

/** Constants, copies of one number, and end to end: what has a short form. */
function shortForm(page: Writing, equation: Equation): string | undefined {
  const { op, inputs, parameters } = equation;
  const [output] = equation.outputs as readonly [Value];
  const { shape, dtype } = output.type;
  const kind = elementTypes[dtype];
  if (op === "constant") {
    const values = parameters["values"] as readonly number[];
    return listed(
      values.map((value) => numberText(value).text),
      shape as readonly number[],
      kind,
    );
  }
  if (op === "broadcast" && (inputs[0] as Value).type.shape.length === 0) {
    return filled(page, shape, dtype, page.text(inputs[0] as Value));
  }
  if (op === "reshape" && shape.every((dim) => dim === 1)) {
    const [x] = inputs as readonly [Value];
    return listed(
      [
        storedText(
          dtype,
          elementAt(
            page,
            x,
            x.type.shape.map(() => atom("0")),
          ),
        ),
      ],
      shape as number[],
      kind,
    );
  }
  if (op === "concat" && shape.length === 1 && inputs.every(({ type }) => type.shape[0] === 1)) {
    const parts = inputs.map((input) => storedText(dtype, page.element(input, [atom("0")])));
    return listed(parts, [parts.length], kind);
  }
  if (op === "dynamic_slice" && shape.length === 1 && page.hasVariable(inputs[0] as Value)) {
    const [x, start] = inputs as readonly [Value, Value];
    const from = page.text(start);
    const size = page.dim(parameters["size"] as Dim);
    const end = from.text === "0" ? size : (scalarText("add", "f64", [from, size]) as Text);
    return `${page.text(x).text}.slice(${from.text}, ${end.text})`;
  }
  return undefined;
}

/** `Float64Array.of(1, 2)`, `[Float64Array.of(1), Float64Array.of(2)]` */
function listed(values: readonly string[], shape: readonly number[], kind?: string): string {
  const [length = 0, ...rest] = shape;
  if (rest.length === 0)
    return kind === undefined ? `[${values.join(", ")}]` : `${kind}.of(${values.join(", ")})`;
  const size = values.length / length;
  const rows = Array.from({ length }, (_, k) =>
    listed(values.slice(k * size, (k + 1) * size), rest, kind),
  );
  return `[${rows.join(", ")}]`;
}

// Elements

/** Read once, by a loop over elements in the same block, and the same wherever it is computed. */
function isReadOnce(page: Writing, equation: Equation): boolean {
  const [output] = equation.outputs as readonly [Value];
  const { facts } = page;
  if (!facts.isInline(equation) || facts.mutated.has(output) || page.isPlain(output)) return false;
  const [reader] = facts.readersOf(output);
  return reader !== undefined && readsElements(page, reader);
}

/** One number for all elements needs no array where only elements are read. */
function isNumberEverywhere(page: Writing, equation: Equation): boolean {
  const [output] = equation.outputs as readonly [Value];
  const [x] = equation.inputs;
  if (equation.op !== "broadcast" || x === undefined || x.type.shape.length > 0) return false;
  const readers = page.facts.readersOf(output);
  if (page.facts.mutated.has(output) || page.text(x).binds < 20) return false;
  if (readers.length !== page.facts.uses.get(output)) return false;
  return readers.every((reader) => readsElements(page, reader));
}

/** True for equations that read plain arrays element by element, in a loop. */
function readsElements(page: Writing, { op, regions, outputs }: Equation): boolean {
  if (outputs.some((value) => page.isTensor(value))) return false;
  if (op === "map" || op === "cumsum" || op === "copy" || op === "dot") return true;
  if (regions.length > 0 || op === "call" || op === "push") return false;
  const { kind } = (ops[op] as Op).lower;
  return kind === "element" || kind === "elementwise" || kind === "reduce";
}

/** What an equation computes, as an expression of the index. */
export function elementsOf(page: Writing, equation: Equation): Elements {
  const { op, inputs, parameters } = equation;
  const [output] = equation.outputs as readonly [Value];
  const read = (k: number, index: readonly Text[]): Text =>
    elementAt(page, inputs[k] as Value, index);
  switch (op) {
    case "cast":
      return (index) => {
        const from = (inputs[0] as Value).type.dtype;
        const text = castText(from, output.type.dtype, read(0, index));
        if (text === undefined) throw new Unreadable(`${from} as ${output.type.dtype}`);
        return text;
      };
    case "stop_gradient":
      return (index) => read(0, index);
    case "dynamic_slice": {
      const axis = parameters["axis"] as number;
      return (index) =>
        read(
          0,
          index.map((at, k) => (k === axis ? sum(page.text(inputs[1] as Value), at) : at)),
        );
    }
    case "gather": {
      const axis = parameters["axis"] as number;
      const { length } = (inputs[1] as Value).type.shape;
      return (index) => {
        const at = read(1, index.slice(axis, axis + length));
        return read(0, [...index.slice(0, axis), at, ...index.slice(axis + length)]);
      };
    }
  }
  const { lower, laws } = opOf(equation);
  if (laws.elementwise) {
    return (index) => {
      const { dtype } = (inputs[inputs.length - 1] ?? output).type;
      const operands = inputs.map((_, k) => read(k, index));
      const text = applied(op, dtype, operands);
      if (text === undefined) throw new Unreadable(`\`${op}\` of numbers`);
      return text;
    };
  }
  if (lower.kind !== "element") throw new Unreadable(`\`${op}\` of whole arrays`);
  return (index) =>
    textOf(
      lower.element(elementWriter(page), equation, index.map(elementOf), (k, at) =>
        elementOf(read(k, at.map(textOf))),
      ),
    );
}

const elementOf = (text: Text): Element => text as unknown as Element;
const textOf = (element: Element): Text => element as unknown as Text;

/** Writes the lowerings of single ops as expressions: indices are counts. */
function elementWriter(page: Writing): ElementWriter {
  return {
    constant: (value, dtype) =>
      elementOf(dtype === "bool" ? atom(String(value === 1)) : numberText(value)),
    dim: (dim) => elementOf(page.dim(dim)),
    apply: (op, dtype, ...operands) => {
      const texts: readonly Text[] = operands.map(textOf);
      const [x, y] = texts as readonly [Text, Text];
      if (dtype === "i32" && op === "add") return elementOf(sum(x, y));
      if (dtype === "i32" && op === "div") {
        return elementOf(call("Math.trunc", scalarText("div", "f64", texts) as Text));
      }
      const text = dtype === "i32" ? scalarText(op, "f64", texts) : applied(op, dtype, texts);
      if (text === undefined) throw new Unreadable(`\`${op}\` of elements`);
      return elementOf(text);
    },
    cast: (value, from, to) => {
      const text = castText(from, to, textOf(value));
      if (text === undefined) throw new Unreadable(`${from} as ${to}`);
      return elementOf(text);
    },
    when: (condition, _, then, otherwise) =>
      elementOf(choice(textOf(condition), textOf(then()), textOf(otherwise()))),
  };
}

/** An element or a row. A row is the array's own where nobody writes either of them. */
function read(page: Writing, equation: Equation): void {
  const [array, ...indices] = equation.inputs as readonly [Value, ...Value[]];
  const [output] = equation.outputs as readonly [Value];
  const at = indices.map((index) => page.text(index));
  if (!page.isArray(output)) {
    page.introduce(output, page.element(array, at).text);
    return;
  }
  const { mutated } = page.facts;
  if (!mutated.has(array) && !mutated.has(output)) {
    page.sayUnmade(output, (index) => page.element(array, [...at, ...index]));
    return;
  }
  if (page.isUnmade(array))
    return fill(page, output, (index) => page.element(array, [...at, ...index]));
  page.introduce(output, copied(page.element(array, at), output.type.shape.length));
}

function copied(text: Text, rank: number): string {
  const inner = rank === 1 ? "slice()" : `map((row) => ${copied(atom("row"), rank - 1)})`;
  return `${within(text, 17)}.${inner}`;
}

function copy(page: Writing, output: Value, array: Value): void {
  if (page.isUnmade(array)) return fill(page, output, (index) => page.element(array, index));
  const whole = page.whole(array);
  const own = page.hasVariable(array) ? copied(whole, output.type.shape.length) : whole.text;
  page.introduce(output, own);
}

/** A map over typed arrays, as a loop that fills its results. */
export function mapStatement(
  page: Writing,
  equation: Equation,
  statements: (block: Block) => readonly Value[],
): void {
  const [body] = equation.regions as readonly [Block];
  const [first] = equation.outputs as readonly [Value];
  const { shape } = first.type;
  const results = equation.outputs.map((output) => {
    const { dtype } = output.type;
    return page.introduce(output, filled(page, shape, dtype, zeroOf(dtype)));
  });
  loops(page, shape, (index) => {
    body.parameters.forEach((parameter, at) => {
      const element = page.element(equation.inputs[at] as Value, index);
      const often = (page.facts.uses.get(parameter) ?? 0) > 1 && element.binds < 20;
      if (often) page.introduce(parameter, element.text);
      else page.say(parameter, element);
    });
    statements(body);
    body.results.forEach((result, at) => {
      const { dtype } = result.type;
      const element = storedText(dtype, page.text(result));
      page.line(`${placeIn(results[at] as string, index)} = ${element};`);
    });
  });
}
