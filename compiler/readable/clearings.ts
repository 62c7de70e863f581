/**
 * The adjoint of `a[i] = …` clears the derivative of `a[i]` once it is read, and what follows may
 * add to it again. Where that is at once, one write says it:
 *
 *   t = da[i]; da[i] = 0; da[i] += t * x   →   t = da[i]; da[i] = t * x
 *   t = da[i]; da[i] = 0; da[i] += t       →   nothing
 *
 * (0 + x is x, but for the sign of zero.)
 */

import type { Block, Equation, Value } from "../ir/types.ts";

export function withoutClearings(body: Block): Block {
  const uses = new Map<Value, number>();
  const definitions = new Map<Value, Equation>();
  count(body);
  return rewrite(body, new Map());

  function count(block: Block): void {
    const use = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
    for (const equation of block.equations) {
      equation.inputs.forEach(use);
      for (const output of equation.outputs) definitions.set(output, equation);
      equation.regions.forEach(count);
    }
    block.results.forEach(use);
  }

  function constantOf(value: Value): number | undefined {
    const definition = definitions.get(value);
    if (definition?.op !== "constant" || value.type.shape.length > 0) return undefined;
    return (definition.parameters["values"] as readonly number[])[0];
  }

  function sameIndices(a: readonly Value[], b: readonly Value[]): boolean {
    return (
      a.length === b.length &&
      a.every((value, k) => {
        const other = b[k] as Value;
        return value === other || (constantOf(value) ?? NaN) === constantOf(other);
      })
    );
  }

  /** `update a 0 i`, where the equation that adds to a[i] is all that reads it. */
  function clearingBefore(equation: Equation, block: Block): Equation | undefined {
    if (equation.op !== "add_at") return undefined;
    const [array, value, ...indices] = equation.inputs as readonly [Value, Value, ...Value[]];
    const clearing = definitions.get(array);
    if (clearing?.op !== "update" || !block.equations.includes(clearing)) return undefined;
    const [, zero, ...cleared] = clearing.inputs as readonly [Value, Value, ...Value[]];
    if (uses.get(array) !== 1 || value.type.shape.length > 0) return undefined;
    return constantOf(zero) === 0 && sameIndices(indices, cleared) ? clearing : undefined;
  }

  function rewrite(block: Block, renaming: Map<Value, Value>): Block {
    const renamed = (value: Value): Value => renaming.get(value) ?? value;
    const pairs = new Map<Equation, Equation>();
    for (const equation of block.equations) {
      const clearing = clearingBefore(equation, block);
      if (clearing !== undefined) pairs.set(equation, clearing);
    }
    const gone = new Set(pairs.values());
    const equations: Equation[] = [];
    for (const equation of block.equations) {
      if (gone.has(equation)) continue;
      const clearing = pairs.get(equation);
      if (clearing === undefined) {
        const regions = equation.regions.map((region) => rewrite(region, renaming));
        equations.push({ ...equation, inputs: equation.inputs.map(renamed), regions });
        continue;
      }
      const [array] = clearing.inputs as readonly [Value];
      const [, value, ...indices] = equation.inputs as readonly [Value, Value, ...Value[]];
      const read = definitions.get(value);
      const isSame =
        read?.op === "at" && read.inputs[0] === array && sameIndices(read.inputs.slice(1), indices);
      if (isSame) renaming.set(equation.outputs[0] as Value, renamed(array));
      else {
        const inputs = [array, value, ...indices].map(renamed);
        equations.push({ ...equation, op: "update", inputs });
      }
    }
    return { ...block, equations, results: block.results.map(renamed) };
  }
}
