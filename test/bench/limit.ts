/** What the machine itself can do: the rate of multiply-adds in registers, one thread. */

import { assemble } from "../../compiler/targets/wasm/assemble.ts";
import type { Workload } from "./harness.ts";

const rounds = 20_000;
const accumulators = 12;
const lanes = 4;

/** The operations of one call of the probe: a multiply and an add for each lane. */
const flopsOfProbe = rounds * accumulators * lanes * 2;

/** Independent multiply-adds, as many as hide their latency, `rounds` times. */
function probeText(relaxed: boolean): string {
  const madd = (k: number): string =>
    relaxed
      ? `(f32x4.relaxed_madd (local.get $x) (local.get $y) (local.get $a${k}))`
      : `(f32x4.add (f32x4.mul (local.get $x) (local.get $y)) (local.get $a${k}))`;
  const all = Array.from({ length: accumulators }, (_, k) => k);
  return `(module (func $run (export "run") (param $n i32) (result f32)
    (local $x v128) (local $y v128) ${all.map((k) => `(local $a${k} v128)`).join(" ")}
    (local.set $x (f32x4.splat (f32.const 0.9999)))
    (local.set $y (f32x4.splat (f32.const 1.0001)))
    (loop $again
      ${all.map((k) => `(local.set $a${k} ${madd(k)})`).join("\n      ")}
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    ${all
      .slice(1)
      .map((k) => `(local.set $a0 (f32x4.add (local.get $a0) (local.get $a${k})))`)
      .join("\n    ")}
    (f32x4.extract_lane 0 (local.get $a0))))`;
}

function compileProbe(relaxed: boolean): (rounds: number) => number {
  const bytes = assemble(probeText(relaxed));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  return exports["run"] as (rounds: number) => number;
}

/** A step that does as many multiply-adds as `flops` says, at the machine's rate. */
export function limitOf(flops: number): Workload["systems"][string] {
  return async () => {
    let run: (rounds: number) => number;
    try {
      run = compileProbe(true);
    } catch {
      run = compileProbe(false);
    }
    for (let k = 0; k < 50; k++) run(rounds);
    const calls = Math.floor(flops / flopsOfProbe);
    const rest = Math.max(1, Math.round(((flops % flopsOfProbe) / flopsOfProbe) * rounds));
    return () => {
      for (let k = 0; k < calls; k++) run(rounds);
      run(rest);
      return undefined;
    };
  };
}
