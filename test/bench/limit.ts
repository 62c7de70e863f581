/**
 * What the machine itself can do, one thread: the rate of multiply-adds in registers, and that of
 * copying and reading memory.
 */

import { assemble } from "../../compiler/targets/wasm/assemble.ts";
import type { Prepare, Traffic } from "./harness.ts";

const rounds = 20_000;
const accumulators = 12;
const lanes = 4;

/** The operations of one call of the probe: a multiply and an add for each lane. */
const flopsOfProbe = rounds * accumulators * lanes * 2;

/** Independent multiply-adds, as many as hide their latency, `rounds` times. */
function multiplyAddText(relaxed: boolean): string {
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

/** Bytes of a round of the probes of memory. */
const stride = 64;

/** Copies, or adds up, `$bytes` in rounds of `stride`. */
function memoryText(): string {
  const vectors = Array.from({ length: stride / 16 }, (_, k) => 16 * k);
  const at = (pointer: string, offset: number): string =>
    `(v128.load offset=${offset} (local.get ${pointer}))`;
  const next = (pointer: string): string =>
    `(local.set ${pointer} (i32.add (local.get ${pointer}) (i32.const ${stride})))`;
  return `(module (import "env" "memory" (memory 1 32767))
    (func $copy (export "copy") (param $from i32) (param $to i32) (param $end i32)
      (loop $again
        ${vectors.map((k) => `(v128.store offset=${k} (local.get $to) ${at("$from", k)})`).join("\n        ")}
        ${next("$from")}
        ${next("$to")}
        (br_if $again (i32.lt_u (local.get $from) (local.get $end)))))
    (func $read (export "read") (param $from i32) (param $end i32) (result f32)
      ${vectors.map((k) => `(local $a${k} v128)`).join(" ")}
      (loop $again
        ${vectors.map((k) => `(local.set $a${k} (f32x4.add (local.get $a${k}) ${at("$from", k)}))`).join("\n        ")}
        ${next("$from")}
        (br_if $again (i32.lt_u (local.get $from) (local.get $end))))
      ${vectors
        .slice(1)
        .map((k) => `(local.set $a0 (f32x4.add (local.get $a0) (local.get $a${k})))`)
        .join("\n      ")}
      (f32x4.extract_lane 0 (local.get $a0))))`;
}

function instantiate(text: string, memory?: WebAssembly.Memory): WebAssembly.Exports {
  const module = new WebAssembly.Module(assemble(text) as BufferSource);
  return new WebAssembly.Instance(module, memory === undefined ? {} : { env: { memory } }).exports;
}

/** A step that does as many multiply-adds as `flops` says, at the machine's rate. */
export function arithmeticLimit(flops: number): Prepare {
  return async () => {
    let exports: WebAssembly.Exports;
    try {
      exports = instantiate(multiplyAddText(true));
    } catch {
      exports = instantiate(multiplyAddText(false));
    }
    const run = exports["run"] as (rounds: number) => number;
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

/** A step that copies what is written from what is read, and adds up what is read beyond that. */
export function memoryLimit({ read, written }: Traffic): Prepare {
  return async () => {
    const whole = (bytes: number): number => Math.ceil(bytes / stride) * stride;
    const [from, to] = [whole(read), whole(written)];
    const memory = new WebAssembly.Memory({
      initial: Math.ceil((from + to) / 2 ** 16),
      maximum: 32767,
    });
    const exports = instantiate(memoryText(), memory);
    const copy = exports["copy"] as (from: number, to: number, end: number) => void;
    const add = exports["read"] as (from: number, end: number) => number;
    // Pages that were never written are all one page.
    new Float32Array(memory.buffer).fill(1);
    const copied = Math.min(from, to);
    return () => {
      if (copied > 0) copy(0, from, copied);
      if (from > copied) add(copied, from);
      return undefined;
    };
  };
}
