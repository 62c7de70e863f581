/** WebGL 2 of the page, the worker, or of whoever provides it. */

import { NoDevice } from "../gpu/gpu.ts";

/** Where a program that has no WebGL of its own puts a function that gives a context. */
export const provider = Symbol.for("fluxion.webgl");

interface Global {
  readonly [provider]?: () => Promise<WebGL2RenderingContext>;
  readonly OffscreenCanvas?: new (width: number, height: number) => OffscreenCanvas;
  readonly document?: Pick<Document, "createElement">;
}

/** A context; throws a `NoDevice` that says what is missing. */
export async function openContext(): Promise<WebGL2RenderingContext> {
  const here = globalThis as unknown as Global;
  const provided = here[provider];
  if (provided !== undefined) return provided();
  const { OffscreenCanvas: Canvas, document } = here;
  if (Canvas === undefined && document === undefined) {
    throw new NoDevice(
      "there is no WebGL outside of browsers: run the program in a page, start it with " +
        '`fluxion run --target webgl`, or compile with target: "wasm"',
    );
  }
  const canvas = Canvas === undefined ? document?.createElement("canvas") : new Canvas(1, 1);
  const options: WebGLContextAttributes = {
    // Of pictures that are drawn: programs do not draw to the canvas.
    alpha: true,
    antialias: false,
    depth: false,
    stencil: false,
    powerPreference: "high-performance",
  };
  const context = canvas?.getContext("webgl2", options) as WebGL2RenderingContext | null;
  if (context === null || context === undefined) {
    throw new NoDevice(
      'this browser has no WebGL 2: update it or its driver, or compile with target: "wasm"',
    );
  }
  return context;
}
