/** The parts of the runtime that a program ships with. That they suffice, all other tests show. */

import { describe, expect, test } from "vitest";
import type { Code, Layout, Leaf, Manifest, Tree } from "../../runtime/manifest.ts";
import { partsOf } from "../../transformer/parts.ts";

const leaf = (as: Leaf["as"], shape: Leaf["shape"] = [3]): Leaf => ({
  ...{ kind: "leaf", as, shape },
  dtype: as === "boolean" ? "bool" : as === "number" ? "f64" : "f32",
});
const record = (...fields: readonly Tree[]): Tree => ({
  kind: "record",
  fields: fields.map((field, k) => [`f${k}`, field] as const),
});
const B = { terms: [{ coefficient: 1, factors: ["B"] }] };
const twice = { terms: [{ coefficient: 2, factors: ["B"] }] };

function named(parameters: readonly Tree[], result: Tree, layout: Partial<Layout> = {}) {
  const manifest: Manifest = {
    name: "f",
    target: "wasm",
    parameters: parameters.map((tree, k) => ({ name: `p${k}`, tree })),
    captured: [],
    result,
    layout: {
      ...{ symbols: ["B"], arena: [], results: [], donated: [], inPlace: [], bound: [] },
      ...{ constants: "", sites: [], imports: [] },
      ...layout,
    },
  };
  const code: Code = { kind: "wasm", plain: Uint8Array.of(0, 97, 115, 109) };
  return partsOf({ manifest, code });
}

describe("parts", () => {
  test("of tensors in records: nothing else", () => {
    expect(named([record(leaf("tensor", [B, 4]))], leaf("tensor"))).toEqual({
      kinds: { record: "recordKind", tensor: "tensorKind" },
    });
  });

  test("of typed arrays and tables: arrays", () => {
    const kinds = { array: "arrayKind", number: "numberKind", table: "tableKind" };
    const table: Tree = { kind: "table", columns: record(leaf("number", [B])) };
    expect(named([table], leaf("number", [])).kinds).toEqual(kinds);
    expect(named([leaf("typed")], leaf("array")).kinds).toEqual({ array: "arrayKind" });
  });

  test("of extents that are solved for", () => {
    const lengths = { solve: "solve", dimText: "dimText" };
    expect(named([leaf("tensor", [twice])], leaf("tensor")).lengths).toEqual(lengths);
    expect(named([leaf("tensor", [B])], leaf("tensor", [twice])).lengths).toBeUndefined();
  });

  test("of functions that Math has not", () => {
    const { functions } = named([leaf("tensor")], leaf("tensor"), {
      imports: ["exp", "erf", "to_int32", "saturate_u8"],
    });
    expect(functions).toEqual({ erf: "erf", to_int32: "toInt32", saturate_u8: "saturateU8" });
  });

  test("of what may fail", () => {
    const sites = [{ kind: "index", op: "at", place: "" }] as const;
    expect(named([leaf("tensor")], leaf("tensor"), { sites }).fault).toBe("faultAt");
  });

  test("of numbers in, one number out", () => {
    const number = leaf("number", []);
    const layout = { symbols: [], results: [{ kind: "returned" }] } as const;
    expect(named([number], number, layout).direct).toBe("directProgram");
    expect(named([number], number, { ...layout, symbols: ["B"] }).direct).toBeUndefined();
  });
});
