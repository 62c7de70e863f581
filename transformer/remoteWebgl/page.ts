/** The page in which the context is. Its text goes to the browser: it needs nothing around it. */

import type { Argument, Batch } from "./protocol.ts";

export async function page(): Promise<void> {
  const canvas = new OffscreenCanvas(1, 1);
  const gl = canvas.getContext("webgl2", { antialias: false, depth: false, alpha: false });
  const objects = new Map<number, unknown>();
  const reply = async (head: unknown, bytes = new Uint8Array(0)): Promise<Response> => {
    const text = new TextEncoder().encode(JSON.stringify(head));
    const start = Math.ceil((4 + text.length) / 8) * 8;
    const all = new Uint8Array(start + bytes.length);
    new DataView(all.buffer).setUint32(0, text.length, true);
    all.set(text, 4);
    all.set(bytes, start);
    return fetch("/reply", { method: "POST", body: all });
  };
  const constants: Record<string, number> = {};
  if (gl !== null) {
    for (const name in gl) {
      const value = (gl as unknown as Record<string, unknown>)[name];
      if (typeof value === "number" && name === name.toUpperCase()) constants[name] = value;
    }
    canvas.addEventListener("webglcontextlost", () => void reply({ lost: true }));
  }
  await reply({ constants: gl === null ? undefined : constants });
  if (gl === null) return;
  const methods = gl as unknown as Record<string, (...operands: unknown[]) => unknown>;
  for (;;) {
    const answer = await fetch("/next");
    const all = new Uint8Array(await answer.arrayBuffer());
    const length = new DataView(all.buffer).getUint32(0, true);
    const start = Math.ceil((4 + length) / 8) * 8;
    const batch = JSON.parse(new TextDecoder().decode(all.subarray(4, 4 + length))) as Batch;
    let result: unknown;
    let filled: Uint8Array<ArrayBuffer> | undefined;
    const valueOf = (argument: Argument): unknown => {
      if (typeof argument !== "object" || argument === null || Array.isArray(argument)) {
        return argument;
      }
      if ("object" in argument) return objects.get(argument.object);
      if (!("type" in argument)) return argument;
      const { type, from, length: count } = argument;
      const types = { Uint32Array, Int32Array, Uint16Array, Float32Array, Uint8Array };
      const view = new types[type as keyof typeof types](
        from < 0 ? new ArrayBuffer(count) : all.slice(start + from, start + from + count).buffer,
      );
      if (from < 0) filled = new Uint8Array(view.buffer as ArrayBuffer);
      return view;
    };
    try {
      for (const { method, arguments: given, made } of batch.commands) {
        const run = methods[method];
        if (run === undefined) throw new Error(`there is no ${method}`);
        result = run.apply(gl, given.map(valueOf));
        if (made !== undefined) objects.set(made, result);
        if (method.startsWith("delete")) {
          const [first] = given;
          if (typeof first === "object" && first !== null && "object" in first) {
            objects.delete(first.object);
          }
        }
      }
    } catch (error) {
      await reply({ thrown: String(error) });
      continue;
    }
    if (batch.isAsked) {
      const isPlain = typeof result !== "object" || result === null;
      await reply({ value: isPlain ? result : {} }, filled);
    }
  }
}
