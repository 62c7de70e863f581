/** Pictures from the memory of WebGL, which is a texture of its own context. */

import { rowBits } from "../gpu/launches.ts";
import type { WebGl } from "../webgl/gl.ts";
import { type Canvas, fit, type Picture } from "./picture.ts";

// Rows of a picture go down, those of WebGL up. NaN is told by its bits.
const drawing = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D memory;
/** The first word, the width, the height and the channels. */
uniform ivec4 place;
out vec4 result;
float value(int at) {
  ivec2 texel = ivec2((at >> 2) & ${2 ** (rowBits - 2) - 1}, at >> ${rowBits});
  uint bits = texelFetch(memory, texel, 0)[at & 3];
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0.0; }
  return clamp(uintBitsToFloat(bits), 0.0, 1.0);
}
void main() {
  ivec2 pixel = ivec2(int(gl_FragCoord.x), place.z - 1 - int(gl_FragCoord.y));
  int at = place.x + (pixel.y * place.y + pixel.x) * place.w;
  float first = value(at);
  if (place.w == 1) { result = vec4(first, first, first, 1.0); return; }
  vec3 colour = vec3(first, value(at + 1), value(at + 2));
  float alpha = place.w == 3 ? 1.0 : value(at + 3);
  result = vec4(alpha * colour, alpha);
}
`;

/** Draws to the canvas of the context, which holds the picture until this turn ends. */
export function drawOnWebgl(device: WebGl, address: number, picture: Picture): Canvas {
  const { gl, programs, texture } = device;
  const { canvas } = gl;
  const { width, height, channels } = picture;
  fit(canvas, picture);
  if (gl.drawingBufferWidth !== width || gl.drawingBufferHeight !== height) {
    throw new RangeError(
      `a picture of ${width} × ${height} pixels is more than WebGL draws here: take it in parts`,
    );
  }
  const shader = programs.of(drawing);
  shader.use();
  shader.integers("place", [address / 4, width, height, channels]);
  gl.bindTexture(gl.TEXTURE_2D, texture ?? null);
  shader.integer("memory", 0);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.viewport(0, 0, width, height);
  gl.drawArrays(gl.TRIANGLES, 0, 3);
  return canvas;
}
