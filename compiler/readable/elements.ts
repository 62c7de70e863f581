/** Single elements of plain arrays: read, combined, written. */

import { isFloat, type Value } from "../ir/types.ts";
import { atom, narrowText, scalarText, type Text } from "./expressions.ts";
import { storedText, Unreadable, type Writing } from "./writing.ts";

export function elementAt(page: Writing, value: Value, index: readonly Text[]): Text {
  return value.type.shape.length === 0 ? page.text(value) : page.element(value, index);
}

export function applied(op: string, dtype: string, operands: readonly Text[]): Text | undefined {
  return (dtype === "f64" || dtype === "bool" ? scalarText : narrowText)(op, dtype, operands);
}

/** `x + y` of indices. */
export function sum(x: Text, y: Text): Text {
  if (x.text === "0") return y;
  if (y.text === "0") return x;
  if (/^-\d+$/.test(y.text)) return scalarText("sub", "f64", [x, atom(y.text.slice(1))]) as Text;
  return scalarText("add", "f64", [x, y]) as Text;
}

/** `place = place ∘ value` */
export function into(page: Writing, place: string, op: string, dtype: string, value: Text): void {
  if (op === "add" && isFloat(dtype as Value["type"]["dtype"])) {
    const target = `${place}${place.endsWith("]") ? "!" : ""}`;
    const text = scalarText("add", "f64", [atom(target), value]) as Text;
    return page.line(`${target} ${text.text.slice(target.length + 1).replace(" ", "= ")};`);
  }
  const isElement = place.endsWith("]");
  const old = isElement ? { text: `${place}!`, binds: 18 } : atom(place);
  const before = isElement && dtype === "bool" ? { text: `${old.text} !== 0`, binds: 8 } : old;
  const text = applied(op, dtype, [before, value]);
  if (text === undefined) throw new Unreadable(`\`${op}\` over elements`);
  page.line(`${place} = ${isElement ? storedText(dtype, text) : text.text};`);
}
