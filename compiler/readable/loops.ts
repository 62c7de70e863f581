/** Loops over the elements of plain arrays, and the arrays that they fill. */

import type { Dim } from "../ir/dim.ts";
import type { Value } from "../ir/types.ts";
import { atom, type Text, within } from "./expressions.ts";
import { type Elements, elementTypes, plainType, storedText, type Writing } from "./writing.ts";

/** A value as it is handed on; an array that is not made is made for it. */
export function handedOn(page: Writing, value: Value): Text {
  if (!page.isUnmade(value)) return page.whole(value);
  return atom(fillNew(page, value, (index) => page.element(value, index)));
}

/** An array, or rows, that repeat one number. */
export function filled(page: Writing, shape: readonly Dim[], dtype: string, value: Text): string {
  const [length, ...rest] = shape as readonly [Dim, ...Dim[]];
  if (rest.length > 0) {
    const row = filled(page, rest, dtype, value);
    return `Array.from({ length: ${page.dim(length).text} }, () => ${row})`;
  }
  const made = `new ${elementTypes[dtype]}(${page.dim(length).text})`;
  const stored = storedText(dtype, value);
  return stored === "0" ? made : `${made}.fill(${stored})`;
}

export function zeroOf(dtype: string): Text {
  return atom(dtype === "bool" ? "false" : "0");
}

/** A loop over each axis; `body` writes what is in them. */
export function loops(
  page: Writing,
  shape: readonly Dim[],
  body: (index: readonly Text[]) => void,
): void {
  const [length, ...rest] = shape;
  if (length === undefined) return body([]);
  page.names.within(() => {
    const i = page.names.counter();
    page.line(`for (let ${i} = 0; ${i} < ${within(page.dim(length), 10)}; ${i}++) {`);
    loops(page, rest, (index) => body([atom(i), ...index]));
    page.line("}");
  });
}

export function fill(page: Writing, output: Value, elements: Elements): void {
  page.say(output, atom(fillNew(page, output, elements)));
}

export function fillNew(page: Writing, output: Value, elements: Elements): string {
  const { shape, dtype } = output.type;
  const name = page.nameOf(output);
  const type = shape.length > 1 ? `: ${plainType(dtype, shape.length)}` : "";
  page.line(`const ${name}${type} = ${filled(page, shape, dtype, zeroOf(dtype))};`);
  loops(page, shape, (index) =>
    page.line(`${placeIn(name, index)} = ${storedText(dtype, elements(index))};`),
  );
  return name;
}

export function placeIn(name: string, index: readonly Text[]): string {
  return `${name}${index.map(({ text }) => `[${text}]`).join("!")}`;
}

/**
 * The elements of a tensor as a plain array, `value`, one by one: the language has no word for all
 * at once.
 */
export function elementsOfTensor(page: Writing, value: Value, tensor: Text): string {
  const { shape, dtype } = value.type;
  const from = /^[\w$.]+$/.test(tensor.text) ? tensor.text : page.names.fresh("whole");
  if (from !== tensor.text) page.line(`const ${from} = ${tensor.text};`);
  const name = page.nameOf(value);
  const type = shape.length > 1 ? `: ${plainType(dtype, shape.length)}` : "";
  page.line(`const ${name}${type} = ${filled(page, shape, dtype, zeroOf(dtype))};`);
  loops(page, shape, (index) => {
    page.imports.add("tensor");
    page.imports.add("primitive");
    const at = index.map(({ text }) => `tensor(${text}, [], "i32")`).join(", ");
    const element = atom(`primitive("at", [${from}, ${at}]).item()`);
    page.line(`${placeIn(name, index)} = ${storedText(dtype, element)};`);
  });
  return name;
}
