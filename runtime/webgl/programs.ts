/** Shader programs of a context, compiled at the same time where the browser can do that. */

import { coverShader } from "./shaders.ts";

/** A program, and the places of its uniforms. */
export class Shader {
  private readonly gl: WebGL2RenderingContext;
  readonly program: WebGLProgram;
  readonly parts: readonly WebGLShader[];
  private readonly places = new Map<string, WebGLUniformLocation | null>();

  constructor(gl: WebGL2RenderingContext, program: WebGLProgram, parts: readonly WebGLShader[]) {
    this.gl = gl;
    this.program = program;
    this.parts = parts;
  }

  use(): void {
    this.gl.useProgram(this.program);
  }

  integer(name: string, value: number): void {
    this.gl.uniform1i(this.place(name), value);
  }

  integers(name: string, values: readonly number[]): void {
    if (values.length === 2) this.gl.uniform2iv(this.place(name), values);
    else this.gl.uniform4iv(this.place(name), values);
  }

  vectors(name: string, words: Uint32Array): void {
    this.gl.uniform4uiv(this.place(name), words);
  }

  private place(name: string): WebGLUniformLocation | null {
    let place = this.places.get(name);
    if (place === undefined) {
      place = this.gl.getUniformLocation(this.program, name);
      this.places.set(name, place);
    }
    return place;
  }
}

export class Programs {
  private readonly gl: WebGL2RenderingContext;
  private readonly known = new Map<string, Shader>();
  private readonly shaders = new Map<string, WebGLShader>();
  private readonly pending = new Set<Shader>();
  private readonly parallel: { readonly COMPLETION_STATUS_KHR: number } | null;

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.parallel = gl.getExtension("KHR_parallel_shader_compile");
  }

  /** The program of a fragment shader; the same for the same text. */
  of(fragment: string, vertex = coverShader): Shader {
    const key = `${vertex}\n${fragment}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { gl } = this;
    const program = gl.createProgram();
    const parts = [
      this.compiled(gl.VERTEX_SHADER, vertex),
      this.compiled(gl.FRAGMENT_SHADER, fragment),
    ];
    for (const part of parts) gl.attachShader(program, part);
    gl.linkProgram(program);
    const shader = new Shader(gl, program, parts);
    this.known.set(key, shader);
    this.pending.add(shader);
    return shader;
  }

  /** Waits for all that was asked for. Asking for a result too early would make the page wait. */
  async ready(): Promise<void> {
    const { gl } = this;
    for (const shader of this.pending) {
      while (!this.isDone(shader)) await new Promise((done) => setTimeout(done, 1));
      this.pending.delete(shader);
      if (gl.getProgramParameter(shader.program, gl.LINK_STATUS) !== false || gl.isContextLost()) {
        continue;
      }
      throw new Error(
        `WebGL does not take a kernel, which is a fault of the compiler: ${this.reason(shader)}; ` +
          'please report it, and compile with target: "wasm" until then',
      );
    }
  }

  private isDone({ program }: Shader): boolean {
    const { gl, parallel } = this;
    if (parallel === null) return true;
    return gl.getProgramParameter(program, parallel.COMPLETION_STATUS_KHR) !== false;
  }

  private compiled(type: number, text: string): WebGLShader {
    const known = this.shaders.get(text);
    if (known !== undefined) return known;
    const { gl } = this;
    const shader = gl.createShader(type) as WebGLShader;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    this.shaders.set(text, shader);
    return shader;
  }

  private reason({ program, parts }: Shader): string {
    const { gl } = this;
    const logs = parts.map((part) => gl.getShaderInfoLog(part));
    return [...logs, gl.getProgramInfoLog(program)].filter(Boolean).join("; ");
  }
}
