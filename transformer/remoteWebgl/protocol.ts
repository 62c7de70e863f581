/**
 * What Node and the page say to each other. A batch is a text of JSON, the length of which comes
 * first, then the bytes that it mentions. A command is `[method, …arguments]`, its result kept under
 * a number where there is one in front of it.
 */

/** An argument that is no plain value. */
export type Argument =
  | number
  | string
  | boolean
  | null
  | readonly (number | string)[]
  /** An object of the context, by its number. */
  | { readonly object: number }
  /** Bytes of the batch, as an array of the type. */
  | { readonly type: string; readonly from: number; readonly length: number };

export interface CommandOf {
  readonly method: string;
  readonly arguments: readonly Argument[];
  /** The number of the object that it makes. */
  readonly made?: number;
}

export interface Batch {
  readonly commands: readonly CommandOf[];
  /** True where the result of the last command is waited for. */
  readonly isAsked: boolean;
}

/** Methods that make something which later commands name. */
export const makers: ReadonlySet<string> = new Set([
  "createBuffer",
  "createFramebuffer",
  "createProgram",
  "createShader",
  "createTexture",
  "fenceSync",
  "getUniformLocation",
]);

/** True of methods whose result is waited for. */
export function isQuestion(method: string): boolean {
  return /^(get|is|check|clientWait)/.test(method);
}

export function packed(head: unknown, bytes: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const start = Math.ceil((4 + text.length) / 8) * 8;
  const size = bytes.reduce((sum, { length }) => sum + Math.ceil(length / 8) * 8, start);
  const all = new Uint8Array(size);
  new DataView(all.buffer).setUint32(0, text.length, true);
  all.set(text, 4);
  let at = start;
  for (const each of bytes) {
    all.set(each, at);
    at += Math.ceil(each.length / 8) * 8;
  }
  return all;
}

export interface Unpacked {
  readonly head: unknown;
  /** Where the bytes begin. */
  readonly start: number;
}

export function unpacked(all: Uint8Array): Unpacked {
  const { buffer, byteOffset } = all;
  const length = new DataView(buffer, byteOffset).getUint32(0, true);
  const head: unknown = JSON.parse(new TextDecoder().decode(all.subarray(4, 4 + length)));
  return { head, start: Math.ceil((4 + length) / 8) * 8 };
}
