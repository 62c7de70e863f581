/** Programs of functions that call themselves: what derivatives and targets are tested with. */

import { type Callee, encodeCallee } from "../../compiler/autodiff/callee.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import {
  arrayType,
  type Fn,
  scalarType,
  type Value,
  type ValueType,
} from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { newBuilder } from "../../compiler/ops/index.ts";

type Moves = NonNullable<Fn["moves"]>;

export function define(
  name: string,
  types: readonly ValueType[],
  body: (builder: GraphBuilder, parameters: readonly Value[]) => readonly Value[],
  moves: Moves = [],
): Fn {
  return { name, moves, body: newBuilder().block(types, body) };
}

export function call(
  builder: GraphBuilder,
  callee: Callee,
  inputs: readonly Value[],
  types: readonly ValueType[],
  moves: Moves = [],
): readonly Value[] {
  const parameters = { callee: encodeCallee(callee), moves: moves.map((pair) => [...pair]) };
  return builder.append("call", inputs, parameters, [], types);
}

export const f64 = scalarType("f64");
export const i32 = scalarType("i32");
export const named = (name: string): Callee => ({ kind: "function", name });

/** p(x, n) = 1 for n = 0, else sin(x p(x, n-1)) + x² */
const power = define("power", [f64, i32], (b, [x, n]) => {
  const done = b.binary("le", n!, 0);
  const base = b.block([], (arm) => [arm.constant(1)]);
  const step = b.block([], (arm) => {
    const [rest] = call(arm, named("power"), [x!, arm.sub(n!, 1)], [f64]);
    const wave = arm.unary("sin", arm.mul(x!, rest!));
    return [arm.add(wave, arm.mul(x!, x!))];
  });
  return b.if(done, base, step);
});

/** Two calls a level, products of their results: as many values kept as there are calls. */
const tree = define("tree", [f64, i32], (b, [x, n]) => {
  const done = b.binary("le", n!, 0);
  const leaf = b.block([], (arm) => [arm.unary("exp", arm.mul(x!, 0.3))]);
  const node = b.block([], (arm) => {
    const below = arm.sub(n!, 1);
    const [left] = call(arm, named("tree"), [arm.mul(x!, 0.7), below], [f64]);
    const [right] = call(arm, named("tree"), [arm.unary("cos", x!), below], [f64]);
    return [arm.mul(arm.mul(left!, right!), x!)];
  });
  return b.if(done, leaf, node);
});

/** Squares a[k], a[k+1], … in place, each times the one before it. */
const vector = arrayType("f64", [4]);
const sweepType = [vector, i32];
const sweep = define(
  "sweep",
  sweepType,
  (b, [a, k]) => {
    const done = b.binary("ge", k!, 4);
    const stop = b.block([], () => [a!]);
    const step = b.block([], (arm) => {
      const own = arm.at(a!, [k!]);
      const before = arm.at(a!, [arm.sub(k!, 1)]);
      const written = arm.update(a!, arm.mul(arm.mul(own, own), before), [k!]);
      return call(arm, named("sweep"), [written, arm.add(k!, 1)], [vector], [[0, 0]]);
    });
    return b.if(done, stop, step);
  },
  [[0, 0]],
);

/** t(k) = a[k] sin(c[k]) + sin t(k + 1): two arrays that are read only. */
const total = define("total", [vector, vector, i32], (b, [a, c, k]) => {
  const done = b.binary("ge", k!, 4);
  const none = b.block([], (arm) => [arm.constant(0)]);
  const more = b.block([], (arm) => {
    const product = arm.mul(arm.at(a!, [k!]), arm.unary("sin", arm.at(c!, [k!])));
    const [rest] = call(arm, named("total"), [a!, c!, arm.add(k!, 1)], [f64]);
    return [arm.add(product, arm.unary("sin", rest!))];
  });
  return b.if(done, none, more);
});

export interface Case {
  readonly functions: readonly Fn[];
  readonly root: Fn;
  readonly inputs: readonly NdArray[];
}

export const cases: Readonly<Record<string, Case>> = {
  "a chain": {
    functions: [power],
    root: define("f", [f64], (b, [x]) =>
      call(b, named("power"), [x!, b.constant(5, "i32")], [f64]),
    ),
    inputs: [scalar("f64", 0.7)],
  },
  "a tree": {
    functions: [tree],
    root: define("f", [f64], (b, [x]) => {
      const [y] = call(b, named("tree"), [x!, b.constant(3, "i32")], [f64]);
      return [b.mul(y!, y!)];
    }),
    inputs: [scalar("f64", 0.9)],
  },
  "calls in a loop": {
    functions: [tree],
    root: define("f", [f64], (b, [x]) => {
      const body = b.block([i32, f64], (inner, [i, s]) => {
        const [y] = call(inner, named("tree"), [inner.mul(s!, x!), i!], [f64]);
        return [inner.add(inner.unary("tanh", y!), s!)];
      });
      return b.for(b.constant(3, "i32"), [b.constant(0.5)], body);
    }),
    inputs: [scalar("f64", 0.6)],
  },
  "an array written by each call": {
    functions: [sweep],
    root: define("f", [vector], (b, [a]) => {
      const own = b.one("copy", [a!]);
      const [out] = call(b, named("sweep"), [own, b.constant(1, "i32")], [vector], [[0, 0]]);
      return [b.sum(b.mul(out!, a!))];
    }),
    inputs: [ndarray("f64", [4], [0.5, 1.2, -0.7, 0.9])],
  },
  "arrays that each call reads": {
    functions: [total],
    root: define("f", [vector, vector], (b, [a, c]) => {
      const [y] = call(b, named("total"), [a!, c!, b.constant(0, "i32")], [f64]);
      return [b.add(y!, b.sum(b.mul(a!, a!)))];
    }),
    inputs: [
      ndarray("f64", [4], [0.5, 1.2, -0.7, 0.9]),
      ndarray("f64", [4], [0.3, -0.4, 1.1, 0.8]),
    ],
  },
  "one array in two places, again and again": {
    functions: [total],
    root: define("f", [vector], (b, [a]) => {
      const body = b.block([i32, f64], (inner, [i, s]) => {
        const scaled = inner.mul(a!, inner.broadcast(s!, [4], []));
        const [y] = call(inner, named("total"), [a!, a!, i!], [f64]);
        const [z] = call(inner, named("total"), [scaled, a!, i!], [f64]);
        return [inner.add(y!, inner.mul(z!, s!))];
      });
      return b.for(b.constant(3, "i32"), [b.constant(0.5)], body);
    }),
    inputs: [ndarray("f64", [4], [0.5, 1.2, -0.7, 0.9])],
  },
};
