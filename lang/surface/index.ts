/** Every tensor function of the language, by name. Methods of tensors have the same names. */

import { contractions } from "./contractions.ts";
import { elementwise } from "./elementwise.ts";
import { movement } from "./movement.ts";
import { reductions } from "./reductions.ts";
import type { Parameter, Value } from "../../compiler/ir/types.ts";
import {
  isValue,
  type SurfaceArgument,
  SurfaceFault,
  type SurfaceFunction,
  tensorAt,
} from "./support.ts";

export * from "./support.ts";

/** `primitive(op, inputs, parameters)`: an equation as it is. */
const primitive: SurfaceFunction = (builder, [op, inputs, parameters = {}]) => {
  if (typeof op !== "string" || !Array.isArray(inputs)) {
    throw new SurfaceFault("`primitive` needs the name of an operation and a list of tensors", [0]);
  }
  const plain = (value: SurfaceArgument): Parameter => {
    if (Array.isArray(value)) return value.map(plain);
    if (value !== undefined && isValue(value) && value.extent !== undefined) return value.extent;
    return value as Parameter;
  };
  const given = Object.entries(parameters as { readonly [key: string]: SurfaceArgument });
  const tensors = inputs.map((_, k) => tensorAt(builder, "primitive", inputs, k));
  const outputs = builder.emit(
    op,
    tensors,
    Object.fromEntries(given.map(([key, value]) => [key, plain(value)])),
  );
  return outputs.length === 1 ? (outputs[0] as Value) : outputs;
};

export const surface: Readonly<Record<string, SurfaceFunction>> = {
  ...elementwise,
  ...reductions,
  ...movement,
  ...contractions,
  primitive,
};
