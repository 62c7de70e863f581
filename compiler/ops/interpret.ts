/**
 * Runs a function of the graph IR by the reference meanings of its ops: the oracle of the tests.
 *
 * Writes into arrays happen in place, and an array that was written is gone: reading it again is
 * reported. So a run also checks that the program keeps its promise of uniqueness.
 */

import { opOf } from "./of.ts";
import { outOfRange } from "./support/reference.ts";
import { dimText, evaluateDim, symbolsOf } from "../ir/dim.ts";
import { type NdArray, scalar, sizeOf, stridesOf, zeros } from "../ir/ndarray.ts";
import type { Block, Dim, Equation, Fn, Shape, Value } from "../ir/types.ts";
import { typeText } from "../ir/types.ts";
import { loopOf, movesOf } from "../ir/walk.ts";

export interface InterpretOptions {
  /** Extents that the shapes of the inputs do not give. */
  readonly extents?: ReadonlyMap<string, number> | undefined;
  /** The functions that calls name. */
  readonly functions?: ReadonlyMap<string, Fn> | undefined;
}

/**
 * The results of `fn`. The inputs are not written. Throws a RangeError where the program fails at
 * run time, and an Error where it is ill-formed or the inputs do not have the declared types.
 */
export function interpret(
  fn: Fn,
  inputs: readonly NdArray[],
  options: InterpretOptions = {},
): readonly NdArray[] {
  const { parameters } = fn.body;
  if (inputs.length !== parameters.length) {
    throw new Error(
      `@${fn.name} takes ${parameters.length} inputs, and ${inputs.length} are given`,
    );
  }
  const run: Run = {
    cells: new Map(),
    extents: bindExtents(parameters, inputs, options.extents),
    types: new WeakMap(),
    functions: options.functions ?? new Map(),
  };
  parameters.forEach((parameter, k) => {
    const array = inputs[k] as NdArray;
    expectType(run, parameter, array, k);
    run.cells.set(parameter, { content: array, owned: false, consumed: false });
  });
  return runBlock(run, fn.body).map((cell) => {
    const array = arrayOf(cell);
    return cell.owned ? array : copied(array);
  });
}

/** What a value stands for; values that are passed on share one cell. */
interface Cell {
  readonly content: NdArray | Stack;
  /** Made by the run, so that it may be written. */
  readonly owned: boolean;
  consumed: boolean;
}

interface Stack {
  readonly items: NdArray[];
}

interface ConcreteType {
  readonly dtype: NdArray["dtype"];
  readonly shape: number[];
}

interface Run {
  readonly cells: Map<Value, Cell>;
  readonly extents: Map<string, number>;
  /** Output types of equations without symbolic dimensions. */
  readonly types: WeakMap<Equation, readonly ConcreteType[]>;
  readonly functions: ReadonlyMap<string, Fn>;
}

function runBlock(run: Run, block: Block): readonly Cell[] {
  for (const equation of block.equations) {
    const results = runEquation(run, equation);
    equation.outputs.forEach((output, k) => run.cells.set(output, results[k] as Cell));
  }
  return block.results.map((result) => read(run, result));
}

function runEquation(run: Run, equation: Equation): readonly Cell[] {
  const { op, inputs, parameters } = equation;
  const [first] = inputs;
  switch (op) {
    case "if": {
      const [then, otherwise] = equation.regions as readonly [Block, Block];
      return runBlock(run, isTrue(run, first) ? then : otherwise);
    }
    case "for": {
      const { initial, carried, body } = loopOf(equation);
      const [index] = body.parameters as readonly [Value];
      const count = number(run, first);
      let state = initial.map((value) => read(run, value));
      for (let i = 0; i < count; i++) {
        run.cells.set(index, owned(scalar("i32", i)));
        carried.forEach((parameter, k) => run.cells.set(parameter, state[k] as Cell));
        state = [...runBlock(run, body)];
      }
      return state;
    }
    case "while": {
      const { carried, body } = loopOf(equation);
      const condition = equation.regions[0] as Block;
      let state = inputs.map((value) => read(run, value));
      const bind = (parameters: readonly Value[]): void =>
        parameters.forEach((parameter, k) => run.cells.set(parameter, state[k] as Cell));
      for (;;) {
        bind(condition.parameters);
        const [goesOn] = runBlock(run, condition);
        if (arrayOf(goesOn as Cell).data[0] !== 1) return state;
        bind(carried);
        state = [...runBlock(run, body)];
      }
    }
    case "map":
      return runMap(run, equation);
    case "call":
      return runCall(run, equation);
    case "stack_new":
      return [owned({ items: [] })];
    case "push": {
      const { items } = consume(run, first) as Stack;
      items.push(copied(arrayOf(read(run, inputs[1]))));
      return [owned({ items })];
    }
    case "pop": {
      const { items } = consume(run, first) as Stack;
      const value = items.pop() ?? zeroInstead(run, equation);
      if (value === undefined) throw new RangeError("a stack without elements is popped");
      return [owned({ items }), owned(value)];
    }
    case "bind": {
      const n = number(run, first);
      if (n < 0) throw new RangeError(`an array cannot have ${n} elements`);
      run.extents.set(String(parameters["symbol"]), n);
      return [];
    }
    case "update":
    case "add_at":
      return [writeInPlace(run, equation)];
    default: {
      const arrays = inputs.map((input) => arrayOf(read(run, input)));
      const results = opOf(equation).reference(arrays, parameters, {
        outputs: outputTypes(run, equation),
        extent: (dim) => evaluateDim(dim, run.extents),
      });
      return results.map(owned);
    }
  }
}

/** The function that is called, with values of its own for this call. */
function runCall(run: Run, equation: Equation): readonly Cell[] {
  const callee = JSON.parse(String(equation.parameters["callee"])) as { readonly name?: string };
  const fn = run.functions.get(callee.name ?? "");
  if (fn === undefined) throw new Error("a call is interpreted after transforms are expanded");
  const moved = new Set(movesOf(equation).map(([input]) => input));
  const inner: Run = { ...run, cells: new Map() };
  fn.body.parameters.forEach((parameter, k) => {
    const input = equation.inputs[k] as Value;
    const cell = read(run, input);
    const taken = moved.has(input) || input.type.stack;
    const fresh = taken && !cell.owned ? copied(arrayOf(cell)) : cell.content;
    inner.cells.set(parameter, { content: fresh, owned: taken, consumed: false });
  });
  for (const input of equation.inputs)
    if (moved.has(input) || input.type.stack) consume(run, input);
  return runBlock(inner, fn.body);
}

/** What a pop that asks for it takes from an empty stack. */
function zeroInstead(run: Run, equation: Equation): NdArray | undefined {
  const type = outputTypes(run, equation)[1];
  if (equation.parameters["orZero"] !== true || type === undefined) return undefined;
  return zeros(type.dtype, type.shape);
}

/** The body once for each element; its results gathered into arrays. */
function runMap(run: Run, equation: Equation): readonly Cell[] {
  const [body] = equation.regions as readonly [Block];
  const arrays = equation.inputs.map((input) => arrayOf(read(run, input)));
  const results = outputTypes(run, equation).map(({ dtype, shape }) => zeros(dtype, shape));
  const size = sizeOf(concrete(run, equation.parameters["shape"] as Shape));
  for (let k = 0; k < size; k++) {
    body.parameters.forEach((parameter, n) => {
      const { dtype, data } = arrays[n] as NdArray;
      run.cells.set(parameter, owned(scalar(dtype, data[k] as number)));
    });
    runBlock(run, body).forEach((cell, n) => {
      (results[n] as NdArray).data[k] = arrayOf(cell).data[0] as number;
    });
  }
  return results.map(owned);
}

/** `update` and `add_at` without a copy; into a copy where the array is the caller's. */
function writeInPlace(run: Run, equation: Equation): Cell {
  const [target, value, ...indices] = equation.inputs;
  const part = arrayOf(read(run, value));
  const places = indices.map((index) => number(run, index));
  const old = read(run, target);
  const array = old.owned ? arrayOf(old) : copied(arrayOf(old));
  old.consumed = true;
  const strides = stridesOf(array.shape);
  let start = 0;
  places.forEach((i, axis) => {
    const extent = array.shape[axis] as number;
    if (i < 0 || i >= extent) throw outOfRange(i, extent);
    start += i * (strides[axis] as number);
  });
  const { data } = array;
  if (equation.op === "update") data.set(part.data, start);
  else {
    for (let k = 0; k < part.data.length; k++) {
      data[start + k] = (data[start + k] as number) + (part.data[k] as number);
    }
  }
  return owned(array);
}

function read(run: Run, value: Value | undefined): Cell {
  const cell = value && run.cells.get(value);
  if (value === undefined || cell === undefined) {
    throw new Error("a value is read before it is defined");
  }
  if (cell.consumed) {
    throw new Error(`an array of type ${typeText(value.type)} is read after it was consumed`);
  }
  return cell;
}

/** The content of a value that nobody reads again. */
function consume(run: Run, value: Value | undefined): Cell["content"] {
  const cell = read(run, value);
  cell.consumed = true;
  return cell.content;
}

function owned(content: Cell["content"]): Cell {
  return { content, owned: true, consumed: false };
}

function arrayOf(cell: Cell): NdArray {
  if ("items" in cell.content) throw new Error("a stack stands where an array is needed");
  return cell.content;
}

function copied(array: NdArray): NdArray {
  return { ...array, data: array.data.slice() };
}

function number(run: Run, value: Value | undefined): number {
  return arrayOf(read(run, value)).data[0] as number;
}

function isTrue(run: Run, value: Value | undefined): boolean {
  return number(run, value) !== 0;
}

function outputTypes(run: Run, equation: Equation): readonly ConcreteType[] {
  const known = run.types.get(equation);
  if (known !== undefined) return known;
  const types = equation.outputs.map(({ type }) => ({
    dtype: type.dtype,
    shape: concrete(run, type.shape),
  }));
  const isStatic = equation.outputs.every(({ type }) => type.shape.every(isNumber));
  if (isStatic) run.types.set(equation, types);
  return types;
}

function concrete(run: Run, shape: Shape): number[] {
  return shape.map((dim) => evaluateDim(dim, run.extents));
}

function isNumber(dim: Dim): boolean {
  return typeof dim === "number";
}

/** The extents of symbols that are dimensions of inputs by themselves. */
function bindExtents(
  parameters: readonly Value[],
  inputs: readonly NdArray[],
  given: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const extents = new Map(given);
  parameters.forEach(({ type }, k) => {
    type.shape.forEach((dim, axis) => {
      const [name] = symbolsOf(dim);
      const extent = inputs[k]?.shape[axis];
      const alone = name !== undefined && dimText(dim) === name;
      if (alone && extent !== undefined && !extents.has(name)) extents.set(name, extent);
    });
  });
  return extents;
}

function expectType(run: Run, parameter: Value, array: NdArray, position: number): void {
  const { type } = parameter;
  const shape = concrete(run, type.shape);
  const fits =
    array.dtype === type.dtype &&
    array.shape.length === shape.length &&
    array.shape.every((extent, axis) => extent === shape[axis]);
  if (!fits) {
    const given = `${array.dtype}[${array.shape}]`;
    throw new Error(`input ${position} is ${given}, and ${typeText(type)} is expected`);
  }
}
