/**
 * A map as a loop over its elements in row-major order:
 *
 *   y = map x { … }   →   y = for i < size { y[i] = … x[i] … }
 */

import { elementCount } from "../ir/dim.ts";
import type { Block, Equation, Value } from "../ir/types.ts";
import { arrayType, scalarType } from "../ir/types.ts";
import { copyBlock } from "../ir/walk.ts";
import { newBuilder } from "../ops/index.ts";

export function mapToLoop(equation: Equation): readonly Equation[] {
  const [body] = equation.regions as [Block];
  const builder = newBuilder(equation.span);
  const shape = (equation.outputs[0] as Value).type.shape;
  const size = elementCount(shape);
  const arrays = equation.inputs.map((input) => builder.reshape(input, [size]));
  const flat = equation.outputs.map((output) => arrayType(output.type.dtype, [size]));
  const initial = flat.map((type) => builder.zerosOf(type));
  const region = builder.block([scalarType("i32"), ...flat], (inner, [index, ...results]) => {
    const at = [index as Value];
    const elements = arrays.map((array) => inner.at(array, at));
    const renaming = new Map(body.parameters.map((p, k) => [p, elements[k] as Value]));
    const { equations, results: values } = copyBlock({ ...body, parameters: [] }, renaming);
    equations.forEach((copied) => inner.put(copied));
    return results.map((result, k) => inner.update(result, values[k] as Value, at));
  });
  const loops = builder.for(builder.extent(size), initial, region);
  equation.outputs.forEach((output, k) => {
    builder.put({
      op: "reshape",
      inputs: [loops[k] as Value],
      parameters: { shape },
      regions: [],
      outputs: [output],
      span: equation.span,
    });
  });
  return builder.equations;
}
