/** What the functions of one program share: kernels, names, constants, places that can fail. */

import type { DType, Span } from "../ir/types.ts";
import { roundHalf, toHalf } from "../../runtime/half.ts";
import { type Local, local, type LoopFunction, type SiteInfo } from "./loop.ts";
import { elementBytes, type ProgramOptions } from "./options.ts";
import { Tasks } from "./tasks.ts";

export class ModuleParts {
  readonly functions: LoopFunction[] = [];
  readonly sites: SiteInfo[] = [];
  readonly constantsBase: Local = local("constants", "i32");
  readonly tasks: Tasks = new Tasks();
  private readonly options: ProgramOptions;
  private readonly bytes: number[] = [];
  private readonly meanings = new Map<string, string>();
  private readonly names = new Map<string, number>([
    ["run", 1],
    ["task", 1],
  ]);

  constructor(options: ProgramOptions) {
    this.options = options;
  }

  get constants(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }

  /** The offset of an array of constants. */
  constant(dtype: DType, values: readonly number[]): number {
    while (this.bytes.length % 16 !== 0) this.bytes.push(0);
    const offset = this.bytes.length;
    const size = elementBytes(dtype, this.options);
    const view = new DataView(new ArrayBuffer(values.length * size));
    values.forEach((value, k) => {
      if (size === 4 && dtype === "f16") view.setFloat32(4 * k, roundHalf(value), true);
      else writeElement(view, k * size, dtype, value);
    });
    for (const byte of new Uint8Array(view.buffer)) this.bytes.push(byte);
    return offset;
  }

  site(kind: SiteInfo["kind"], op: string, span: Span | undefined, name?: string): number {
    this.sites.push({ kind, op, name, span });
    return this.sites.length - 1;
  }

  /** A name that no other function of the module has. */
  functionName(name: string): string {
    const count = this.names.get(name) ?? 0;
    this.names.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }

  /** The name of a function that does this: one that is there already, or a new one. */
  shared(fn: LoopFunction): string {
    const text = meaning(fn);
    const known = this.meanings.get(text);
    if (known !== undefined) return known;
    const name = this.functionName(fn.name);
    this.meanings.set(text, name);
    this.functions.push({ ...fn, name });
    return name;
  }

  /** A function that several kernels share; its name is its own. */
  library(fn: LoopFunction): void {
    if (this.names.has(fn.name)) return;
    this.names.set(fn.name, 1);
    this.functions.push(fn);
  }
}

/**
 * Equal text for functions that do the same, whatever their locals are called, but for those that
 * have a name here, and wherever they come from.
 */
export function meaning(
  { parameters, body, results }: Pick<LoopFunction, "parameters" | "body" | "results">,
  named: (of: Local) => string | undefined = () => undefined,
): string {
  const numbers = new Map<Local, number>();
  return JSON.stringify([parameters, body, results], (key, value: unknown) => {
    if (key === "span" || key === "origin") return undefined;
    if (typeof value === "object" && value !== null && "name" in value && "type" in value) {
      const of = value as Local;
      const name = named(of);
      if (name !== undefined) return name;
      let number = numbers.get(of);
      if (number === undefined) numbers.set(of, (number = numbers.size));
      return [number, of.type];
    }
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    return Object.is(value, -0) ? "-0" : value;
  });
}

function writeElement(bytes: DataView, at: number, dtype: DType, value: number): void {
  switch (dtype) {
    case "f64":
      return bytes.setFloat64(at, value, true);
    case "f32":
      return bytes.setFloat32(at, value, true);
    case "f16":
      return bytes.setUint16(at, toHalf(roundHalf(value)), true);
    case "i32":
      return bytes.setInt32(at, value, true);
    case "u32":
      return bytes.setUint32(at, value, true);
    case "u8":
    case "bool":
      return bytes.setUint8(at, value);
  }
}
