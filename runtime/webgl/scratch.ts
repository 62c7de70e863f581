/** Textures between the two steps of a launch: one for each output. */

const smallestBits = 6;

/** A texture of words, four to a texel, all zero. */
export function wordTexture(
  gl: WebGL2RenderingContext,
  width: number,
  height: number,
): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32UI, width, height);
  // Integers have no values between them: with other filters all that is fetched is zero.
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return texture;
}

export class Scratch {
  private readonly gl: WebGL2RenderingContext;
  /** Their edges have 2^bits texels. */
  private bits = smallestBits;
  private textures: WebGLTexture[] = [];
  private readonly framebuffers = new Map<string, WebGLFramebuffer>();

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
  }

  /** Room for so many texels in so many textures; how many bits of a texel's number are its x. */
  fit(texels: number, count: number): number {
    const bits = Math.ceil(Math.log2(Math.max(2, texels)) / 2);
    if (bits > this.bits) {
      for (const framebuffer of this.framebuffers.values()) this.gl.deleteFramebuffer(framebuffer);
      for (const texture of this.textures) this.gl.deleteTexture(texture);
      this.framebuffers.clear();
      this.textures = [];
      this.bits = bits;
    }
    while (this.textures.length < count) this.textures.push(this.made());
    return bits;
  }

  texture(output: number): WebGLTexture | undefined {
    return this.textures[output];
  }

  /** Draws to some of the textures: the first texels of each. */
  target(outputs: readonly number[], texels: number, bits: number): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebufferOf(outputs));
    const width = Math.min(texels, 2 ** bits);
    gl.viewport(0, 0, width, Math.ceil(texels / 2 ** bits));
  }

  private made(): WebGLTexture {
    return wordTexture(this.gl, 2 ** this.bits, 2 ** this.bits);
  }

  private framebufferOf(outputs: readonly number[]): WebGLFramebuffer {
    const { gl } = this;
    const key = outputs.join();
    const known = this.framebuffers.get(key);
    if (known !== undefined) return known;
    const framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    outputs.forEach((output, k) => {
      const texture = this.textures[output] ?? null;
      const attachment = gl.COLOR_ATTACHMENT0 + k;
      gl.framebufferTexture2D(gl.FRAMEBUFFER, attachment, gl.TEXTURE_2D, texture, 0);
    });
    gl.drawBuffers(outputs.map((_, k) => gl.COLOR_ATTACHMENT0 + k));
    this.framebuffers.set(key, framebuffer);
    return framebuffer;
  }
}
