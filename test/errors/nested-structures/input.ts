import { compile, type Tensor } from "fluxion";

type Pair = [number, number];
interface Body {
  pos: Pair;
  in: { a: number; on: boolean };
  trail: { t: number }[];
}

/** Tuples have known lengths, and truths stand in records. */
export const a = compile((ps: [number, number?][]) => ps.length);
export const b = compile((ps: [number, ...number[]][]) => ps.length);
export const c = compile((flags: boolean[]) => flags.length);
export const d = compile((ts: { w: Tensor<[2]> }[]) => ts.length);

/** What is in an argument belongs to the caller too. */
export const e = compile((bodies: Body[], k: number) => {
  bodies[k]!.pos[1] = 2;
});
export const f = compile((bodies: Body[], k: number) => {
  bodies[k]!.trail[0]!.t = 2;
});

const copy = (bodies: readonly Body[]) =>
  bodies.map((b) => ({
    pos: [b.pos[0], b.pos[1]] as Pair,
    in: { a: b.in.a, on: b.in.on },
    trail: b.trail.map(({ t }) => ({ t })),
  }));

/** A part that was replaced is no longer in the array. */
export const g = compile((bodies: readonly Body[], k: number) => {
  const own = copy(bodies);
  const old = own[k]!.in;
  own[k]!.in = { a: 1, on: true };
  return old.a;
});
export const h = compile((bodies: readonly Body[], k: number) => {
  const own = copy(bodies);
  const old = own[k]!.trail;
  own[k]!.trail = own[0]!.trail.map(({ t }) => ({ t: t + 1 }));
  return old[0]!.t;
});

/** A tuple of several kinds has no element at an index that the run tells. */
export const i = compile((ps: [number, boolean, number][], k: number) => ps[0]![k]);
export const j = compile((ps: readonly Body[], k: number) => {
  const own = ps.map((p): [Pair, number] => [[p.pos[0], p.pos[1]], 1]);
  own[k]![k] = 1;
  return own;
});

/** Arrays in an array keep their length. */
export const l = compile((bodies: readonly Body[], k: number) => {
  const own = copy(bodies);
  own[k]!.trail.push({ t: 1 });
  return own;
});
export const m = compile((ps: [number, boolean][], k: number) => {
  const own = ps.map(([x, on]): (number | boolean)[] => [x, on]);
  own[k] = [1, true, 2];
  return own;
});
export const n = compile((bodies: readonly Body[], k: number) => {
  const own = copy(bodies).map(({ pos }) => ({ pos, trail: [0, 1, 2].map((t) => ({ t })) }));
  own[k]!.trail = [{ t: 1 }];
  return own;
});
