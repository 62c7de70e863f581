/**
 * Stacks of arrays: the tape of reverse mode. Differentiation and the interpreter treat them
 * structurally, so that their rules here are never asked.
 */

import { type Value, arrayType, sameType, stackType, typeText } from "../ir/types.ts";
import { defineOp, fault, type Derivative, type Reference } from "./define.ts";
import { repeated } from "./support/batching.ts";
import { dimensions, dtypeOf } from "./support/parameters.ts";
import { none, one, two } from "./support/types.ts";

export const stack_new = defineOp({
  name: "stack_new",
  summary: "A stack without elements",
  laws: {},
  type: (inputs, parameters) => {
    none(inputs);
    return [stackType(dtypeOf(parameters), dimensions(parameters, "shape"))];
  },
  reference: structural("stack_new"),
  derivative: ownRules("stack_new"),
  batch: "elementwise",
  lower: { kind: "frame" },
  samples: [],
});

export const push = defineOp({
  name: "push",
  summary: "A stack with a value on top",
  laws: { consumes: [0] },
  type: (inputs) => {
    const [stack, value] = two(inputs);
    if (!stack.stack || !sameType(arrayType(stack.dtype, stack.shape), value)) {
      fault(`a ${typeText(value)} is pushed onto a ${typeText(stack)}`);
    }
    return [stack];
  },
  reference: structural("push"),
  derivative: ownRules("push"),
  batch: ({ builder, size }, inputs, batched) => {
    const [stack, value] = two(inputs);
    if (!batched[0]) throw new Error("a stack was not batched together with what is pushed");
    return [builder.push(stack, batched[1] ? (value as Value) : repeated(builder, value, size))];
  },
  lower: { kind: "frame" },
  samples: [],
});

export const pop = defineOp({
  name: "pop",
  summary: "A stack without its top, and the top; with `orZero`, 0 where there is none",
  laws: { consumes: [0], partial: true },
  type: (inputs) => {
    const stack = one(inputs);
    if (!stack.stack) fault(`a value is popped from a ${typeText(stack)}`);
    return [stack, arrayType(stack.dtype, stack.shape)];
  },
  reference: structural("pop"),
  derivative: ownRules("pop"),
  batch: ({ builder, equation }, inputs) => builder.emit("pop", [one(inputs)], equation.parameters),
  lower: { kind: "frame" },
  samples: [],
});

function structural(op: string): Reference {
  return () => {
    throw new Error(`${op} has no meaning on arrays: the interpreter handles stacks itself`);
  };
}

function ownRules(op: string): Derivative {
  const refuse = (): never => {
    throw new Error(`${op} has no derivative rule: differentiation handles stacks itself`);
  };
  return { kind: "rules", jvp: refuse, vjp: refuse };
}
