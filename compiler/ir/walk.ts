/** Questions about blocks that many passes ask, and the one way to copy them. */

import type { Block, Equation, Parameter, Value } from "./types.ts";
import { symbolsOf } from "./dim.ts";

/** The values that a block reads but does not define, each once, in order of first use. */
export function freeValues(block: Block): readonly Value[] {
  const bound = new Set<Value>();
  const free = new Set<Value>();
  const read = (value: Value): void => {
    if (!bound.has(value)) free.add(value);
  };
  const visit = (inner: Block): void => {
    for (const parameter of inner.parameters) bound.add(parameter);
    for (const equation of inner.equations) {
      equation.inputs.forEach(read);
      equation.regions.forEach(visit);
      for (const output of equation.outputs) bound.add(output);
    }
    inner.results.forEach(read);
  };
  visit(block);
  return [...free];
}

/** What an equation reads: its inputs, then what its regions capture, each once. */
export function operandsOf(equation: Equation): readonly Value[] {
  if (equation.regions.length === 0) return equation.inputs;
  const read = new Set(equation.inputs);
  for (const region of equation.regions) for (const value of freeValues(region)) read.add(value);
  return [...read];
}

/** Every equation of a block and of the regions in it, outer ones first. */
export function* allEquations(block: Block): Generator<Equation> {
  for (const equation of block.equations) {
    yield equation;
    for (const region of equation.regions) yield* allEquations(region);
  }
}

/** The symbolic extents that an equation mentions; those inside of its regions are not its own. */
export function extentsOf({ parameters, outputs }: Equation): readonly string[] {
  const ofParameter = (parameter: Parameter): readonly string[] => {
    if (typeof parameter !== "object") return [];
    if ("terms" in parameter) return symbolsOf(parameter);
    return parameter.flatMap(ofParameter);
  };
  return [
    ...Object.values(parameters).flatMap(ofParameter),
    ...outputs.flatMap(({ type }) => type.shape.flatMap(symbolsOf)),
  ];
}

/** The number of equations, those in regions included. */
export function equationCount(block: Block): number {
  let count = 0;
  for (const _ of allEquations(block)) count++;
  return count;
}

/** Maps a value to what now stands for it; values that are not in the map stand for themselves. */
export type Renaming = ReadonlyMap<Value, Value>;

/** A block with its free values renamed. Its own values keep their identity. */
export function renameBlock(block: Block, renaming: Renaming): Block {
  if (renaming.size === 0) return block;
  const rename = (value: Value): Value => renaming.get(value) ?? value;
  return {
    parameters: block.parameters,
    equations: block.equations.map((equation) => renameEquation(equation, renaming)),
    results: block.results.map(rename),
  };
}

export function renameEquation(equation: Equation, renaming: Renaming): Equation {
  return {
    ...equation,
    inputs: equation.inputs.map((value) => renaming.get(value) ?? value),
    regions: equation.regions.map((region) => renameBlock(region, renaming)),
  };
}

/** A copy of a block in which every value that it defines is new: for using a block twice. */
export function copyBlock(block: Block, renaming: Renaming = new Map()): Block {
  const map = new Map(renaming);
  const define = (value: Value): Value => {
    const copy: Value = { type: value.type, name: value.name };
    map.set(value, copy);
    return copy;
  };
  const visit = (inner: Block): Block => {
    const parameters = inner.parameters.map(define);
    const equations = inner.equations.map((equation): Equation => {
      const inputs = equation.inputs.map((value) => map.get(value) ?? value);
      const regions = equation.regions.map(visit);
      return { ...equation, inputs, regions, outputs: equation.outputs.map(define) };
    });
    return {
      parameters,
      equations,
      results: inner.results.map((value) => map.get(value) ?? value),
    };
  };
  return visit(block);
}

/** The symbolic extents that the types of a block's parameters mention, in order. */
export function parameterSymbols(block: Block): readonly string[] {
  const names = new Set<string>();
  for (const { type } of block.parameters) {
    for (const dim of type.shape) for (const name of symbolsOf(dim)) names.add(name);
  }
  return [...names];
}

/** The parts of a `for` or `while` that carry values, by position. */
export interface Loop {
  readonly initial: readonly Value[];
  readonly carried: readonly Value[];
  readonly body: Block;
}

export function loopOf(equation: Equation): Loop {
  if (equation.op === "for") {
    const [body] = equation.regions as [Block];
    return { initial: equation.inputs.slice(1), carried: body.parameters.slice(1), body };
  }
  const body = equation.regions[1] as Block;
  return { initial: equation.inputs, carried: body.parameters, body };
}

/** The arrays that a call takes over, with the outputs that they come back as. */
export function movesOf(call: Equation): readonly (readonly [input: Value, output: Value])[] {
  const pairs = (call.parameters["moves"] ?? []) as readonly (readonly [number, number])[];
  return pairs.map(([from, to]) => [call.inputs[from] as Value, call.outputs[to] as Value]);
}
