/** Reads and additions at many indices on a grid: of any shape, repeated, and out of range. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dim, elementCount, symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type DType, type Fn, scalarType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { fnOf, graphOf } from "../kernel/support.ts";
import { type Choose, choosers, pick } from "../random/choose.ts";
import { runs } from "../random/runs.ts";
import { troublesOf } from "./entries.ts";
import { compileForDevice, expectSameOnDevice } from "./support.ts";

interface Given {
  readonly dtype: DType;
  /** x is [...before, extent, ...after]. */
  readonly before: readonly number[];
  readonly extent: number;
  readonly after: readonly number[];
  readonly indices: readonly number[];
  /** The shape of the indices. */
  readonly places: readonly number[];
  readonly isSymbolic: boolean;
}

const few = fc.array(fc.constantFrom(0, 1, 2, 3, 5), { maxLength: 2 });

/** What can be added. What cannot is read all the same. */
const added: readonly DType[] = ["f64", "f32", "f16", "i32", "u32"];
const all: readonly DType[] = [...added, "u8", "bool"];

/** Places in range, unless `wrong`: then some are not, or none are. */
const given = (dtypes: readonly DType[], wrong: boolean): fc.Arbitrary<Given> =>
  fc
    .record({
      dtype: fc.constantFrom(...dtypes),
      before: few,
      extent: fc.constantFrom(1, 2, 3, 7),
      after: few,
      places: fc.constantFrom<readonly number[]>([], [1], [3], [70], [0], [2, 3]),
      isSymbolic: fc.boolean(),
      seed: fc.nat(1000),
      outside: fc.constantFrom(-1, -2147480000, 2147483647, 7),
    })
    .map(({ seed, outside, ...rest }) => {
      const count = sizeOf(rest.places);
      const indices = Array.from({ length: count }, (_, k) => {
        const chosen = (k * k * 13 + k * 5 + seed) % 31;
        return wrong && chosen % 4 === 0 ? outside - chosen : chosen % rest.extent;
      });
      return { ...rest, indices };
    });

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function shapesOf({ before, extent, after, places }: Given) {
  return { x: [...before, extent, ...after], updates: [...before, ...places, ...after] };
}

/** Small integers: their sums are exact in every type. */
function integers(dtype: DType, shape: readonly number[], seed: number): NdArray {
  const data = Array.from({ length: sizeOf(shape) }, (_, k) => (((k + seed) * 7919) % 13) + 1).map(
    (value) => (dtype === "bool" ? value % 2 : value),
  );
  return ndarray(dtype, shape, data);
}

/** The same shape with names for its extents. */
function named(shape: readonly number[], { isSymbolic }: Given, name: string): readonly Dim[] {
  return isSymbolic ? shape.map((_, axis) => symbol(`${name}${axis}`)) : shape;
}

function typesOf(these: Given) {
  const { dtype, before, after, places } = these;
  const [a, b, k] = [
    named(before, these, "A"),
    named(after, these, "B"),
    named(places, these, "K"),
  ];
  const [extent] = named([these.extent], these, "N");
  const x = arrayType(dtype, [...a, extent as Dim, ...b]);
  return { x, indices: arrayType("i32", k), updates: arrayType(dtype, [...a, ...k, ...b]) };
}

function scattering(these: Given): { readonly fn: Fn; readonly inputs: readonly NdArray[] } {
  const types = typesOf(these);
  const parameters = { axis: these.before.length };
  const fn = fnOf([types.x, types.indices, types.updates], (b, [x, k, u]) => {
    const own = b.one("copy", [x as Value]);
    return [b.one("scatter_add", [own, k as Value, u as Value], parameters)];
  });
  return { fn, inputs: inputsOf(these) };
}

function gathering(these: Given): { readonly fn: Fn; readonly inputs: readonly NdArray[] } {
  const types = typesOf(these);
  const parameters = { axis: these.before.length };
  const fn = fnOf([types.x, types.indices], (b, [x, k]) => [
    b.one("gather", [x as Value, k as Value], parameters),
  ]);
  return { fn, inputs: inputsOf(these).slice(0, 2) };
}

function inputsOf(these: Given): readonly NdArray[] {
  const { dtype, places, indices } = these;
  const { x, updates } = shapesOf(these);
  return [integers(dtype, x, 1), ndarray("i32", places, indices), integers(dtype, updates, 5)];
}

/** What the interpreter says is wrong; undefined where nothing is. */
function faultOf(fn: Fn, inputs: readonly NdArray[]): string | undefined {
  try {
    interpret(fn, inputs);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each([
  ["gather", gathering, all],
  ["scatter_add", scattering, added],
] as const)("%s on a grid", (name, make, dtypes) => {
  it("gives what its definition gives", { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(given(dtypes, false), async (these) => {
      const { fn, inputs } = make(these);
      await expectSameOnDevice(fn, inputs);
    });
    await fc.assert(property, runs(40, 31));
  });

  it("tells the first index that is out of range", { timeout: 120_000 }, async () => {
    let failed = 0;
    const property = fc.asyncProperty(given(dtypes, true), async (these) => {
      const { fn, inputs } = make(these);
      const expected = faultOf(fn, inputs);
      const results = (await compileForDevice(graphOf(fn)))(...inputs);
      if (expected === undefined) return void (await results);
      failed++;
      const text = expected.slice(expected.indexOf("index"));
      expect(text).toMatch(/^index -?\d+ is out of range for length \d+/);
      await expect(results).rejects.toThrow(text.split(";")[0]);
    });
    await fc.assert(property, runs(30, 32));
    expect(failed).toBeGreaterThan(10);
  });

  it("is done by a thread for each element", () => {
    const property = fc.property(given(dtypes, false), (these) => {
      const troubles = troublesOf(graphOf(make(these).fn));
      expect(troubles.filter(({ comment }) => comment.includes(name))).toEqual([]);
    });
    fc.assert(property, runs(60, 33));
  });
});

it("adds many updates to rows with many elements", async () => {
  const indices = Array.from({ length: 200 }, (_, k) => (k * k) % 37);
  const given: Given = {
    dtype: "f32",
    before: [],
    extent: 300,
    after: [8],
    indices,
    places: [20, 10],
    isSymbolic: false,
  };
  const { fn, inputs } = scattering(given);
  await expectSameOnDevice(fn, inputs);
  const bad = { ...given, indices: indices.with(150, 300).with(151, -1) };
  const results = (await compileForDevice(graphOf(fn)))(...inputsOf(bad));
  await expect(results).rejects.toThrow("index 300 is out of range for length 300");
});

it("of several failures the first one is told", async () => {
  const list = arrayType("i32", [3]);
  const fn = fnOf([arrayType("f32", [4]), arrayType("f32", [9]), list, list], (b, inputs) => {
    const [x, y, k, l] = inputs as [Value, Value, Value, Value];
    const first = b.one("gather", [b.unary("sin", b.one("cumsum", [x], { axis: 0 })), k], {
      axis: 0,
    });
    return [b.one("gather", [y, l], { axis: 0 }), first];
  });
  const program = await compileForDevice(graphOf(fn));
  const call = (k: readonly number[], l: readonly number[]): Promise<unknown> =>
    program(
      integers("f32", [4], 0),
      integers("f32", [9], 0),
      ndarray("i32", [3], k),
      ndarray("i32", [3], l),
    );
  await expect(call([0, 4, 5], [1, 11, 12])).rejects.toThrow(
    "index 4 is out of range for length 4",
  );
  await expect(call([0, 1, 2], [1, 11, 12])).rejects.toThrow(
    "index 11 is out of range for length 9",
  );
});

it("adds what stands in the memory that it adds to", async () => {
  const fn = fnOf([arrayType("f32", [3, 1]), arrayType("i32", [3])], (b, [x, k]) => {
    const own = b.one("copy", [x as Value]);
    const [y, z] = [b.reshape(own, [3]), b.reshape(own, [3])];
    return [b.one("scatter_add", [y, k as Value, z], { axis: 0 })];
  });
  await expectSameOnDevice(fn, [ndarray("f32", [3, 1], [1, 2, 3]), ndarray("i32", [3], [1, 2, 0])]);
});

/** Programs that read and add at indices, of rows and of elements, in loops and in place. */
function programOf(choose: Choose): Fn {
  const rows: Dim = choose() < 0.5 ? 6 : symbol("N");
  const rowsOf = arrayType("f32", [rows, 3]);
  const list = arrayType("i32", [rows]);
  const fn = fnOf([rowsOf, rowsOf, list, list], (b, [x, y, k, l]) => {
    const pool = [x, y] as Value[];
    for (let step = 0; step < 9; step++) {
      const [one, two] = [pick(choose, pool), pick(choose, pool)];
      pool.push(bounded(b, stepOf(b, choose, one, two, pick(choose, [k, l] as Value[]), true)));
    }
    return pool.slice(-3);
  });
  return { ...fn, body: repairUniqueness(fn.body) };
}

function stepOf(
  b: GraphBuilder,
  choose: Choose,
  x: Value,
  y: Value,
  k: Value,
  mayLoop: boolean,
): Value {
  const { type } = x;
  const flat = [elementCount(type.shape)];
  switch (Math.floor(choose() * 7)) {
    case 0:
      return b.one("gather", [x, k], { axis: 0 });
    case 1:
    case 2:
      return b.one("scatter_add", [x, k, y], { axis: 0 });
    case 3: {
      const sums = b.one("scatter_add", [b.reshape(x, flat), k, b.sum(y, [1])], { axis: 0 });
      return b.reshape(sums, type.shape);
    }
    case 4:
      return b.one("cumsum", [b.add(x, y)], { axis: Math.floor(choose() * 2) });
    case 5: {
      if (!mayLoop) return b.sub(x, y);
      const body = b.block([scalarType("i32"), type], (inner, [, old]) => [
        bounded(inner, stepOf(inner, choose, old as Value, y, k, false)),
      ]);
      return b.for(b.constant(3, "i32"), [x], body)[0] as Value;
    }
    default: {
      const columns = b.one("gather", [b.transpose(x, [1, 0]), k], { axis: 1 });
      return b.sub(y, b.transpose(columns, [1, 0]));
    }
  }
}

/** Small integers stay so. */
function bounded(b: GraphBuilder, x: Value): Value {
  return b.binary("min", b.binary("max", x, -50), 50);
}

it("computes random programs of them", { timeout: 120_000 }, async () => {
  const inputs = [
    integers("f32", [6, 3], 0),
    integers("f32", [6, 3], 4),
    ndarray("i32", [6], [3, 0, 3, 5, 1, 3]),
    ndarray("i32", [6], [2, 2, 2, 0, 5, 4]),
  ];
  const property = fc.asyncProperty(choosers.map(programOf), (fn) =>
    expectSameOnDevice(fn, inputs),
  );
  await fc.assert(property, runs(15, 34));
});
