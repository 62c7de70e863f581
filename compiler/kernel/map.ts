/**
 * `map`: scalar code over the elements of arrays. Straight-line bodies become elementwise
 * equations, which fuse with their neighbours; others become one loop nest with the code inside.
 */

import { type Block, type Equation, type Shape, type Value } from "../ir/types.ts";
import { elementCount } from "../ir/dim.ts";
import { freeValues } from "../ir/walk.ts";
import { costOf } from "./cost.ts";
import { flatIndex, localIndex } from "./affine.ts";
import { ElementReader } from "./element.ts";
import { lowerElementwise } from "./equation.ts";
import { lowerBlock } from "./frame.ts";
import { read, store } from "./loop.ts";
import { axesOf, wrap, wrapShared } from "./nest.ts";
import { describe, type Program } from "./program.ts";

export function lowerMap(program: Program, equation: Equation): void {
  const [body] = equation.regions;
  if (body === undefined) throw new Error("a `map` needs a body");
  const shape = equation.parameters["shape"] as Shape;
  const straight = straighten(program, equation, body, shape);
  if (straight !== undefined) {
    program.declareUses(straight, equation);
    for (const inner of straight) lowerElementwise(program, inner);
    return;
  }
  program.flushAll();
  for (const input of equation.inputs) {
    program.settle(input);
  }
  for (const captured of freeValues(body)) program.settle(captured);
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const reader = new ElementReader(program);
  reader.identity = index;
  const outputs = equation.outputs.map((output) => program.fresh(output));
  const buffers = program.buffers.length;
  const statements = program.collect(() => {
    lowerBlock(
      program,
      body,
      true,
      () => {
        body.parameters.forEach((parameter, k) => {
          program.setScalar(parameter, reader.read(equation.inputs[k] as Value, index));
        });
      },
      (results) => {
        results.forEach((result, k) => {
          const buffer = outputs[k] as (typeof outputs)[number];
          const at = flatIndex(shape, index);
          program.emit(store(read(buffer.pointer), at, result.type.dtype, program.scalar(result)));
        });
        return [];
      },
    );
  });
  reader.finish([]);
  const name = equation.outputs.map(describe).join(", ");
  const all = [...reader.statements, ...statements];
  if (program.buffers.length > buffers) program.kernel("map", name, wrap(axes, all));
  else {
    const work = { count: elementCount(shape), cost: costOf(all) };
    program.sharedKernel("map", name, work, (choose) => wrapShared(axes, all, choose));
  }
  equation.outputs.forEach((output, k) => {
    const buffer = outputs[k] as (typeof outputs)[number];
    buffer.to = Math.max(buffer.to, program.step - 1);
    program.define(output, { kind: "array", buffer });
  });
}

/**
 * The equations of a body on whole arrays, where each is elementwise; scalars from outside are
 * repeated. Undefined where something in it is not. The branches of an `if` that are cheap and
 * cannot fail are both computed and one is selected.
 */
function straighten(
  program: Program,
  equation: Equation,
  body: Block,
  shape: Shape,
): readonly Equation[] | undefined {
  const lifted = new Map<Value, Value>();
  const result: Equation[] = [];
  body.parameters.forEach((parameter, k) => lifted.set(parameter, equation.inputs[k] as Value));
  const lift = (value: Value): Value => {
    const known = lifted.get(value);
    if (known !== undefined) return known;
    // A scalar from outside, or a constant of the body.
    const repeated: Value = { type: { ...value.type, shape }, name: value.name };
    lifted.set(value, repeated);
    program.define(repeated, {
      kind: "lazy",
      element: () => program.scalar(value),
      sources: [value],
    });
    return repeated;
  };
  const visit = (block: Block): boolean =>
    block.equations.every((inner) => {
      if (inner.op === "if") return visitIf(inner);
      if (inner.regions.length > 0 || inner.outputs.length !== 1) return false;
      const [output] = inner.outputs as [Value];
      if (inner.op === "constant") {
        program.define(output, {
          kind: "scalar",
          expr: {
            kind: "const",
            value: (inner.parameters["values"] as readonly number[])[0] as number,
            dtype: output.type.dtype,
            lanes: 1,
          },
        });
        return true;
      }
      const { lower, laws } = program.op(inner.op);
      if (laws.partial === true) return false;
      if (inner.op === "copy" || inner.op === "stop_gradient") {
        lifted.set(output, lift(inner.inputs[0] as Value));
        return true;
      }
      if (lower.kind !== "elementwise") return false;
      if (inner.inputs.some((input) => input.type.shape.length > 0)) return false;
      const whole: Value = { type: { ...output.type, shape }, name: output.name };
      result.push({ ...inner, inputs: inner.inputs.map(lift), outputs: [whole] });
      lifted.set(output, whole);
      return true;
    });
  const visitIf = (inner: Equation): boolean => {
    const cheap = inner.regions.every(
      ({ equations }) =>
        equations.length <= 8 &&
        equations.every((each) => each.op === "constant" || isCheap(program, each)),
    );
    if (!cheap || !inner.regions.every(visit)) return false;
    const [then, otherwise] = inner.regions as [Block, Block];
    inner.outputs.forEach((output, k) => {
      const whole: Value = { type: { ...output.type, shape }, name: output.name };
      const inputs = [
        lift(inner.inputs[0] as Value),
        lift(then.results[k] as Value),
        lift(otherwise.results[k] as Value),
      ];
      result.push({
        ...inner,
        op: "select",
        parameters: {},
        regions: [],
        inputs,
        outputs: [whole],
      });
      lifted.set(output, whole);
    });
    return true;
  };
  if (!visit(body)) return undefined;
  const outputs = body.results.map(lift);
  // The results take the names of the outputs; one that stands twice, or is an input, is copied.
  const seen = new Set<Value>();
  outputs.forEach((value, k) => {
    const output = equation.outputs[k] as Value;
    const at = result.findIndex((inner) => inner.outputs[0] === value);
    const producer = result[at];
    if (producer === undefined || seen.has(value)) {
      result.push({
        op: "stop_gradient",
        inputs: [value],
        parameters: {},
        regions: [],
        outputs: [output],
        span: equation.span,
      });
      return;
    }
    seen.add(output);
    seen.add(value);
    const rename = (old: Value): Value => (old === value ? output : old);
    for (let j = at; j < result.length; j++) {
      const inner = result[j] as Equation;
      result[j] = {
        ...inner,
        inputs: inner.inputs.map(rename),
        outputs: inner.outputs.map(rename),
      };
    }
    for (let j = k + 1; j < outputs.length; j++) {
      if (outputs[j] === value) outputs[j] = output;
    }
  });
  return result;
}

function isCheap(program: Program, equation: Equation): boolean {
  if (equation.regions.length > 0) return false;
  const { laws } = program.op(equation.op);
  return laws.costly !== true && laws.partial !== true;
}
