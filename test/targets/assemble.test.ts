/** WebAssembly text → binary. What the targets' programs use is tested by running them. */

import { describe, expect, test } from "vitest";
import { assemble } from "../../compiler/targets/wasm/assemble.ts";
import { placeConstants } from "../../compiler/targets/wasm/constants.ts";
import { helpersOf } from "../../compiler/targets/wasm/helpers.ts";

function run(code: string, ...values: readonly number[]): unknown {
  const module = new WebAssembly.Module(assemble(code) as Uint8Array<ArrayBuffer>);
  const fault = (): void => undefined;
  const instance = new WebAssembly.Instance(module, { env: { fault } });
  return (instance.exports["run"] as (...values: readonly number[]) => unknown)(...values);
}

describe("assembling", () => {
  test.each([
    ["i32.const -1", "i32", -1],
    ["i32.const 64", "i32", 64],
    ["i32.const -64", "i32", -64],
    ["i32.const 2147483647", "i32", 2147483647],
    ["i32.const 0x3f3504f3", "i32", 0x3f3504f3],
    ["f64.const 1e-7", "f64", 1e-7],
    ["f64.const -0", "f64", -0],
    ["f64.const nan", "f64", NaN],
    ["f64.const -inf", "f64", -Infinity],
    ["f32.const 0.10000000149011612", "f32", Math.fround(0.1)],
  ])("%s", (constant, type, value) => {
    const code = `(module (func $run (export "run") (result ${type}) (${constant})))`;
    expect(run(code)).toBe(value);
  });

  test("loops, labels, blocks and locals of several types", () => {
    const code = `(module
  ;; the sum of i * x for i < n
  (func $run (export "run") (param $n i32) (param $x f64) (result f64)
    (local $i i32) (local $sum f64) (local $k i32)
    (block $end (loop $next
      (br_if $end (i32.ge_s (local.get $i) (local.get $n)))
      (if (i32.ne (local.get $i) (i32.const 3)) (then
        (local.set $sum (f64.add (local.get $sum)
          (f64.mul (f64.convert_i32_s (local.get $i)) (local.get $x)))))
      (else (local.set $k (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (f64.add (local.get $sum) (f64.convert_i32_s (local.get $k)))
  )
)`;
    expect(run(code, 5, 2)).toBe((0 + 1 + 2 + 4) * 2 + 3);
  });

  test("functions with several results, before they are defined", () => {
    const code = `(module
  (import "env" "fault" (func $fault (param i32 i32 i32)))
  (func $run (export "run") (param $a i32) (result i32)
    (local $x i32) (local $y i32)
    (call $pair (local.get $a))
    (local.set $y)
    (local.set $x)
    (i32.sub (local.get $x) (local.get $y)))
  (func $pair (param $a i32) (result i32 i32)
    (i32.mul (local.get $a) (i32.const 10))
    (local.get $a)))`;
    expect(run(code, 7)).toBe(63);
  });

  test.each([false, true])("all helper functions are valid, relaxed: %s", (relaxed) => {
    const { text } = placeConstants(Object.values(helpersOf(relaxed)).join("\n"), new Uint8Array());
    const math = [...text.matchAll(/call \$math_(\w+)/g)].map(([, name]) => {
      const parameters = name === "pow" || name === "rem" ? "f64 f64" : "f64";
      const result = name === "to_int32" ? "i32" : "f64";
      return `(import "math" "${name}" (func $math_${name} (param ${parameters}) (result ${result})))`;
    });
    const imports = [
      '(import "env" "memory" (memory 1 32767))',
      '(import "env" "constants" (global $constants i32))',
      ...new Set(math),
    ];
    const code = `(module ${imports.join("\n")}\n${text})`;
    const binary = assemble(code) as Uint8Array<ArrayBuffer>;
    expect(WebAssembly.validate(binary)).toBe(true);
  });

  test.each([
    ["(module (func $f (i32.frobnicate)))", "there is no instruction i32.frobnicate"],
    ["(module (func $f (local.get $x)))", "there is no local $x"],
    ["(module (func $f (call $g)))", "there is no function $g"],
    ["(module (func $f (param $x i31)))", "there is no type i31"],
    ["(module (table 1))", "(table is not part of a module"],
  ])("%s is refused", (code, message) => {
    expect(() => assemble(code)).toThrow(message);
  });
});
