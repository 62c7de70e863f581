/** What a device does of a program, entry by entry: how many threads there are, and what one writes. */

import { type Graph, isFloat, rootOf } from "../../compiler/ir/types.ts";
import type { LoopFunction, Statement } from "../../compiler/kernel/loop.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { type Entry, splitProgram } from "../../compiler/targets/gpu/split.ts";
import { targets } from "../../compiler/targets/target.ts";

/** What is the matter with an entry, for a device whose threads write one element each. */
export type Trouble =
  /** One thread goes through an array. */
  | "one thread loops"
  /** A thread of a grid writes in a loop. */
  | "stores in a loop"
  /** A thread of a grid writes more than one element. */
  | "several stores";

export interface Troubled {
  readonly comment: string;
  readonly trouble: Trouble;
}

/** The entries of a program that one thread does, or whose threads write several elements. */
export function troublesOf(graph: Graph, donated: readonly number[] = []): readonly Troubled[] {
  const { entries, functions } = splitFor(graph, donated);
  const known = new Map(functions.map((fn) => [fn.name, fn]));
  return entries.flatMap((entry) =>
    troublesIn(entry, known).map((trouble) => ({ comment: entry.comment, trouble })),
  );
}

/** As `shippedFor` lowers it. */
function splitFor(graph: Graph, donated: readonly number[]) {
  const inMemory = rootOf(graph).body.parameters.flatMap(({ type }, k) =>
    type.shape.length === 0 && isFloat(type.dtype) ? [k] : [],
  );
  return splitProgram(lower(graph, { ...targets.webgpu.lowering, donated, inMemory }));
}

type Functions = ReadonlyMap<string, LoopFunction>;

function troublesIn({ body, part }: Entry, functions: Functions): readonly Trouble[] {
  const { loops, stores, inLoops } = countsOf(body, functions);
  if (part === undefined) return loops > 0 ? ["one thread loops"] : [];
  if (inLoops > 0) return ["stores in a loop"];
  return stores > 1 ? ["several stores"] : [];
}

interface Counts {
  /** Loops, inside each other or not. */
  readonly loops: number;
  /** The most stores that a thread comes by. */
  readonly stores: number;
  /** Stores that a loop repeats. */
  readonly inLoops: number;
}

const none: Counts = { loops: 0, stores: 0, inLoops: 0 };

function countsOf(body: readonly Statement[], functions: Functions): Counts {
  return body.map((statement) => countsIn(statement, functions)).reduce(added, none);
}

function countsIn(statement: Statement, functions: Functions): Counts {
  const of = (body: readonly Statement[]): Counts => countsOf(body, functions);
  switch (statement.kind) {
    case "store":
      return { ...none, stores: 1 };
    case "copy":
    case "clear":
      return { loops: 1, stores: 1, inLoops: 1 };
    case "for":
    case "while": {
      const before = statement.kind === "while" ? statement.before : [];
      const { loops, stores } = of([...before, ...statement.body]);
      return { loops: loops + 1, stores, inLoops: stores };
    }
    case "if": {
      const [then, otherwise] = [of(statement.then), of(statement.otherwise)];
      const most = (a: number, b: number): number => Math.max(a, b);
      return {
        loops: then.loops + otherwise.loops,
        stores: most(then.stores, otherwise.stores),
        inLoops: most(then.inLoops, otherwise.inLoops),
      };
    }
    case "call": {
      const fn = functions.get(statement.callee);
      return fn === undefined ? none : of(fn.body);
    }
    default:
      return none;
  }
}

function added(a: Counts, b: Counts): Counts {
  return {
    loops: a.loops + b.loops,
    stores: a.stores + b.stores,
    inLoops: a.inLoops + b.inLoops,
  };
}
