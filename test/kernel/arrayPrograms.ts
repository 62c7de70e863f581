/** Random array programs, for properties that every program has. */

import type fc from "fast-check";
import { type Dim, elementCount, symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type Fn, scalarType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { type Choose, choosers, pick } from "../random/choose.ts";
import { fnOf } from "./support.ts";

const B = symbol("B");
const extents: readonly Dim[] = [1, 2, 3, 5, 8, B];

function shapeText(value: Value): string {
  return JSON.stringify(value.type.shape);
}

/** Appends a random step to what there is; the values stay small. */
function step(b: GraphBuilder, pool: Value[], choose: Choose, depth: number): void {
  const arrays = pool.filter(({ type }) => type.dtype === "f64");
  const x = pick(choose, arrays);
  const { shape } = x.type;
  const rank = shape.length;
  const axis = rank === 0 ? 0 : Math.floor(choose() * rank) % rank;
  const same = arrays.filter((other) => shapeText(other) === shapeText(x));
  const keep = (value: Value): void => void pool.push(b.unary("tanh", value));
  switch (Math.floor(choose() * 18)) {
    case 0:
      return keep(b.add(x, pick(choose, same)));
    case 1:
      return keep(b.mul(b.sub(x, 0.25), pick(choose, same)));
    case 2: {
      const other = pick(choose, same);
      return void pool.push(b.select(b.binary("lt", x, other), b.neg(x), other));
    }
    case 3: {
      const extent = pick(choose, extents);
      const axes = shape.map((_, k) => k + (choose() < 0 ? 0 : 1));
      return rank < 3 ? void pool.push(b.broadcast(x, [extent, ...shape], axes)) : undefined;
    }
    case 4: {
      const order = shape.map((_, k) => (k + 1) % rank);
      return rank > 1 ? void pool.push(b.transpose(x, order)) : undefined;
    }
    case 5:
      return rank > 0 ? keep(b.sum(x, [axis])) : undefined;
    case 6: {
      const axes = shape.map((_, k) => k).filter(() => choose() < 0.6);
      return axes.length > 0 ? void pool.push(b.reduce("reduce_max", x, axes)) : undefined;
    }
    case 7: {
      if (rank === 0) return undefined;
      const low = shape.map(() => Math.floor(choose() * 2));
      const padded = b.pad(x, low, low.toReversed());
      return void pool.push(padded);
    }
    case 8:
      return rank > 0 ? void pool.push(b.one("reverse", [x], { axes: [axis] })) : undefined;
    case 9: {
      if (rank === 0 || typeof shape[axis] !== "number" || shape[axis] < 2) return undefined;
      const start = shape.map((_, k) => (k === axis ? 1 : 0));
      return void pool.push(b.slice(x, start, shape));
    }
    case 10:
      return rank > 0 ? void pool.push(b.reshape(x, [elementCount(shape)])) : undefined;
    case 11: {
      const other = pick(choose, arrays);
      const otherRank = other.type.shape.length;
      if (rank === 0 || otherRank === 0 || rank + otherRank > 5) return undefined;
      for (let k = 0; k < otherRank; k++) {
        if (JSON.stringify(other.type.shape[k]) === JSON.stringify(shape[axis])) {
          return keep(b.dot(x, other, { contract: [[axis], [k]] }));
        }
      }
      return undefined;
    }
    case 12: {
      if (rank === 0 || typeof shape[0] !== "number") return undefined;
      const index = b.constant(Math.floor(choose() * shape[0]), "i32");
      const part = b.at(x, [index]);
      const made = pick(choose, [b.update, b.addAt]).call(b, x, b.mul(part, 0.5), [index]);
      return void pool.push(part, made);
    }
    case 13: {
      if (depth === 0 || same.length < 2) return undefined;
      const carried = [x, pick(choose, same)];
      const body = b.block(
        [scalarType("i32"), ...carried.map(({ type }) => type)],
        (inner, [, ...values]) => {
          const own = [...values, ...pool.slice(-3)];
          for (let k = 0; k < 4; k++) step(inner, own, choose, depth - 1);
          const results = own.filter((value) => shapeText(value) === shapeText(x));
          return carried.map(() => pick(choose, results));
        },
      );
      return void pool.push(...b.for(b.constant(Math.floor(choose() * 4), "i32"), carried, body));
    }
    case 14: {
      if (depth === 0) return undefined;
      const arm = () =>
        b.block([], (inner) => {
          const own = pool.slice(-4).concat(x);
          for (let k = 0; k < 3; k++) step(inner, own, choose, depth - 1);
          return [
            pick(
              choose,
              own.filter((value) => shapeText(value) === shapeText(x)),
            ),
          ];
        });
      const total = b.sum(x);
      return void pool.push(...b.if(b.binary("gt", total, 0), arm(), arm()));
    }
    case 15:
    case 16:
      return keep(b.cast(inHalves(b, x, pick(choose, same), choose), "f64"));
    default:
      return rank > 0 ? void pool.push(b.one("cumsum", [x], { axis })) : undefined;
  }
}

/** Two arrays of one shape as halves, combined so that every target rounds alike, to the last bit. */
function inHalves(b: GraphBuilder, a: Value, c: Value, choose: Choose): Value {
  const [x, y] = [b.cast(a, "f16"), b.cast(c, "f16")];
  const { shape } = x.type;
  const axes = shape.length === 0 ? [] : [Math.floor(choose() * shape.length) % shape.length];
  const isIndexed = typeof shape[0] === "number" && shape[0] > 0;
  const last = b.constant(typeof shape[0] === "number" ? shape[0] - 1 : 0, "i32");
  const written = b.one("copy", [x]);
  const ways: readonly (() => Value)[] = [
    () => b.add(x, y),
    () => b.mul(x, b.sub(y, 0.3)),
    () => b.select(b.binary("lt", x, y), b.neg(y), x),
    () => (axes.length > 0 ? b.one("reverse", [b.mul(x, y)], { axes }) : b.div(x, 3)),
    () => b.transpose(b.concat([x, y], 0), [...shape.keys()].toReversed()),
    () => b.broadcastTo(b.reduce("reduce_max", b.mul(x, y), [...shape.keys()]), shape),
    () => b.addAt(written, b.at(y, [last]), [last]),
    () => b.update(written, b.at(b.mul(y, y), [last]), [last]),
    () => {
      const body = b.block([scalarType("i32"), x.type], (inner, [, old]) => [
        inner.mul(inner.add(old as Value, y), 0.7),
      ]);
      return b.for(b.constant(3, "i32"), [x], body)[0] as Value;
    },
    () => {
      const arm = (scale: number) => b.block([], (inner) => [inner.mul(y, scale)]);
      const test = b.binary("gt", b.reduce("reduce_max", x, [...shape.keys()]), 0);
      return b.if(test, arm(0.5), arm(3))[0] as Value;
    },
  ];
  const needsAxis = [4];
  const needsElement = [6, 7];
  const possible = ways.filter((_, k) => {
    if (needsAxis.includes(k)) return shape.length > 0;
    return isIndexed || !needsElement.includes(k);
  });
  return pick(choose, possible)();
}

function programOf(choose: Choose): Fn {
  const types = [
    arrayType("f64", [B, 3]),
    arrayType("f64", [3, 5]),
    arrayType("f64", [5]),
    scalarType("f64"),
  ];
  const fn = fnOf(types, (b, parameters) => {
    const pool = [...parameters];
    for (let k = 0; k < 14; k++) step(b, pool, choose, 2);
    return pool.slice(-4);
  });
  return { ...fn, body: repairUniqueness(fn.body) };
}

function wave(count: number, phase: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.sin(k * 1.7 + phase));
}

/** Programs of f64[B, 3], f64[3, 5], f64[5] and a number. */
export const arrayPrograms: fc.Arbitrary<Fn> = choosers.map(programOf);

/** Their inputs, with 4 rows. */
export const arrayInputs: readonly NdArray[] = [
  ndarray("f64", [4, 3], wave(12, 0)),
  ndarray("f64", [3, 5], wave(15, 1)),
  ndarray("f64", [5], wave(5, 2)),
  ndarray("f64", [], [0.7]),
];
