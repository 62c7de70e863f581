/**
 * The language without the compiler: every operation computes at once, on the reference meanings.
 *
 * Transforms run a function on tensors while a trace writes down the operations; the function that
 * the trace then is, is transformed by the same code that the compiler uses.
 */

import type { NdArray } from "../compiler/ir/ndarray.ts";
import { evaluateDim } from "../compiler/ir/dim.ts";
import {
  type Equation,
  type Fn,
  isFloat,
  type Parameters,
  type Value,
} from "../compiler/ir/types.ts";
import { GraphBuilder } from "../compiler/ops/builder.ts";
import { ops, typeRule } from "../compiler/ops/index.ts";
import { opOf } from "../compiler/ops/of.ts";
import { Tensor, tensor } from "../runtime/tensor.ts";
import { surface, type SurfaceArgument } from "./surface/index.ts";

/** Computes what it is asked to build. */
class EagerBuilder extends GraphBuilder {
  readonly arrays = new Map<Value, NdArray>();

  constructor() {
    super(typeRule);
  }

  /** A value that stands for an array. */
  declare(array: NdArray): Value {
    const value: Value = { type: { dtype: array.dtype, shape: array.shape, stack: false } };
    this.arrays.set(value, array);
    return value;
  }

  override put(equation: Equation): void {
    super.put(equation);
    if (equation.regions.length > 0) throw needsCompiler(equation.op);
    const outputs = equation.outputs.map(({ type }) => ({
      dtype: type.dtype,
      shape: type.shape.map((dim) => evaluateDim(dim, new Map())),
    }));
    const { laws, reference } = opOf(equation);
    const inputs = equation.inputs.map((input, k) => {
      const array = this.arrayOf(input);
      // A reference may write in what its op consumes; here the tensor lives on.
      return laws.consumes?.includes(k) ? { ...array, data: array.data.slice() } : array;
    });
    const results = reference(inputs, equation.parameters, {
      outputs,
      extent: (dim) => evaluateDim(dim, new Map()),
    });
    equation.outputs.forEach((output, k) => this.arrays.set(output, results[k] as NdArray));
  }

  arrayOf(value: Value): NdArray {
    const array = this.arrays.get(value);
    if (array === undefined) throw new Error("a value of another eager call");
    return array;
  }
}

/** The operations of a function being transformed, as they are run. */
interface Trace {
  readonly builder: EagerBuilder;
  readonly values: Map<Tensor, Value>;
  /** Tensors from outside that the function uses: further parameters. */
  readonly captured: { readonly tensor: Tensor; readonly value: Value }[];
}

/** The traces under way, innermost last. What an operation means depends on who is watching. */
const traces: Trace[] = [];

/** Calls a function of the language on tensors and on plain arguments. */
export function applyEagerly(name: string, args: readonly unknown[]): unknown {
  const call = surface[name];
  if (call === undefined) throw new Error(`the language has no ${name}`);
  const context = currentContext();
  const result = call(
    context.builder,
    args.map((argument) => toSurface(context, argument)),
  );
  if (name === "item") {
    if (traces.length > 0) throw needsCompiler("item");
    return context.builder.arrayOf(result as Value).data[0];
  }
  return Array.isArray(result)
    ? result.map((value) => toTensor(context, value as Value))
    : toTensor(context, result as Value);
}

/** Applies a function of numbers at each index. */
export function mapEagerly(f: (...elements: number[]) => number, tensors: readonly unknown[]) {
  if (traces.length > 0) throw needsCompiler("map");
  const sum = tensors.reduce((x, y) =>
    applyEagerly("add", [castLike(x, tensors[0]), castLike(y, tensors[0])]),
  );
  const { shape, dtype } = sum as Tensor;
  const whole = tensors.map((one) =>
    (applyEagerly("broadcastTo", [one, shape]) as Tensor).dataSync(),
  );
  const data = (sum as Tensor)
    .dataSync()
    .map((_, k) => f(...whole.map((array) => array[k] as number)));
  return tensor(data, shape, dtype);
}

function castLike(x: unknown, like: unknown): unknown {
  return applyEagerly("cast", [x, (like as Tensor).dtype]);
}

/** Combines the leaves of trees of one structure. */
export function treeMapEagerly(
  f: (...leaves: readonly unknown[]) => unknown,
  trees: readonly unknown[],
): unknown {
  const [first] = trees;
  if (first instanceof Tensor || typeof first !== "object" || first === null) return f(...trees);
  if (Array.isArray(first)) {
    return first.map((_, k) =>
      treeMapEagerly(
        f,
        trees.map((tree) => (tree as readonly unknown[])[k]),
      ),
    );
  }
  return Object.fromEntries(
    Object.keys(first).map((key) => [
      key,
      treeMapEagerly(
        f,
        trees.map((tree) => (tree as Readonly<Record<string, unknown>>)[key]),
      ),
    ]),
  );
}

/** A function of tensors, written down. */
export interface Traced<T> {
  /** Parameters: the tensors given, then the captured ones. */
  readonly fn: Fn;
  readonly captured: readonly Tensor[];
  readonly result: T;
}

/**
 * Runs `body` on stand-ins for `inputs` and writes down its operations. `results` picks the
 * tensors that the function returns.
 */
export function traceFunction<T>(
  inputs: readonly Tensor[],
  body: (standIns: readonly Tensor[]) => T,
  results: (result: T) => readonly Tensor[],
): Traced<T> {
  const trace: Trace = { builder: new EagerBuilder(), values: new Map(), captured: [] };
  const standIns = inputs.map((input) => copyOf(input));
  const parameters = standIns.map((standIn) => {
    const value = trace.builder.declare(toNdArray(standIn));
    trace.values.set(standIn, value);
    return value;
  });
  traces.push(trace);
  let result: T;
  try {
    result = body(standIns);
  } finally {
    traces.pop();
  }
  const returned = results(result).map((one) => valueIn(trace, one));
  const captured = trace.captured.map(({ value }) => value);
  return {
    fn: {
      name: "eager",
      body: {
        parameters: [...parameters, ...captured],
        equations: trace.builder.equations,
        results: returned,
      },
    },
    captured: trace.captured.map((entry) => entry.tensor),
    result,
  };
}

/** Runs a function on tensors; a trace under way sees its operations. */
export function runFunction(fn: Fn, inputs: readonly Tensor[]): readonly Tensor[] {
  const tensors = new Map<Value, Tensor>();
  fn.body.parameters.forEach((parameter, k) => tensors.set(parameter, inputs[k] as Tensor));
  for (const equation of fn.body.equations) {
    const operands = equation.inputs.map((input) => tensors.get(input) as Tensor);
    const outputs = applyOp(equation.op, operands, equation.parameters);
    equation.outputs.forEach((output, k) => tensors.set(output, outputs[k] as Tensor));
  }
  return fn.body.results.map((result) => tensors.get(result) as Tensor);
}

function applyOp(
  op: string,
  operands: readonly Tensor[],
  parameters: Parameters,
): readonly Tensor[] {
  if (ops[op] === undefined) throw needsCompiler(op);
  const context = currentContext();
  const inputs = operands.map((operand) => valueIn(context, operand));
  return context.builder.emit(op, inputs, parameters).map((output) => toTensor(context, output));
}

/** The innermost trace, or a context of its own for one call. */
function currentContext(): Trace {
  return traces.at(-1) ?? { builder: new EagerBuilder(), values: new Map(), captured: [] };
}

function valueIn(context: Trace, one: Tensor): Value {
  const known = context.values.get(one);
  if (known !== undefined) return known;
  const value = context.builder.declare(toNdArray(one));
  context.values.set(one, value);
  context.captured.push({ tensor: one, value });
  return value;
}

function toSurface(context: Trace, argument: unknown): SurfaceArgument {
  if (argument instanceof Tensor) return valueIn(context, argument);
  if (Array.isArray(argument)) return argument.map((entry) => toSurface(context, entry));
  return argument as SurfaceArgument;
}

function toTensor(context: Trace, value: Value): Tensor {
  const { data, shape, dtype } = context.builder.arrayOf(value);
  const made = tensor(data, shape, dtype);
  context.values.set(made, value);
  return made;
}

function toNdArray(one: Tensor): NdArray {
  return { dtype: one.dtype, shape: one.shape, data: one.dataSync() };
}

function copyOf(one: Tensor): Tensor {
  return tensor(one.dataSync().slice(), one.shape, one.dtype);
}

export function isFloatTensor(one: unknown): one is Tensor {
  return one instanceof Tensor && isFloat(one.dtype);
}

/** What is thrown where the eager language cannot follow. */
export function needsCompiler(what: string): Error {
  return new Error(
    `\`${what}\` needs the compiler here: run the file with \`npx fluxion run\`, with ` +
      "`node --import fluxion/register`, or through the bundler plugin",
  );
}
