/**
 * The text form of functions: values are numbered in order, so that equal functions print equal
 * text, and `parse.ts` reads it back.
 *
 *   fn @score(%0: f32[2,3], %1: f32[3]) {
 *     %2 = broadcast %1 {axes = [1], shape = [2,3]} : f32[2,3]
 *     %3 = mul %0, %2 : f32[2,3]
 *     return %3
 *   }
 */

import { dimText } from "./dim.ts";
import type { Block, Equation, Fn, Graph, Parameter, Parameters, Value } from "./types.ts";
import { typeText } from "./types.ts";

export interface PrintOptions {
  /** Adds to each number what the user calls the value: `%3.weight`. */
  readonly names?: boolean;
}

/** The root function first, then the others by name. */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const names = [...graph.functions.keys()].filter((name) => name !== graph.root).sort();
  return [graph.root, ...names]
    .flatMap((name) => graph.functions.get(name) ?? [])
    .map((fn) => printFunction(fn, options))
    .join("\n");
}

/** Ends in a line break. */
export function printFunction(fn: Fn, options: PrintOptions = {}): string {
  const printer = newPrinter(options);
  const parameters = declare(printer, fn.body.parameters);
  const lines = [
    `fn @${fn.name}(${parameters}) {`,
    ...blockLines(printer, fn.body, "return", "  "),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

/** The number of each value that the function defines, as its text shows them. */
export function numberValues(fn: Fn): ReadonlyMap<Value, number> {
  const printer = newPrinter({});
  declare(printer, fn.body.parameters);
  blockLines(printer, fn.body, "return", "");
  return printer.numbers;
}

/** `{axes = [1], shape = [2,B+1]}`, keys in order; nothing where there are no parameters. */
export function parametersText(parameters: Parameters): string {
  const entries = Object.keys(parameters)
    .filter((key) => parameters[key] !== undefined)
    .sort()
    .map((key) => `${key} = ${parameterText(parameters[key] as Parameter)}`);
  return entries.length === 0 ? "" : `{${entries.join(", ")}}`;
}

interface Printer {
  readonly numbers: Map<Value, number>;
  readonly names: boolean;
}

function newPrinter(options: PrintOptions): Printer {
  return { numbers: new Map(), names: options.names ?? false };
}

function blockLines(
  printer: Printer,
  block: Block,
  end: "return" | "yield",
  indent: string,
): readonly string[] {
  const lines = block.equations.flatMap((equation) => equationLines(printer, equation, indent));
  const results = block.results.map((result) => nameOf(printer, result));
  return [...lines, `${indent}${[end, results.join(", ")].filter(Boolean).join(" ")}`];
}

function equationLines(printer: Printer, equation: Equation, indent: string): readonly string[] {
  const { op, inputs, parameters, regions, outputs } = equation;
  const operands = inputs.map((input) => nameOf(printer, input)).join(", ");
  const call = [op, operands, parametersText(parameters)].filter(Boolean).join(" ");
  // Regions first: what they define has the lower numbers, as in the order of reading.
  const nested = regions.map((region) => {
    const header =
      region.parameters.length === 0 ? "" : `(${declare(printer, region.parameters)}) `;
    return { header, lines: blockLines(printer, region, "yield", `${indent}  `) };
  });
  const results = outputs.map((output) => define(printer, output)).join(", ");
  const types = outputs.map((output) => typeText(output.type)).join(", ");
  const left = results === "" ? "" : `${results} = `;
  const right = types === "" ? "" : ` : ${types}`;
  if (nested.length === 0) return [`${indent}${left}${call}${right}`];
  const words = regionWords[op] ?? [];
  const lines: string[] = [];
  let line = `${indent}${left}${call} `;
  nested.forEach((region, k) => {
    const word = k === 0 ? "" : `${words[k] ?? "and"} `;
    lines.push(`${line}${word}${region.header}{`, ...region.lines);
    line = `${indent}} `;
  });
  lines.push(`${indent}}${right}`);
  return lines;
}

/** What stands between the regions of an equation. */
const regionWords: Readonly<Record<string, readonly string[]>> = {
  if: ["", "else"],
  while: ["", "do"],
};

function declare(printer: Printer, parameters: readonly Value[]): string {
  return parameters
    .map((parameter) => `${define(printer, parameter)}: ${typeText(parameter.type)}`)
    .join(", ");
}

function define(printer: Printer, value: Value): string {
  printer.numbers.set(value, printer.numbers.size);
  return nameOf(printer, value);
}

/** A value that no one defined prints as `%?`, so that ill-formed programs can be looked at. */
function nameOf(printer: Printer, value: Value): string {
  const number = printer.numbers.get(value);
  const suffix = printer.names && value.name !== undefined ? `.${value.name}` : "";
  return `%${number ?? "?"}${suffix}`;
}

function parameterText(parameter: Parameter): string {
  switch (typeof parameter) {
    case "number":
      return Object.is(parameter, -0) ? "-0" : String(parameter);
    case "string":
      return JSON.stringify(parameter);
    case "boolean":
      return String(parameter);
    case "object":
      if ("terms" in parameter) return dimText(parameter);
      return `[${parameter.map(parameterText).join(",")}]`;
  }
}
