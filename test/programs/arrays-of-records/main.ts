import { compile } from "fluxion";

interface Point {
  readonly x: number;
  readonly y: number;
}
interface Body {
  position: { x: number; y: number };
  velocity: number[];
  mass: number;
  fixed: boolean;
}

/** Read by index, in `for … of`, by `map` and `reduce`. */
const read = compile((points: readonly Point[], k: number) => {
  let area = 0;
  for (let i = 0; i < points.length; i++) {
    const p = points[i]!;
    const q = points[(i + 1) % points.length]!;
    area += p.x * q.y - q.x * p.y;
  }
  let length = 0;
  for (const { x, y } of points) length += Math.hypot(x, y);
  return {
    area: area / 2,
    length,
    one: points[k]!,
    xs: points.map((p) => p.x * 2),
    sum: points.reduce((s, p, i) => s + p.x * i, 0),
    high: points.some((p) => p.y > 3),
    count: points.length,
  };
});

/** Records as results of `map`, and of `Array.from`; written field by field, and whole. */
const moved = compile((points: readonly Point[], dx: number, n: number) => {
  const shifted = points.map((p) => ({ x: p.x + dx, y: p.y, right: p.x > 1 }));
  const grid = Array.from({ length: n }, (_, k) => ({ x: k, y: k * k }));
  const half = Math.floor(n / 2);
  for (let i = 0; i < grid.length; i++) {
    grid[i]!.y -= i === half ? 100 : grid[i]!.x;
    if (i % 3 === 2) grid[i] = { x: -1, y: points[0]!.y };
  }
  const p = grid[1]!;
  p.x += 0.5;
  return { shifted, grid, first: grid.slice(0, 2) };
});

/** A few steps of bodies that attract each other: nested records, rows, booleans. */
const orbit = compile((start: readonly Body[], steps: number) => {
  const bodies = start.map((b) => ({
    position: { x: b.position.x, y: b.position.y },
    velocity: [b.velocity[0]!, b.velocity[1]!],
    mass: b.mass,
    fixed: b.fixed,
  }));
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < bodies.length; i++) {
      const a = bodies[i]!;
      if (a.fixed) continue;
      for (let j = 0; j < bodies.length; j++) {
        if (i === j) continue;
        const b = bodies[j]!;
        const [dx, dy] = [b.position.x - a.position.x, b.position.y - a.position.y];
        const f = b.mass / (dx * dx + dy * dy + 0.01) ** 1.5;
        a.velocity[0] += 0.01 * f * dx;
        a.velocity[1] += 0.01 * f * dy;
      }
    }
    for (const b of bodies) {
      b.position.x += 0.01 * b.velocity[0]!;
      b.position.y += 0.01 * b.velocity[1]!;
    }
  }
  return bodies;
});

/** A list of records that is written here, indexed by what is known at run time. */
const table = compile((k: number) => {
  const known = [
    { a: 1, b: true, tag: "t" },
    { a: 2, b: false, tag: "t" },
    { a: 3, b: true, tag: "t" },
  ];
  const chosen = known[k]!;
  const before = chosen.b ? chosen.a : -chosen.a;
  known[k]!.a = 10;
  return [before, known[0]!.a + known[1]!.a + known[2]!.a];
});

const square = [
  { x: 0, y: 0 },
  { x: 2, y: 0.5 },
  { x: 2, y: 4 },
];
const bodies: Body[] = [
  { position: { x: 0, y: 0 }, velocity: [0, 0], mass: 10, fixed: true },
  { position: { x: 1, y: 0 }, velocity: [0, 3], mass: 0.1, fixed: false },
  { position: { x: 0, y: -2 }, velocity: [2, 0], mass: 0.2, fixed: false },
];

export const main = () => [
  read(square, 1),
  moved(square, 0.5, 5),
  moved(square, 1, 2),
  orbit(bodies, 10),
  table(0),
  table(1),
];
