/** Plain values into programs and out of them, and what is said when they do not fit. */

import { describe, expect, it } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { arrayType, type Fn, scalarType, type Value } from "../../compiler/ir/types.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { layoutOf } from "../../compiler/targets/layout.ts";
import { targets } from "../../compiler/targets/target.ts";
import { loadAsync, type Program } from "../../runtime/load.ts";
import type { Argument, DType, Leaf, Manifest, Tree } from "../../runtime/manifest.ts";
import { tensor, Tensor } from "../../runtime/tensor.ts";
import { loadShipped } from "../kernel/shipped.ts";
import { fnOf, graphOf, targetNames, type TargetName } from "../kernel/support.ts";

const f64 = scalarType("f64");
const i32 = scalarType("i32");
const B = symbol("B");

function leaf(as: Leaf["as"], dtype: DType, shape: Leaf["shape"] = []): Leaf {
  return { kind: "leaf", as, dtype, shape };
}

async function manifestOf(
  fn: Fn,
  target: TargetName,
  parameters: readonly Argument[],
  result: Tree,
  captured: readonly Argument[] = [],
) {
  const module = lower(graphOf(fn), targets[target].lowering);
  const emitted = await targets[target].emit(module);
  const layout = layoutOf(module, emitted, () => "file.ts:7");
  const manifest: Manifest = { name: "f", target, parameters, captured, result, layout };
  return { manifest, code: emitted.code };
}

async function make(...args: Parameters<typeof manifestOf>): Promise<Program> {
  const { manifest, code } = await manifestOf(...args);
  return loadShipped(manifest, code);
}

describe.each(targetNames)("%s", (target) => {
  it("takes and gives numbers and booleans", async () => {
    const fn = fnOf([f64, scalarType("bool")], (b, [x, c]) => [
      b.select(c as Value, b.mul(x as Value, 2), x as Value),
      b.binary("gt", x as Value, 0),
    ]);
    const program = await make(
      fn,
      target,
      [
        { name: "x", tree: leaf("number", "f64") },
        { name: "c", tree: leaf("boolean", "bool") },
      ],
      { kind: "tuple", items: [leaf("number", "f64"), leaf("boolean", "bool")] },
    );
    expect(program(3, true)).toEqual([6, true]);
    expect(program(-3, false)).toEqual([-3, false]);
    expect(() => program("3", true)).toThrow("x: expected a number, got a string");
    expect(() => program(3, 1)).toThrow("c: expected a boolean, got a number");
  });

  it("takes and gives arrays of records", async () => {
    const n = symbol("N");
    const fn = fnOf(
      [arrayType("f64", [n]), arrayType("bool", [n]), arrayType("f64", [n, 2])],
      (b, [x, c, v]) => [b.mul(x as Value, x as Value), b.unary("not", c as Value), v as Value],
    );
    const columns: Tree = {
      kind: "record",
      fields: [
        ["x", leaf("number", "f64", [n])],
        ["inner", { kind: "record", fields: [["c", leaf("boolean", "bool", [n])]] }],
        ["v", leaf("typed", "f64", [n, 2])],
      ],
    };
    const tree: Tree = { kind: "table", columns };
    const program = await make(fn, target, [{ name: "rows", tree }], tree);
    const v = Float64Array.of(1, 2);
    expect(
      program([
        { x: 2, inner: { c: true }, v },
        { x: 3, inner: { c: false }, v },
      ]),
    ).toEqual([
      { x: 4, inner: { c: false }, v },
      { x: 9, inner: { c: true }, v },
    ]);
    expect(program([])).toEqual([]);
    expect(() => program({})).toThrow("rows: expected an array of records, got an object");
    expect(() => program([1])).toThrow("rows[…]: expected a record, got a number");
    expect(() => program([{ x: "2", inner: { c: true }, v }])).toThrow(
      "rows[…].x: expected a number, got a string",
    );
    const short = { x: 1, inner: { c: true }, v: Float64Array.of(1) };
    expect(() => program([short])).toThrow("rows[…].v: expected [N = 1, 2], got [1, 1]");
  });

  it("takes typed arrays and rows of any length, and gives them back", async () => {
    const fn = fnOf([arrayType("f64", [B]), arrayType("f64", [B, 2])], (b, [x, m]) => [
      b.mul(x as Value, 2),
      b.add(m as Value, b.broadcast(x as Value, [B, 2], [0])),
    ]);
    const parameters = [
      { name: "x", tree: leaf("typed", "f64", [B]) },
      { name: "m", tree: leaf("array", "f64", [B, 2]) },
    ];
    const result: Tree = {
      kind: "record",
      fields: [
        ["twice", leaf("typed", "f64", [B])],
        ["sum", leaf("array", "f64", [B, 2])],
        ["note", { kind: "constant", value: "ok" }],
      ],
    };
    const program = await make(fn, target, parameters, result);
    for (const [x, m] of [
      [
        [1, 2],
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [[5], [[1, 1]]],
      [[], []],
    ] as const) {
      expect(program(Float64Array.from(x), m)).toEqual({
        twice: Float64Array.from(x, (value) => value * 2),
        sum: m.map((row, k) => row.map((value) => value + (x[k] ?? NaN))),
        note: "ok",
      });
    }
    expect(() => program([1, 2], [[1, 2]])).toThrow(
      "x: expected a Float64Array, got an array of 2",
    );
    expect(() => program(new Float64Array(2), [[1, 2], [3]])).toThrow("differ in length");
  });

  it("takes and gives halves as Float16Array alone", async () => {
    const fn = fnOf([arrayType("f16", [B])], (b, [x]) => [b.mul(x as Value, 0.1)]);
    const typed = leaf("typed", "f16", [B]);
    const program = await make(fn, target, [{ name: "x", tree: typed }], typed);
    const x = Float16Array.of(1, -2, 3, 1e-7, 60000);
    expect(program(x)).toEqual(x.map((v) => v * Math.f16round(0.1)));
    for (const wrong of [Float32Array.of(1), Uint16Array.of(1)]) {
      const given = wrong.constructor.name;
      expect(() => program(wrong)).toThrow(`x: expected a Float16Array, got a ${given}`);
    }
  });

  it("passes a tensor of one half", async () => {
    const one = leaf("tensor", "f16");
    const types = [scalarType("f16"), scalarType("f16")];
    const fn = fnOf(types, (b, [x, y]) => {
      const sum = b.add(x as Value, y as Value);
      return [sum, b.cast(sum, "f32")];
    });
    const result: Tree = { kind: "tuple", items: [one, leaf("tensor", "f32")] };
    const parameters = ["x", "y"].map((name) => ({ name, tree: one }));
    const program = await make(fn, target, parameters, result);
    const half = (x: number) => tensor(x, [], "f16");
    const results = program(half(2049), half(0.3)) as readonly Tensor[];
    expect(results.map(({ dtype }) => dtype)).toEqual(["f16", "f32"]);
    expect(results.map((value) => value.dataSync()[0])).toEqual([2048, 2048]);
    expect(() => program(tensor(1, []), half(1))).toThrow(
      "x: expected a tensor of f16, got one of f32",
    );
  });

  it("takes and gives rows of typed arrays, of one class and one length", async () => {
    const shape = [B, symbol("W")];
    const fn = fnOf([arrayType("f64", shape)], (b, [m]) => [b.mul(m as Value, 2)]);
    const rows = leaf("typed", "f64", shape);
    const program = await make(fn, target, [{ name: "m", tree: rows }], rows);
    const [one, other] = [Float64Array.of(1, 2), Float64Array.of(3, 4)];
    expect(program([one, other])).toEqual([Float64Array.of(2, 4), Float64Array.of(6, 8)]);
    expect(program([])).toEqual([]);
    expect(() => program([one, Float64Array.of(3)])).toThrow(
      "the rows of an array differ in length: the first ones give shape [2, 2]",
    );
    expect(() => program([one, [3, 4]])).toThrow(
      "m[1]: expected a Float64Array, got an array of 2",
    );
    expect(() => program([Float32Array.of(1, 2)])).toThrow(
      "m[0]: expected a Float64Array, got a Float32Array",
    );
    expect(() => program(one)).toThrow(
      "m: expected rows, each a Float64Array, nested 2 deep, got a Float64Array",
    );
  });

  it("names the argument whose shape does not fit", async () => {
    const fn = fnOf([arrayType("f32", [B, 3]), arrayType("f32", [3, 2])], (b, [x, w]) => [
      b.dot(x as Value, w as Value, { contract: [[1], [0]] }),
    ]);
    const program = await make(
      fn,
      target,
      [
        { name: "x", tree: leaf("tensor", "f32", [B, 3]) },
        { name: "p", tree: { kind: "record", fields: [["w", leaf("tensor", "f32", [3, 2])]] } },
      ],
      leaf("tensor", "f32", [B, 2]),
    );
    const x = tensor([[1, 2, 3]]);
    const w = tensor([
      [1, 0],
      [0, 1],
      [1, 1],
    ]);
    expect((program(x, { w }) as Tensor).dataSync()).toEqual(Float32Array.of(4, 5));
    expect(() => program(x, { w: x })).toThrow("p.w: expected [3, 2], got [1, 3]");
    expect(() => program(tensor([1, 2]), { w })).toThrow("x: expected [B, 3], got [2]");
    expect(() => program(x, { w: tensor([[1]], undefined, "f64") })).toThrow(
      "p.w: expected a tensor of f32, got one of f64",
    );
    expect(() => program(x, 3)).toThrow("p: expected a record, got a number");
  });

  it("checks that lengths agree, also through multiples", async () => {
    const twice = { terms: [{ coefficient: 2, factors: ["B"] }] };
    const fn = fnOf([arrayType("f64", [twice]), arrayType("f64", [B])], (b, [x, y]) => [
      b.sum(b.add(b.slice(x as Value, [0], [B]), y as Value)),
    ]);
    const parameters = [
      { name: "x", tree: leaf("typed", "f64", [twice]) },
      { name: "y", tree: leaf("typed", "f64", [B]) },
    ];
    const program = await make(fn, target, parameters, leaf("number", "f64"));
    expect(program(Float64Array.of(1, 2, 3, 4), Float64Array.of(10, 20))).toBe(33);
    expect(() => program(new Float64Array(3), new Float64Array(2))).toThrow(
      "x: expected [2*B = 4], got [3]",
    );
  });

  it("asks for what the function captured at every call", async () => {
    const fn = fnOf([f64, f64], (b, [x, scale]) => [b.mul(x as Value, scale as Value)]);
    const { manifest, code } = await manifestOf(
      fn,
      target,
      [{ name: "x", tree: leaf("number", "f64") }],
      leaf("number", "f64"),
      [{ name: "scale", tree: leaf("number", "f64") }],
    );
    let scale = 2;
    const program = await loadAsync(manifest, code, () => [scale]);
    expect(program(5)).toBe(10);
    scale = 3;
    expect(program(5)).toBe(15);
  });

  it("says which index was out of range, and where", async () => {
    const fn = fnOf([arrayType("f64", [B]), i32], (b, [x, i]) => {
      b.span = { file: "file.ts", start: 1, length: 2 };
      return [b.at(x as Value, [i as Value])];
    });
    const program = await make(
      fn,
      target,
      [
        { name: "x", tree: leaf("typed", "f64", [B]) },
        { name: "i", tree: leaf("number", "i32") },
      ],
      leaf("number", "f64"),
    );
    expect(program(Float64Array.of(4, 5), 1)).toBe(5);
    for (const index of [2, -1]) {
      const call = (): unknown => program(Float64Array.of(4, 5), index);
      expect(call).toThrow(RangeError);
      expect(call).toThrow(`at file.ts:7: index ${index} is out of range for length 2`);
    }
    const broken = (): unknown => program(Float64Array.of(4, 5), -2147483648);
    expect(broken).toThrow("at file.ts:7: the index is not a whole number of 32 bits");
    expect(program(Float64Array.of(4, 5), 0)).toBe(4);
  });

  it("gives handles of arrays whose length it found itself", async () => {
    const fn = fnOf([i32], (b, [n]) => {
      b.put({
        op: "bind",
        inputs: [n as Value],
        parameters: { symbol: "m" },
        regions: [],
        outputs: [],
        span: undefined,
      });
      return [b.iota([symbol("m")], 0, "i32")];
    });
    const parameters = [{ name: "n", tree: leaf("number", "i32") }];
    const program = await make(fn, target, parameters, leaf("tensor", "i32", [symbol("m")]));
    const result = program(4) as Tensor;
    expect(result.shape).toEqual([4]);
    expect([...result.dataSync()]).toEqual([0, 1, 2, 3]);
    expect(() => program(-3)).toThrow("a new array: it cannot have -3 elements");
    // What the language makes of a fraction, and of NaN
    expect(() => program(-1)).toThrow("its length is not a whole number of at least 0");
  });
});

describe("tensor", () => {
  it("infers shapes and dtypes", async () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([x.shape, x.dtype]).toEqual([[2, 3], "f32"]);
    expect(await x.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(tensor(Int32Array.of(1, 2)).dtype).toBe("i32");
    expect(tensor(Float64Array.of(1, 2)).dtype).toBe("f32");
    expect(tensor(Float16Array.of(1, 2)).dtype).toBe("f16");
    expect(tensor([0.1, 65520], undefined, "f16").dataSync()).toEqual(
      Float16Array.of(0.1, Infinity),
    );
    expect(tensor(7).shape).toEqual([]);
    expect(String(tensor([1, 2]))).toBe("tensor f32[2] [1,2]");
  });

  it("refuses data that does not fill the shape", () => {
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow(
      "shape [2, 2] holds 4 elements, and 3 are given",
    );
    expect(() => tensor([[1, 2], [3]])).toThrow("differ in length");
  });

  it("does not share memory with the data it was made of", () => {
    const data = Float32Array.of(1, 2);
    const x = tensor(data);
    data[0] = 9;
    x.dataSync()[1] = 9;
    expect([...x.dataSync()]).toEqual([1, 2]);
  });
});
