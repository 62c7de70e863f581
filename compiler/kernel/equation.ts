/** One equation of the graph → code, by what the op table says of its lowering. */

import { type Dim, sameShape } from "../ir/dim.ts";
import type { DType, Equation, Value } from "../ir/types.ts";
import { constant, op, set } from "./loop.ts";
import { ElementReader, elementwise } from "./element.ts";
import { lowerFor, lowerIf, lowerWhile } from "./frame.ts";
import { lowerCall } from "./calls.ts";
import { lowerMap } from "./map.ts";
import { noLarger, type Program } from "./program.ts";
import { lowerReduction } from "./reduce.ts";
import { schedules } from "./schedules/index.ts";

export function lowerEquation(program: Program, equation: Equation): void {
  program.within(equation.span ?? program.span, () => lowerByOp(program, equation));
}

function lowerByOp(program: Program, equation: Equation): void {
  switch (equation.op) {
    case "if":
      return lowerIf(program, equation);
    case "for":
      return lowerFor(program, equation);
    case "while":
      return lowerWhile(program, equation);
    case "map":
      return lowerMap(program, equation);
    case "call":
      return lowerCall(program, equation);
    case "constant":
      return lowerConstant(program, equation);
    case "extent": {
      const dim = equation.parameters["dim"] as Dim;
      return program.setScalar(equation.outputs[0] as Value, program.dim(dim));
    }
    case "bind":
      return lowerBind(program, equation);
    default:
      return lowerOp(program, equation);
  }
}

function lowerOp(program: Program, equation: Equation): void {
  const definition = program.op(equation.op);
  const { effect, partial, consumes } = definition.laws;
  const unused = equation.outputs.every((output) => program.uses.count(output) === 0);
  if (unused && effect !== true && partial !== true && consumes === undefined) return;
  if (Object.hasOwn(schedules, equation.op)) {
    schedules[equation.op]?.(program, equation);
    return;
  }
  const { lower } = definition;
  switch (lower.kind) {
    case "elementwise":
      return lowerElementwise(program, equation);
    case "element":
      return lowerElement(program, equation, lower.alias === true);
    case "reduce":
      return lowerReduction(program, equation, lower.combine, lower.identity);
    case "schedule":
    case "frame":
      throw new Error(`no schedule is known for \`${equation.op}\``);
  }
}

export function lowerElementwise(program: Program, equation: Equation): void {
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = output.type;
  if (shape.length === 0) {
    const operands = equation.inputs.map((input) => program.scalar(input));
    const dtypes = equation.inputs.map((input) => input.type.dtype);
    const value = elementwise(equation.op, dtypes, operands, dtype);
    const loose = program.options.reassociate || equation.parameters["accumulate"] === true;
    const whole = equation.parameters["whole"] === true;
    if (value.kind === "cast" && whole) program.setScalar(output, { ...value, whole });
    else program.setScalar(output, loose && value.kind === "op" ? { ...value, loose } : value);
    return;
  }
  if (program.uses.count(output) > 1 || program.isResult(output)) {
    program.join(equation);
    return;
  }
  program.elementwiseValues.add(output);
  defineLazy(program, equation, output, dtype);
}

function defineLazy(program: Program, equation: Equation, output: Value, dtype: DType): void {
  program.define(output, {
    kind: "lazy",
    element: (reader, index) => reader.equation(equation, index, dtype),
    sources: equation.inputs,
  });
}

/** A view, a selection or a generator. */
function lowerElement(program: Program, equation: Equation, alias: boolean): void {
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = output.type;
  const [input] = equation.inputs;
  if (alias && input !== undefined && shape.length > 0 && input.type.shape.length > 0) {
    const same = sameShape(input.type.shape, shape);
    if (same && program.placeOf(input).kind !== "array") program.elementwiseValues.add(output);
    else if (!program.isUniform(input)) {
      program.define(output, { kind: "array", buffer: program.buffer(input) });
      return;
    }
  }
  if (shape.length === 0) {
    const reader = new ElementReader(program);
    program.setScalar(output, reader.equation(equation, [], dtype));
    program.emit(...reader.statements);
    return;
  }
  // What is computed here would be computed again for every element that repeats it.
  const single = program.uses.count(output) === 1;
  for (const source of equation.inputs) {
    const place = program.placeOf(source);
    if (place.kind !== "lazy" || program.isUniform(source)) continue;
    if (!single || !noLarger(output.type, source.type)) program.buffer(source);
  }
  defineLazy(program, equation, output, dtype);
}

function lowerConstant(program: Program, equation: Equation): void {
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = output.type;
  const values = equation.parameters["values"] as readonly number[];
  const [first] = values;
  if (shape.length === 0) {
    program.define(output, { kind: "scalar", expr: constant(first ?? 0, dtype) });
  } else if (values.every((value) => Object.is(value, first))) {
    const element = constant(first ?? 0, dtype);
    program.define(output, { kind: "lazy", element: () => element, sources: [] });
  } else {
    program.define(output, { kind: "array", buffer: program.constantBuffer(dtype, values) });
  }
}

function lowerBind(program: Program, equation: Equation): void {
  const [length] = equation.inputs;
  if (length === undefined) throw new Error("`bind` needs a length");
  const size = program.scalar(length);
  const site = program.site("length", "bind", equation.span, length.name);
  const zero = constant(0);
  program.emit(
    {
      kind: "if",
      condition: op("lt", "i32", [size, zero]),
      then: [{ kind: "fault", site, index: size, extent: zero }],
      otherwise: [],
    },
    set(program.symbolLocal(equation.parameters["symbol"] as string), size),
  );
}
