/** Every elementwise op and every conversion is spelled by every target. */

import { describe, expect, it } from "vitest";
import { dtypes } from "../../compiler/ir/types.ts";
import { ops } from "../../compiler/ops/index.ts";
import { laneOps } from "../../compiler/kernel/vectorise.ts";
import { schedules } from "../../compiler/kernel/schedules/index.ts";
import { spellCast, spellings as js } from "../../compiler/targets/js/spelling.ts";
import { casts, spellings as wasm } from "../../compiler/targets/wasm/spelling.ts";

const structural = new Set(["cast", "copy", "stop_gradient"]);
const elementwise = Object.values(ops)
  .filter(({ lower, name }) => lower.kind === "elementwise" && !structural.has(name))
  .map(({ name }) => name);

describe("spellings", () => {
  it.each(elementwise)("%s", (name) => {
    expect(js[name], "js").toBeTypeOf("function");
    expect(wasm[name], "wasm").toBeTypeOf("function");
  });

  it("cover every conversion between different types", () => {
    for (const from of dtypes) {
      for (const to of dtypes) {
        if (from === to) continue;
        expect(casts[`${from} ${to}`], `${from} ${to}`).toBeTypeOf("function");
        expect(spellCast(from, to, "x"), `${from} ${to}`).not.toBe("");
      }
    }
  });

  it("name only ops that there are", () => {
    const internal = new Set(["index_div", "index_rem"]);
    for (const name of [...Object.keys(js), ...Object.keys(wasm)]) {
      if (!internal.has(name)) expect(Object.hasOwn(ops, name), name).toBe(true);
    }
    for (const names of Object.values(laneOps)) {
      for (const name of names) expect(Object.hasOwn(ops, name), name).toBe(true);
    }
  });
});

describe("schedules", () => {
  it("are there for every op that asks for one, and for nothing unknown", () => {
    for (const { name, lower } of Object.values(ops)) {
      if (lower.kind === "schedule") expect(schedules[name], name).toBeTypeOf("function");
    }
    for (const name of Object.keys(schedules)) expect(Object.hasOwn(ops, name), name).toBe(true);
  });
});
