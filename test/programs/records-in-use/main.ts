import { compile } from "fluxion";
/** Rows that are kept, copied, passed, captured and written by functions that call themselves. */
interface P {
  x: number;
  y: number;
}
const best = compile((points: readonly P[]) => {
  let b = points[0]!;
  let at = 0;
  for (let i = 1; i < points.length; i++) {
    const p = points[i]!;
    if (p.x > b.x) {
      b = p;
      at = i;
    }
  }
  return [b.y, at];
});
const spread = compile((points: readonly P[], k: number) => ({ ...points[k]!, x: 9 }));
const data: P[] = [
  { x: Number("1"), y: 2 },
  { x: 3, y: 4 },
];
const captured = compile((k: number) => data[k]!.x + data.length);
function push(bodies: P[], dt: number) {
  for (const b of bodies) {
    b.x += b.y * dt;
  }
}
const stepped = compile((points: readonly P[], n: number) => {
  const own = points.map((p) => ({ ...p }));
  for (let i = 0; i < n; i++) push(own, 0.5);
  return own;
});
function visit(points: P[], k: number): void {
  if (k >= points.length) return;
  points[k]!.x += k > 0 ? points[k - 1]!.x : 0;
  visit(points, k + 1);
}
const recursive = compile((points: readonly P[]) => {
  const own = points.map(({ x, y }) => ({ x, y }));
  visit(own, 0);
  return own;
});
const nearest = compile((points: readonly P[], x: number, y: number) => {
  let d = Infinity,
    k = -1;
  points.forEach((p, i) => {
    const e = (p.x - x) ** 2 + (p.y - y) ** 2;
    if (e < d) {
      d = e;
      k = i;
    }
  });
  return k;
});
const filtered = compile((points: readonly P[]) => {
  const kept = Array.from({ length: points.length }, () => ({ x: 0, y: 0 }));
  let n = 0;
  for (const p of points)
    if (p.x > 1) {
      kept[n] = p;
      n++;
    }
  return kept.slice(0, n);
});
const nested = compile((tri: readonly { a: P; b: P; w: number[] }[]) =>
  tri.reduce((s, t) => s + t.a.x * t.b.y - t.a.y * t.b.x + t.w[1]!, 0),
);
const inRecord = compile((scene: { points: readonly P[]; scale: number }) =>
  scene.points.map((p) => ({ x: p.x * scale(scene), y: p.y })),
);
const scale = (s: { scale: number }) => s.scale * 2;
const arr = [
  { x: 1, y: 2 },
  { x: 3, y: 4 },
  { x: 0, y: 7 },
];
export const main = () => [
  best(arr),
  spread(arr, 1),
  captured(1),
  stepped(arr, 3),
  recursive(arr),
  nearest(arr, 3, 3),
  filtered(arr),
  nested([
    { a: { x: 1, y: 2 }, b: { x: 3, y: 4 }, w: [1, 2] },
    { a: { x: 2, y: 2 }, b: { x: 0, y: 1 }, w: [3, 4] },
  ]),
  inRecord({ points: arr, scale: 2 }),
  best([{ x: 1, y: 1 }]),
  recursive([]),
];
