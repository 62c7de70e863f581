/** Reading the static parameters of an equation. A missing or ill-typed one is our own fault. */

import type { Dim } from "../../ir/dim.ts";
import { type DType, dtypes, type Parameter, type Parameters } from "../../ir/types.ts";

export function integer(parameters: Parameters, name: string): number {
  const value = parameters[name];
  if (typeof value !== "number" || !Number.isInteger(value)) return missing(name, "an integer");
  return value;
}

export function integers(parameters: Parameters, name: string): readonly number[] {
  return list(parameters, name).map((value) =>
    typeof value === "number" && Number.isInteger(value)
      ? value
      : missing(name, "a list of integers"),
  );
}

export function numbers(parameters: Parameters, name: string): readonly number[] {
  const values = list(parameters, name);
  for (const value of values) if (typeof value !== "number") missing(name, "a list of numbers");
  return values as readonly number[];
}

export function dimension(parameters: Parameters, name: string): Dim {
  const value = parameters[name];
  return isDim(value) ? value : missing(name, "a dimension");
}

export function dimensions(parameters: Parameters, name: string): readonly Dim[] {
  return list(parameters, name).map((value) =>
    isDim(value) ? value : missing(name, "a list of dimensions"),
  );
}

export function dtypeOf(parameters: Parameters): DType {
  const dtype = dtypes.find((known) => known === parameters["dtype"]);
  return dtype ?? missing("dtype", "an element type");
}

export function text(parameters: Parameters, name: string): string {
  const value = parameters[name];
  return typeof value === "string" ? value : missing(name, "a string");
}

export function isDim(value: Parameter | undefined): value is Dim {
  return typeof value === "number" || (typeof value === "object" && !Array.isArray(value));
}

export function isList(value: Parameter | undefined): value is readonly Parameter[] {
  return Array.isArray(value);
}

function list(parameters: Parameters, name: string): readonly Parameter[] {
  const value = parameters[name];
  return isList(value) ? value : missing(name, "a list");
}

function missing(name: string, kind: string): never {
  throw new Error(`the parameter ${name} of an equation is not ${kind}`);
}
