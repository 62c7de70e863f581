/** Helpers for lowerings by elements: arithmetic of indices. */

import type { Value, ValueType } from "../../ir/types.ts";
import type { Element, ElementWriter } from "../define.ts";

export function typeOf(values: readonly Value[]): ValueType {
  return (values[0] as Value).type;
}

export function plus(writer: ElementWriter, x: Element, y: Element): Element {
  return writer.apply("add", "i32", x, y);
}

export function minus(writer: ElementWriter, x: Element, y: Element): Element {
  return writer.apply("sub", "i32", x, y);
}

export function scaled(writer: ElementWriter, x: Element, factor: number): Element {
  return factor === 1 ? x : writer.apply("mul", "i32", x, writer.constant(factor, "i32"));
}
