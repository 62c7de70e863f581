/** Runs of words as texels of the memory. */

import { rowTexels } from "./shaders.ts";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Mask = readonly [boolean, boolean, boolean, boolean];

/** Texels of which the same words are written. */
export interface TexelRange {
  readonly from: number;
  readonly to: number;
  readonly mask: Mask;
}

/** The words `from … to` in texels: those that are cut by a border, and the whole ones between. */
export function rangesOf(from: number, to: number): readonly TexelRange[] {
  const mask = (texel: number): Mask => {
    const isIn = (lane: number): boolean => 4 * texel + lane >= from && 4 * texel + lane < to;
    return [isIn(0), isIn(1), isIn(2), isIn(3)];
  };
  const part = (texel: number): TexelRange => ({ from: texel, to: texel + 1, mask: mask(texel) });
  const [first, last] = [Math.floor(from / 4), Math.floor((to - 1) / 4)];
  if (first === last) return [part(first)];
  const [start, end] = [Math.ceil(from / 4), Math.floor(to / 4)];
  return [
    ...(start > first ? [part(first)] : []),
    ...(end > start ? [{ from: start, to: end, mask: [true, true, true, true] as const }] : []),
    ...(end <= last ? [part(last)] : []),
  ];
}

/** The texels `from … to`: the end of a row, whole rows, the beginning of one. */
export function rectanglesOf(from: number, to: number): readonly Rectangle[] {
  const found: Rectangle[] = [];
  for (let at = from; at < to;) {
    const [x, y] = [at % rowTexels, Math.floor(at / rowTexels)];
    const isWhole = x === 0 && to - at >= rowTexels;
    const height = isWhole ? Math.floor((to - at) / rowTexels) : 1;
    const width = isWhole ? rowTexels : Math.min(rowTexels - x, to - at);
    found.push({ x, y, width, height });
    at += width * height;
  }
  return found;
}
