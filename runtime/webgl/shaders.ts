/** The text of fragment programs around what the compiler has made of kernels. */

import { firstParameter, rowBits } from "../gpu/launches.ts";
import type { WebglCode, WebglEntry, WebglForm } from "../manifest.ts";

/** Texels of a row of the memory: each holds four words. */
export const rowTexels = 2 ** (rowBits - 2);
/** Outputs of one fragment program: no device has less. */
export const mostOutputs = 4;
/** Texels that one fragment looks at for the first failure. */
export const failuresEach = 64;

const version = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
`;

// The words of a number, and the numbers of a word. `i32`, `u32`, `f32` and `select` are what the
// two shading languages share.
const frame = `\
#define i32 int
#define u32 uint
#define f32 float
#define select(x, y, c) ((c) ? (y) : (x))
uniform usampler2D memory;
uniform ivec2 range;
uvec4 texel(u32 at) {
  return texelFetch(memory, ivec2(int(at & ${rowTexels - 1}u), int(at >> ${rowBits - 2}u)), 0);
}
u32 load(u32 at) { return texel(at >> 2u)[at & 3u]; }
vec4 load4(u32 at) {
  uvec4 words = texel(at >> 2u);
  u32 skipped = at & 3u;
  if (skipped != 0u) {
    uvec4 next = texel((at >> 2u) + 1u);
    words = skipped == 1u ? uvec4(words.yzw, next.x)
      : skipped == 2u ? uvec4(words.zw, next.xy) : uvec4(words.w, next.xyz);
  }
  return uintBitsToFloat(words);
}
vec4 aligned4(u32 at) { return uintBitsToFloat(texel(at >> 2u)); }
vec4 texel4(u32 at) { return uintBitsToFloat(texel(at)); }
u32 word(u32 k) { return words[k >> 2u][k & 3u]; }
u32 as_u32(i32 x) { return u32(x); }
u32 as_u32(u32 x) { return x; }
u32 as_u32(f32 x) { return floatBitsToUint(x); }
i32 as_i32(u32 x) { return i32(x); }
i32 as_i32(f32 x) { return floatBitsToInt(x); }
f32 as_f32(u32 x) { return uintBitsToFloat(x); }
uvec4 failure = uvec4(0u);
void fault(i32 site, i32 index, i32 extent) {
  if (failure.x == 0u) { failure = uvec4(u32(site) + 1u, u32(index), u32(extent), 0u); }
}
bool failed() { return failure.x != 0u; }
`;

// Places that a kernel takes to be those of whole texels are words where they are not.
const alignedReads = `\
#define load4a aligned4
#define load4t texel4
#define texels(at) ((at) >> 2u)`;
const unalignedReads = `\
#define load4a load4
#define load4t load4
#define texels(at) (at)`;

/** What an entry leaves: the words of its sites, then its first failure. */
export function outputsOf({ sites, mayFail }: WebglEntry): number {
  return sites + (mayFail ? 1 : 0);
}

/** The fragment program of an entry for some of its outputs, with a window of so many vectors. */
export function entryShader(
  { functions }: WebglCode,
  { sites, isDirect }: WebglEntry,
  { text, uses, aligned }: WebglForm,
  outputs: readonly number[],
  vectors: number,
  isAligned: boolean,
): string {
  const isQuad = aligned !== undefined;
  const stores = outputs.filter((k) => k < sites);
  const declared = outputs.map((k, at) => `layout(location = ${at}) out uvec4 r${k};`);
  const globals = Array.from({ length: sites }, (_, k) =>
    isQuad ? `uvec4 o${k};` : `u32 o${k}; u32 a${k};`,
  );
  const main = isQuad
    ? ["  thread(range.x + 4 * at);", ...stores.map((k) => `  r${k} = o${k};`)]
    : isDirect
      ? [
          ...stores.map((k) => `  uvec4 lanes${k} = uvec4(0u);`),
          "  for (int lane = 0; lane < 4; lane++) {",
          "    int thread_of_lane = range.x + 4 * at + lane;",
          "    if (thread_of_lane < int(words[0].x)) {",
          "      thread(thread_of_lane);",
          ...stores.map((k) => `      lanes${k}[lane] = o${k};`),
          "    }",
          "  }",
          ...stores.map((k) => `  r${k} = lanes${k};`),
        ]
      : [
          "  if (range.x + at < int(words[0].x)) {",
          ...Array.from({ length: sites }, (_, k) => `    a${k} = 0u;`),
          "    thread(range.x + at);",
          ...stores.map((k) => `    r${k} = uvec4(o${k}, a${k}, 0u, 0u);`),
          "  }",
        ];
  return [
    version + declared.join("\n"),
    `uniform uvec4 words[${vectors}];`,
    frame,
    isAligned ? alignedReads : unalignedReads,
    ...uses.map((k) => functions[k]),
    ...globals,
    text,
    "void main() {",
    "  int at = (int(gl_FragCoord.y) << range.y) | int(gl_FragCoord.x);",
    ...outputs.map((k) => `  r${k} = uvec4(0u);`),
    ...main,
    ...outputs.filter((k) => k === sites).map((k) => `  r${k} = failure;`),
    "}",
    "",
  ].join("\n");
}

/** As `entryShader`, of the only site of an entry, for four rows of threads at a time. */
export function rowsShader(
  { functions }: WebglCode,
  { rows, uses }: WebglForm,
  vectors: number,
): string {
  const { neighbours = 0, text = "" } = rows ?? {};
  const [parameter] = typeof neighbours === "number" ? [] : neighbours;
  const apart = parameter === undefined ? neighbours : `int(word(${firstParameter + parameter}u))`;
  const outputs = [0, 1, 2, 3];
  return [
    version + outputs.map((k) => `layout(location = ${k}) out uvec4 r${k};`).join("\n"),
    `uniform uvec4 words[${vectors}];`,
    frame,
    alignedReads,
    ...uses.map((k) => functions[k]),
    ...outputs.map((k) => `uvec4 o${k};`),
    text,
    "void main() {",
    "  int at = (int(gl_FragCoord.y) << range.y) | int(gl_FragCoord.x);",
    `  int apart = ${apart};`,
    "  int quads = apart / 4;",
    "  thread(at / quads * 4 * apart + at % quads * 4);",
    ...outputs.map((k) => `  r${k} = o${k};`),
    "}",
    "",
  ].join("\n");
}

/** One triangle that covers everything. */
export const coverShader = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}
`;

const source = `uniform usampler2D source;
uniform ivec4 place;
uvec4 texel(int k) {
  return texelFetch(source, ivec2(k & ((1 << place.y) - 1), k >> place.y), 0);
}
`;

/** Texels of the memory from the words of a site, the first of which goes to word `place.x`. */
export const moveShader = `${version}${source}
out uvec4 result;
uint from(int word) { return texel(word >> 2)[word & 3]; }
void main() {
  int word = ((int(gl_FragCoord.y) << ${rowBits - 2}) | int(gl_FragCoord.x)) * 4 - place.x;
  if ((word & 3) == 0) { result = texel(word >> 2); }
  else { result = uvec4(from(word), from(word + 1), from(word + 2), from(word + 3)); }
}
`;

/** As `moveShader`, from the texels of four rows of `place.z` texels each; words are whole texels. */
export const rowsMoveShader = `${version}
uniform usampler2D source;
uniform usampler2D second;
uniform usampler2D third;
uniform usampler2D fourth;
uniform ivec4 place;
out uvec4 result;
void main() {
  int texel = ((int(gl_FragCoord.y) << ${rowBits - 2}) | int(gl_FragCoord.x)) - place.x / 4;
  int row = texel / place.z;
  int k = row / 4 * place.z + texel % place.z;
  ivec2 at = ivec2(k & ((1 << place.y) - 1), k >> place.y);
  row = row % 4;
  if (row == 0) { result = texelFetch(source, at, 0); }
  else if (row == 1) { result = texelFetch(second, at, 0); }
  else if (row == 2) { result = texelFetch(third, at, 0); }
  else { result = texelFetch(fourth, at, 0); }
}
`;

/** A point for each thread that stored in a word of the channel \`place.x\`, of \`place.z\` rows. */
export const pointShader = `${version}${source}
flat out uint value;
void main() {
  uvec4 stored = texel(gl_VertexID);
  uint word = stored.y - 1u;
  value = stored.x;
  vec2 at = vec2(float((word >> 2u) & ${rowTexels - 1}u), float(word >> ${rowBits}u)) + 0.5;
  bool isHere = stored.y != 0u && int(word & 3u) == place.x;
  gl_Position = isHere
    ? vec4(2.0 * at / vec2(${rowTexels}.0, float(place.z)) - 1.0, 0.0, 1.0)
    : vec4(2.0, 2.0, 0.0, 1.0);
  gl_PointSize = 1.0;
}
`;

export const valueShader = `${version}
flat in uint value;
out uvec4 result;
void main() { result = uvec4(value); }
`;

/** The first failure of each ${failuresEach} of \`place.z\`; nothing where there is none and it is the last. */
export const failureShader = `${version}${source}
out uvec4 result;
void main() {
  int at = place.w == 1 ? 0 : (int(gl_FragCoord.y) << place.x) | int(gl_FragCoord.x);
  result = uvec4(0u);
  for (int k = ${failuresEach} * at; k < min(${failuresEach} * (at + 1), place.z); k++) {
    result = texel(k);
    if (result.x != 0u) { break; }
  }
  if (place.w == 1 && result.x == 0u) { discard; }
}
`;
