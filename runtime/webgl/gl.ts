/**
 * A device of WebGL 2. Its memory is a texture of unsigned integers, four words to a texel and
 * `2^rowBits` words to a row. Fragment programs may not write to what they read, so a launch has two
 * steps: what each thread stores goes to textures of its own, one for each site, and from there to
 * the memory. What gathers in no way the processor does, in a copy of the memory.
 */

import type { Allocator } from "../allocator.ts";
import {
  deviceMemory,
  faultBytes,
  firstFault,
  type Gpu,
  type Launch,
  mostCalls,
  NoDevice,
  type Piece,
  type Places,
  settle,
  type Started,
  toUseLess,
} from "../gpu/gpu.ts";
import { firstParameter, rowBits } from "../gpu/launches.ts";
import { Queue } from "../gpu/queue.ts";
import type {
  GpuCode,
  HostEntry,
  WebglCode,
  WebglEntry,
  WebglForm,
  WordsEnvironment,
} from "../manifest.ts";
import { openContext } from "./context.ts";
import { Programs, type Shader } from "./programs.ts";
import { rangesOf, rectanglesOf, type Rectangle } from "./ranges.ts";
import { Scratch, wordTexture } from "./scratch.ts";
import {
  entryShader,
  failureShader,
  failuresEach,
  mostOutputs,
  moveShader,
  outputsOf,
  pointShader,
  rowsMoveShader,
  rowsShader,
  rowTexels,
  valueShader,
} from "./shaders.ts";
import { Words } from "./words.ts";

const rowWords = 2 ** rowBits;
const rowBytes = 4 * rowWords;
const firstRows = 16;
/** Texels that one step writes; more threads take several. */
const mostTexels = 2 ** 20;

/** A program for each few outputs of an entry. */
type Shaders = readonly { readonly outputs: readonly number[]; readonly shader: Shader }[];

/** What is compiled of a form of an entry. */
interface Linked {
  readonly entry: WebglEntry;
  readonly form: WebglForm;
  readonly shaders: Shaders;
  /** For arguments that do not lie where it takes them to be. */
  readonly others: () => Shaders;
  /** For four rows of threads at a time. */
  readonly rows: Shader | undefined;
}

export class WebGl implements Gpu {
  readonly memory: Allocator;
  readonly gl: WebGL2RenderingContext;
  readonly programs: Programs;
  private readonly scratch: Scratch;
  private readonly words: Words;
  private readonly mostRows: number;
  private rows = 0;
  /** The memory; another one when it has grown. */
  texture: WebGLTexture | undefined;
  private framebuffer: WebGLFramebuffer | undefined;
  private readonly move: Shader;
  private readonly rowsMove: Shader;
  private readonly point: Shader;
  private readonly failure: Shader;
  /** Those of which nobody knows yet whether they failed, in the order of their work. */
  private started: Started[] = [];
  /** What was read before has been looked at. */
  private settled: Promise<unknown> = Promise.resolve();
  private broken: Error | undefined;
  private launched: (() => void) | undefined;

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.mostRows = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    if (this.mostRows < rowTexels) {
      throw new NoDevice(
        `WebGL has textures of ${this.mostRows} texels here, and programs need ${rowTexels}: ` +
          'compile with target: "wasm"',
      );
    }
    gl.disable(gl.BLEND);
    gl.disable(gl.DITHER);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    this.programs = new Programs(gl);
    this.scratch = new Scratch(gl);
    this.move = this.programs.of(moveShader);
    this.rowsMove = this.programs.of(rowsMoveShader);
    this.point = this.programs.of(valueShader, pointShader);
    this.failure = this.programs.of(failureShader);
    this.words = new Words();
    this.resize(firstRows);
    this.memory = deviceMemory((end) => this.reach(end));
    gl.canvas.addEventListener("webglcontextlost", () => {
      this.broken ??= new Error(
        "the WebGL context was lost, and what was on it: load the page again",
      );
    });
  }

  async link(code: GpuCode, places: Places): Promise<Launch> {
    const { entries } = code as WebglCode;
    const linked = entries.map((entry) =>
      "host" in entry
        ? hostFunction(entry)
        : entry.forms.map((form) => this.compiled(code as WebglCode, entry, form)),
    );
    await this.programs.ready();
    return (number, threads, operands) => {
      const program = linked[number] as (typeof linked)[number];
      if (typeof program === "function") this.onHost(program, threads, places, operands);
      else this.launch(formFor(program, operands), threads, places.cells, operands);
      this.launched?.();
    };
  }

  private compiled(code: WebglCode, entry: WebglEntry, form: WebglForm): Linked {
    const count = outputsOf(entry);
    const vectors = Math.ceil((firstParameter + entry.types.length - 1) / 4);
    const all = Array.from({ length: count }, (_, k) => k);
    const groups = all.flatMap((k) =>
      k % mostOutputs === 0 ? [all.slice(k, k + mostOutputs)] : [],
    );
    const shaders = (isAligned: boolean): Shaders =>
      groups.map((outputs) => ({
        outputs,
        shader: this.programs.of(entryShader(code, entry, form, outputs, vectors, isAligned)),
      }));
    const rows = form.rows && this.programs.of(rowsShader(code, form, vectors));
    return { entry, form, shaders: shaders(true), others: () => shaders(false), rows };
  }

  check(): void {
    if (this.broken !== undefined) throw this.broken;
  }

  enter(call: Started): void {
    if (this.started.length === mostCalls) this.read([]).catch(() => {});
    this.started.push(call);
  }

  submit(): void {
    this.gl.flush();
  }

  /** Waits until all is done: nothing less than reading something is sure to. */
  finish(): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer ?? null);
    gl.readPixels(0, 0, 1, 1, gl.RGBA_INTEGER, gl.UNSIGNED_INT, new Uint32Array(4));
  }

  /** Starts something, of whose launches somebody is told. */
  watched(launched: () => void, start: () => void): void {
    this.launched = launched;
    try {
      start();
    } finally {
      this.launched = undefined;
    }
  }

  // Launches

  private get failureAddress(): number {
    return firstFault + (this.started.length - 1) * faultBytes;
  }

  private launch(
    { entry, form, shaders: usual, others, rows }: Linked,
    threads: number,
    cells: number,
    operands: readonly number[],
  ): void {
    const { types, sites, isDirect, mayFail } = entry;
    const parameters = types.length - 1;
    const window = windowOf(types, threads, this.failureAddress, cells, operands);
    const firsts = operands.slice(parameters);
    const isAligned = form.aligned?.every((k) => (operands[k] as number) % 16 === 0) ?? true;
    const { neighbours = 0 } = form.rows ?? {};
    const [parameter] = typeof neighbours === "number" ? [] : neighbours;
    const apart = parameter === undefined ? Number(neighbours) : (operands[parameter] as number);
    const perRows = 4 * apart;
    const [start = 0] = firsts;
    if (rows !== undefined && isAligned && start % 16 === 0 && threads % perRows === 0) {
      if (threads <= 16 * mostTexels) {
        this.inRows(rows, window, start, threads, apart);
        return;
      }
    }
    const shaders = isAligned ? usual : others();
    const perTexel = isDirect ? 4 : 1;
    for (let first = 0; first < threads; first += perTexel * mostTexels) {
      const count = Math.min(threads - first, perTexel * mostTexels);
      const texels = Math.ceil(count / perTexel);
      const bits = this.scratch.fit(texels, outputsOf(entry) + (mayFail ? 2 : 0));
      for (const { outputs, shader } of shaders) {
        this.scratch.target(outputs, texels, bits);
        shader.use();
        shader.integers("range", [first, bits]);
        shader.vectors("words", window);
        this.bind(shader, "memory", this.texture);
        this.cover();
      }
      for (let site = 0; site < sites; site++) {
        const place = isDirect ? (firsts[site] as number) / 4 + first : undefined;
        if (place === undefined) this.scatter(site, count, bits);
        else this.place(site, place, count, bits);
      }
      if (mayFail) this.noteFailure(sites, texels, bits);
    }
  }

  /** All threads of an entry, four rows at a time. */
  private inRows(
    shader: Shader,
    window: Uint32Array,
    start: number,
    threads: number,
    neighbours: number,
  ): void {
    const { gl, scratch, rowsMove } = this;
    const texels = threads / 16;
    const bits = scratch.fit(texels, 4);
    scratch.target([0, 1, 2, 3], texels, bits);
    shader.use();
    shader.integers("range", [0, bits]);
    shader.vectors("words", window);
    this.bind(shader, "memory", this.texture);
    this.cover();
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer ?? null);
    rowsMove.use();
    rowsMove.integers("place", [start / 4, bits, neighbours / 4, 0]);
    ["source", "second", "third", "fourth"].forEach((name, k) => {
      gl.activeTexture(gl.TEXTURE0 + k);
      gl.bindTexture(gl.TEXTURE_2D, scratch.texture(k) ?? null);
      rowsMove.integer(name, k);
    });
    gl.activeTexture(gl.TEXTURE0);
    for (const { x, y, width, height } of rectanglesOf(start / 16, (start + 4 * threads) / 16)) {
      gl.viewport(x, y, width, height);
      this.cover();
    }
    this.words.change(start / 4, start / 4 + threads);
  }

  private cover(): void {
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }

  private bind(shader: Shader, name: string, texture: WebGLTexture | undefined): void {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, texture ?? null);
    shader.integer(name, 0);
  }

  /** The words of a site to where they belong, from a word on. */
  private place(site: number, start: number, count: number, bits: number): void {
    const { gl, move } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer ?? null);
    move.use();
    move.integers("place", [start, bits, 0, 0]);
    this.bind(move, "source", this.scratch.texture(site));
    for (const { from, to, mask } of rangesOf(start, start + count)) {
      gl.colorMask(mask[0], mask[1], mask[2], mask[3]);
      for (const { x, y, width, height } of rectanglesOf(from, to)) {
        gl.viewport(x, y, width, height);
        this.cover();
      }
    }
    gl.colorMask(true, true, true, true);
    this.words.change(start, start + count);
  }

  /** The words of a site to the places that the threads found. */
  private scatter(site: number, count: number, bits: number): void {
    const { gl, point } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer ?? null);
    gl.viewport(0, 0, rowTexels, this.rows);
    point.use();
    this.bind(point, "source", this.scratch.texture(site));
    for (let channel = 0; channel < 4; channel++) {
      point.integers("place", [channel, bits, this.rows, 0]);
      gl.colorMask(channel === 0, channel === 1, channel === 2, channel === 3);
      gl.drawArrays(gl.POINTS, 0, count);
    }
    gl.colorMask(true, true, true, true);
    this.words.change(0, this.rows * rowWords);
  }

  /** The first failure of all threads to the place of the call, if there is one. */
  private noteFailure(output: number, texels: number, bits: number): void {
    const { gl, failure, scratch } = this;
    failure.use();
    let [from, count] = [output, texels];
    for (
      let to = output + 1;
      count > failuresEach;
      to = to === output + 1 ? output + 2 : output + 1
    ) {
      const next = Math.ceil(count / failuresEach);
      scratch.target([to], next, bits);
      failure.integers("place", [bits, bits, count, 0]);
      this.bind(failure, "source", scratch.texture(from));
      this.cover();
      [from, count] = [to, next];
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer ?? null);
    const texel = this.failureAddress / 16;
    gl.viewport(texel % rowTexels, Math.floor(texel / rowTexels), 1, 1);
    failure.integers("place", [bits, bits, count, 1]);
    this.bind(failure, "source", scratch.texture(from));
    this.cover();
    this.words.change(4 * texel, 4 * texel + 4);
  }

  // What the processor does

  private onHost(
    make: HostFunction,
    threads: number,
    places: Places,
    operands: readonly number[],
  ): void {
    const { words } = this;
    this.fetch();
    const slot = this.failureAddress;
    if (words.i32[slot / 4] === 0) {
      words.run(make, places, slot, [threads, places.cells, ...operands]);
    }
    for (const [from, to] of words.written()) {
      const rectangle = { x: 0, y: from, width: rowTexels, height: to - from };
      this.store(rectangle, words.u32.subarray(from * rowWords, to * rowWords));
    }
  }

  /** Brings the copy of the processor up to date. */
  private fetch(): void {
    const { gl, words } = this;
    words.reach(this.rows);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer ?? null);
    for (const [from, to] of words.changed()) {
      const part = words.u32.subarray(from * rowWords, to * rowWords);
      gl.readPixels(0, from, rowTexels, to - from, gl.RGBA_INTEGER, gl.UNSIGNED_INT, part);
    }
  }

  private store({ x, y, width, height }: Rectangle, data: Uint32Array): void {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.texture ?? null);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, width, height, gl.RGBA_INTEGER, gl.UNSIGNED_INT, data);
  }

  // Memory

  write(address: number, data: ArrayBufferView<ArrayBuffer>): void {
    const given = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
    const count = Math.ceil(given.length / 4);
    const whole = given.length % 4 === 0 ? given : new Uint32Array(4 * count);
    if (whole !== given) whole.set(given);
    const first = address / 16;
    for (const rectangle of rectanglesOf(first, first + count)) {
      const at = 4 * (rectangle.y * rowTexels + rectangle.x - first);
      this.store(rectangle, whole.subarray(at, at + 4 * rectangle.width * rectangle.height));
    }
    this.words.change(address / 4, address / 4 + given.length);
  }

  async read(pieces: readonly Piece[]): Promise<readonly ArrayBuffer[]> {
    this.check();
    const { gl, started, settled: before } = this;
    this.started = [];
    const table = { address: firstFault, bytes: started.length * faultBytes };
    const parts = [table, ...pieces].map(({ address, bytes }) => ({
      bytes,
      rectangle: aroundOf(address, bytes),
      skipped: address,
      at: 0,
    }));
    let size = 0;
    for (const part of parts) {
      const { x, y, width, height } = part.rectangle;
      part.at = size;
      part.skipped -= 16 * (y * rowTexels + x);
      size += 16 * width * height;
    }
    const staging = gl.createBuffer();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, staging);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, Math.max(4, size), gl.STREAM_READ);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer ?? null);
    for (const { rectangle, at } of parts) {
      const { x, y, width, height } = rectangle;
      if (width * height === 0) continue;
      gl.readPixels(x, y, width, height, gl.RGBA_INTEGER, gl.UNSIGNED_INT, at);
    }
    if (table.bytes > 0) this.write(firstFault, new Uint32Array(table.bytes / 4));
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    const fetched = this.fetched(staging, size);
    const read = before.then(() => fetched);
    const known = read.then((all) => settle(started, new Int32Array(all, 0, table.bytes / 4)));
    this.settled = known.catch(() => {});
    await known;
    const all = await read;
    return parts.slice(1).map(({ at, skipped, bytes }) => {
      const from = at + skipped;
      return all.slice(from, from + bytes);
    });
  }

  private async fetched(staging: WebGLBuffer, size: number): Promise<ArrayBuffer> {
    const { gl } = this;
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    try {
      await passed(gl, fence);
      this.note(gl.getError());
      this.check();
      const all = new ArrayBuffer(size);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, staging);
      if (size > 0) gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, new Uint8Array(all));
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
      return all;
    } finally {
      gl.deleteSync(fence);
      gl.deleteBuffer(staging);
    }
  }

  private note(error: number): void {
    const { gl } = this;
    if (error === gl.NO_ERROR) return;
    this.broken ??=
      error === gl.OUT_OF_MEMORY
        ? new RangeError(`the device has no room for all arrays on it: ${toUseLess}`)
        : new Error(`WebGL refused to do something, with error ${error}: please report it`);
  }

  /** Makes the memory larger, each word where it was. */
  private reach(end: number): void {
    const rows = Math.ceil(end / rowBytes);
    if (rows <= this.rows) return;
    // Addresses are below 2^31.
    const most = Math.min(this.mostRows, 2 ** 31 / rowBytes - 1);
    if (rows > most) {
      throw new RangeError(
        `the arrays on the device need more than the ${(most * rowBytes) / 2 ** 20} MiB that ` +
          `WebGL gives one texture: ${toUseLess}`,
      );
    }
    this.resize(Math.min(most, Math.max(rows, 2 * this.rows)));
  }

  private resize(rows: number): void {
    const { gl, texture: old, framebuffer: before, rows: had } = this;
    const texture = wordTexture(gl, rowTexels, rows);
    const framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, framebuffer);
    gl.framebufferTexture2D(gl.DRAW_FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    if (before !== undefined) {
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, before);
      gl.blitFramebuffer(
        0,
        0,
        rowTexels,
        had,
        0,
        0,
        rowTexels,
        had,
        gl.COLOR_BUFFER_BIT,
        gl.NEAREST,
      );
      gl.deleteFramebuffer(before);
      gl.deleteTexture(old ?? null);
    }
    this.texture = texture;
    this.framebuffer = framebuffer;
    this.rows = rows;
  }
}

/** Waits for a fence, without the page; a context that is lost has none. */
async function passed(gl: WebGL2RenderingContext, fence: WebGLSync | null): Promise<void> {
  if (fence === null) return;
  while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) {
    await new Promise((done) => setTimeout(done, 1));
  }
}

/** The first form that may run with these operands. */
function formFor(forms: readonly Linked[], operands: readonly number[]): Linked {
  const found = forms.find(({ form: { fours = [] } }) =>
    fours.every((k) => (operands[k] as number) % 4 === 0),
  );
  return found as Linked;
}

type HostFunction = (environment: WordsEnvironment) => (...operands: number[]) => void;

function hostFunction({ host }: HostEntry): HostFunction {
  return typeof host === "string" ? (new Function(`return ${host}`)() as HostFunction) : host;
}

/** The uniform words of a launch. */
function windowOf(
  types: string,
  threads: number,
  failure: number,
  cells: number,
  operands: readonly number[],
): Uint32Array {
  const parameters = types.length - 1;
  const words = new Uint32Array(4 * Math.ceil((firstParameter + parameters) / 4));
  const singles = new Float32Array(words.buffer);
  words[0] = threads;
  words[1] = failure;
  words[2] = cells;
  for (let k = 0; k < parameters; k++) {
    const target = types[k + 1] === "f" ? singles : words;
    target[firstParameter + k] = operands[k] as number;
  }
  return words;
}

/** The rectangle with all texels of some bytes: of one row, or of whole ones. */
function aroundOf(address: number, bytes: number): Rectangle {
  if (bytes === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const [first, last] = [Math.floor(address / 16), Math.floor((address + bytes - 1) / 16)];
  const [top, bottom] = [Math.floor(first / rowTexels), Math.floor(last / rowTexels)];
  if (top < bottom) return { x: 0, y: top, width: rowTexels, height: bottom - top + 1 };
  return { x: first % rowTexels, y: top, width: last - first + 1, height: 1 };
}

/** The WebGL of this process. */
export const webgl = new Queue("WebGL", async () => new WebGl(await openContext()));
