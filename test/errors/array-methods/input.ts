import { compile } from "fluxion";

/** Methods that are not compiled name what to write instead. */
export const a = compile((x: Float64Array) => x.filter((v) => v > 0));
export const b = compile((x: Float64Array) => x.find((v) => v > 0));
export const c = compile((x: number[]) => x.toSorted());
export const d = compile((x: number[][]) => x.flat());
export const e = compile((x: Float64Array) => x.reduceRight((s, v) => s + v, 0));
export const f = compile((x: number[]) => x.slice().shift());
export const g = compile((x: number[]) => {
  for (const [k, v] of x.entries()) if (k === v) return k;
  return -1;
});
export const h = compile((x: Float64Array) => x.subarray(1));
export const i = compile((x: Float64Array) => x.join(", "));
export const j = compile((x: number[]) => x.with(0, 1));

/** Objects are not compared. */
export const k = compile((ps: { x: number }[]) => ps.indexOf(ps[0]!));
export const l = compile((ps: { x: number }[]) => ps.includes({ x: 1 }));
export const m = compile((x: number[]) => x.lastIndexOf(1, 2));
export const n = compile((x: Float64Array) => {
  let asked = 0;
  return x.findLastIndex(() => ++asked > 2);
});

/** Arguments are counted. */
const sum = (...values: readonly number[]) => values.reduce((s, v) => s + v, 0);
export const o = compile((x: Float64Array) => sum(...x));
export const p = compile((x: Float64Array) => new Float64Array([1, 2]).fill(...([x[0]!, ...x] as [number])));

/** What belongs to the caller is not turned around. */
export const q = compile((x: Float64Array) => x.reverse());
export const r = compile((ps: { x: number }[]) => ps.reverse());
export const s = compile((ps: { x: number }[], k: number) => {
  const own = ps.map(({ x }) => ({ x }));
  const old = own[k]!;
  own.reverse();
  return old.x;
});

/** Rows of two lengths, and what is not of the structure of the others. */
export const t = compile((x: number[]) => [x].concat([[1, 2]], [[3]])[x.length]!);
export const u = compile((ps: { x: number }[]) => ps.concat([{ y: 1 } as never]));
