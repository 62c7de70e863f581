/** Elements and rows of plain arrays, written in place. */

import type { Equation, Value } from "../ir/types.ts";
import { elementAt, into, sum } from "./elements.ts";
import type { Text } from "./expressions.ts";
import { loops } from "./loops.ts";
import { shortAssignment } from "./versions.ts";
import { storedText, type Writing } from "./writing.ts";

export function write(page: Writing, equation: Equation): void {
  const [array, value, ...indices] = equation.inputs as readonly [Value, Value, ...Value[]];
  const [output] = equation.outputs as readonly [Value];
  const at = indices.map((index) => page.text(index));
  page.alias(output, array);
  if (value.type.shape.length > 0) return writeRow(page, equation.op, array, value, at);
  const place = page.place(array, at);
  if (equation.op === "update") {
    const text = storedText(value.type.dtype, page.text(value));
    // `a[i] = a[i]! + x` as `a[i]! += x`.
    const short = shortAssignment(`${place}!`, text);
    return page.line(short.startsWith(`${place}! = `) ? `${place} = ${text};` : short);
  }
  return into(page, place, "add", value.type.dtype, page.text(value));
}

/** A row is a fresh array, which takes the place of the old one, or is added to it. */
function writeRow(
  page: Writing,
  op: string,
  array: Value,
  value: Value,
  at: readonly Text[],
): void {
  const own = page.facts.definitions.get(value);
  const fresh = own !== undefined && own.op !== "at" && page.facts.uses.get(value) === 1;
  if (op === "update" && fresh && page.hasVariable(value) && at.length > 0) {
    return page.line(`${page.place(array, at)} = ${page.text(value).text};`);
  }
  loops(page, value.type.shape, (index) => {
    const place = page.place(array, [...at, ...index]);
    const element = page.element(value, index);
    if (op === "update") page.line(`${place} = ${storedText(value.type.dtype, element)};`);
    else into(page, place, "add", value.type.dtype, element);
  });
}

/** Many elements at once: from a start on, or at many indices. */
export function writeMany(page: Writing, equation: Equation): void {
  const { op, inputs, parameters } = equation;
  const [output] = equation.outputs as readonly [Value];
  const array = inputs[0] as Value;
  const axis = parameters["axis"] as number;
  page.alias(output, array);
  if (op === "dynamic_update") {
    const [, value, start] = inputs as readonly [Value, Value, Value];
    loops(page, value.type.shape, (index) => {
      const at = index.map((i, k) => (k === axis ? sum(page.text(start), i) : i));
      page.line(
        `${page.place(array, at)} = ${storedText(value.type.dtype, page.element(value, index))};`,
      );
    });
    return;
  }
  const [, indices, updates] = inputs as readonly [Value, Value, Value];
  const rank = indices.type.shape.length;
  loops(page, updates.type.shape, (index) => {
    const at = elementAt(page, indices, index.slice(axis, axis + rank));
    const place = page.place(array, [...index.slice(0, axis), at, ...index.slice(axis + rank)]);
    into(page, place, "add", updates.type.dtype, page.element(updates, index));
  });
}
