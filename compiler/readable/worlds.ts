/**
 * Which values are tensors in the printed text. All others are plain: numbers, booleans, typed
 * arrays and rows of them.
 *
 * Parameters and results say it of themselves, and operations spread it: what is computed with a
 * tensor is one. A number that is not f32 or f16 is always plain.
 */

import type { Block, Equation, Graph, Value } from "../ir/types.ts";
import { rootOf } from "../ir/types.ts";
import { loopOf } from "../ir/walk.ts";
import { calledName } from "../autodiff/functions.ts";

/** Values of the root's border, and how each stands outside. */
export interface Pins {
  readonly tensors: readonly Value[];
  readonly plain: readonly Value[];
}

/** True for values that may be either: arrays, and single numbers of f32 and f16. */
export function isEither({ type }: Value): boolean {
  return type.shape.length > 0 || type.dtype === "f32" || type.dtype === "f16";
}

export function tensorsOf(graph: Graph, pins: Pins): ReadonlySet<Value> {
  const classes = new Classes();
  const soft: (readonly [Value, Value])[] = [];
  const plain: Value[] = [...pins.plain];
  for (const fn of graph.functions.values()) visit(fn.body);
  visit(rootOf(graph).body);

  const tensors = new Set(pins.tensors.map((value) => classes.find(value)));
  const fixed = new Set(plain.map((value) => classes.find(value)));
  const reached = [...tensors];
  const edges = new Map<Value, Value[]>();
  for (const [a, b] of soft) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const found = edges.get(classes.find(from)) ?? [];
      edges.set(classes.find(from), [...found, classes.find(to)]);
    }
  }
  for (let from = reached.pop(); from !== undefined; from = reached.pop()) {
    for (const to of edges.get(from) ?? []) {
      if (tensors.has(to) || fixed.has(to)) continue;
      tensors.add(to);
      reached.push(to);
    }
  }
  return new Set(classes.members().filter((value) => tensors.has(classes.find(value))));

  function visit(block: Block): void {
    for (const equation of block.equations) {
      spread(equation);
      equation.regions.forEach(visit);
    }
  }

  function together(values: readonly (Value | undefined)[]): void {
    const either = values.filter((value) => value !== undefined && isEither(value)) as Value[];
    for (const value of either) classes.unite(either[0] as Value, value);
  }

  function spread(equation: Equation): void {
    const { op, inputs, outputs, regions } = equation;
    switch (op) {
      case "for":
      case "while": {
        const { initial, carried, body } = loopOf(equation);
        const tested = op === "while" ? (regions[0] as Block).parameters : [];
        outputs.forEach((output, k) =>
          together([output, initial[k], carried[k], tested[k], body.results[k]]),
        );
        return;
      }
      case "if":
        outputs.forEach((output, k) =>
          together([output, ...regions.map(({ results }) => results[k])]),
        );
        return;
      case "map":
        together([...inputs, ...outputs]);
        // Inside of it are single numbers.
        plain.push(...(regions[0] as Block).parameters.filter(isEither));
        return;
      case "call": {
        const { body } = graph.functions.get(calledName(equation)) as { readonly body: Block };
        inputs.forEach((input, k) => together([input, body.parameters[k]]));
        outputs.forEach((output, k) => together([output, body.results[k]]));
        return;
      }
      // Where plain values become tensors, and the other way round.
      case "cast":
      case "reshape":
      case "broadcast": {
        const [input] = inputs as readonly [Value];
        const [output] = outputs as readonly [Value];
        if (isEither(input)) classes.find(input);
        if (isEither(output)) classes.find(output);
        if (isEither(input) && isEither(output)) soft.push([input, output]);
        return;
      }
      default:
        together([...inputs, ...outputs]);
    }
  }
}

/** Sets of values that are of one kind. */
class Classes {
  private readonly parent = new Map<Value, Value>();

  find(value: Value): Value {
    let root = value;
    for (let next = this.parent.get(root); next !== undefined && next !== root;) {
      root = next;
      next = this.parent.get(root);
    }
    this.parent.set(value, root);
    return root;
  }

  unite(a: Value, b: Value): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.parent.set(x, y);
  }

  members(): readonly Value[] {
    return [...this.parent.keys()];
  }
}
