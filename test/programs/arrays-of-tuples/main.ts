import { compile } from "fluxion";

type Pair = [number, number];

/** Tuples of numbers: by index, by pattern, by `map` and `reduce`. */
const read = compile((ps: readonly (readonly [number, number, number])[], k: number) => {
  let volume = 0;
  for (let i = 0; i < ps.length; i++) {
    const [x, y, z] = ps[i]!;
    volume += x * y * z + ps[k]![1] - ps[i]![i % 3]!;
  }
  let length = 0;
  for (const [x, , z] of ps) length += Math.hypot(x, z);
  const p = ps[k]!;
  return {
    volume,
    length,
    one: [p[0], p.length],
    whole: ps[0]!,
    all: ps,
    sums: ps.map(([x, y, z]) => x + y + z),
    swapped: ps.map(([x, y, z], i) => [z, y * i, x]),
    total: ps.reduce((s, [x, y]) => s + x * y, 0),
    some: ps.some(([x]) => x > 3),
    rest: ps.map(([x, ...yz]) => x * yz[0]! + yz[1]!),
  };
});

/** Matrices in a tuple, and tuples of tuples. */
const matrices = compile((ms: [Pair, Pair][], vs: Pair[]) =>
  vs.map(([x, y], i) => {
    const [[a, b], [c, d]] = ms[i % ms.length]!;
    return [a * x + b * y, c * x + d * y];
  }),
);

/** Tuples of several kinds. */
type Mixed = [x: number, on: boolean, path: Float64Array, at: { u: number; v: Pair }];
const mixed = compile((ms: readonly Mixed[], k: number) => {
  const own = ms.map(([x, on, path, { u, v }]): Mixed => [
    x * 2,
    !on,
    path.map((t) => t + 1),
    { u: -u, v: [v[1], v[0]] },
  ]);
  own[k]![0] += 10;
  own[k]![1] = ms[0]![1];
  own[k]![2][1]! *= 3;
  own[k]![3].u = 0.5;
  own[k]![3].v[1] -= 4;
  const m = own[(k + 1) % own.length]!;
  m[3] = { u: 8, v: [1, 2] };
  m[3].v[0] = m[0];
  let sum = 0;
  for (const [
    x,
    on,
    path,
    {
      u,
      v: [a, b],
    },
  ] of own) {
    sum += on ? x + path[0]! * u : a - b;
  }
  return { sum, own, one: own[k]!, at: own[k]![3], on: own.map((t) => (t[1] ? 1 : 0)) };
});

/** Tuples in records, records in records, arrays of records in them. */
interface Body {
  pos: [number, number];
  mass: number;
  spin: { axis: [number, number]; on: boolean };
  trail: { t: number; at: [number, number] }[];
}
const bodies = compile((given: readonly Body[], steps: number, dt: number) => {
  const own = given.map(({ pos: [x, y], mass, spin, trail }) => ({
    pos: [x, y],
    mass,
    spin: { axis: [spin.axis[0], spin.axis[1]], on: spin.on },
    trail: trail.map(({ t, at }) => ({ t, at: [at[0], at[1]] })),
  }));
  for (let s = 0; s < steps; s++) {
    for (let i = 0; i < own.length; i++) {
      const a = own[i]!;
      for (let k = 0; k < 2; k++) {
        a.pos[k]! += dt * a.spin.axis[k]!;
        for (const b of own) a.pos[k]! -= dt * b.mass * (a.pos[k]! - b.pos[k]!);
      }
      for (let j = 0; j < a.trail.length; j++) {
        const mark = a.trail[j]!;
        mark.t += dt * (i + j);
        if (a.spin.on) mark.at[1]! += a.pos[0]!;
        else own[0]!.trail[j]!.at[0]! *= 0.5;
      }
    }
  }
  let sum = 0;
  for (const b of own) for (const { t, at } of b.trail) sum += t * at[0]! - at[1]!;
  const last = own[own.length - 1]!;
  return {
    own,
    sum,
    trail: last.trail,
    tail: last.trail.slice(1),
    ends: own.map((b) => b.trail[b.trail.length - 1]!),
    ts: own.map((b) => b.trail.map((m) => m.t)),
    first: given[0]!.trail[0]!.at,
  };
});

/** Arrays of arrays of records, and what is made of them. */
const grids = compile((grid: { h: number; wet: boolean }[][], i: number) => {
  const rows = grid.map((row) => row.map((c) => ({ h: c.wet ? c.h * 2 : c.h, wet: !c.wet })));
  rows[i]![0]!.h = -1;
  let sum = 0;
  for (const row of rows) for (const { h, wet } of row) sum += wet ? h : 1;
  const row = rows[i]!;
  return { rows, row, sum, cell: row[1]!, width: row.length, heights: grid.map((r) => r[0]!.h) };
});

/** Known items, indexed by what the run tells. */
const known = compile((k: number, x: number) => {
  const marks: [number, boolean][] = [
    [x, true],
    [2, false],
    [3 * x, true],
  ];
  marks[k]![0] += 1;
  marks[0]![1] = false;
  const [v, on] = marks[k]!;
  const list = [
    { at: [x, 1], ends: [{ e: 1 }, { e: x }] },
    { at: [2, x], ends: [{ e: 3 }, { e: 4 }] },
  ];
  const one = list[k % 2]!;
  one.ends[1]!.e += 7;
  return [v, on, marks, one.at[1], one.ends[0]!.e, list[0]!.ends[1]!.e, list];
});

/** A function that calls itself is given tuples, and writes them. */
const down = (ps: { at: [number, boolean]; m: Pair }[], k: number): number => {
  if (k < 0) return 0;
  const p = ps[k]!;
  p.at[0] += k;
  p.m[1] *= 2;
  return (p.at[1] ? p.at[0] : p.m[1]) + down(ps, k - 1);
};
const recursive = compile((given: { at: [number, boolean]; m: Pair }[]) => {
  const own = given.map(({ at: [x, on], m: [a, b] }): { at: [number, boolean]; m: Pair } => ({
    at: [x, on],
    m: [a, b],
  }));
  const sum = down(own, own.length - 1);
  return { sum, own };
});

/** Carried around loops, and out of branches. */
const carried = compile((ps: [number, boolean][], n: number) => {
  let best = ps[0]!;
  let all = ps.map(([x, on]): [number, boolean] => [x, on]);
  for (let i = 0; i < n; i++) {
    const p = ps[i % ps.length]!;
    if (p[0] > best[0] && p[1]) best = p;
    all = all.map(([x, on]): [number, boolean] => [on ? x / 2 : x + i, !on]);
  }
  const chosen = n > 2 ? ps[1]! : best;
  return { best, all, chosen };
});

const triples: [number, number, number][] = [
  [1, 2, 3],
  [0.5, -1, 4],
  [3, 3, 1],
  [2, 0, -2],
];
const mixeds: Mixed[] = [
  [1, true, Float64Array.of(1, 2), { u: 3, v: [4, 5] }],
  [2, false, Float64Array.of(-1, 0.5), { u: 2, v: [1, 0] }],
  [0.25, true, Float64Array.of(0, 7), { u: -1, v: [6, -2] }],
];
const system = (n: number): Body[] =>
  Array.from({ length: n }, (_, i) => ({
    pos: [i, i * i - 1],
    mass: 1 / (i + 1),
    spin: { axis: [0.5 * i, 1 - i], on: i % 2 === 0 },
    trail: [0, 1, 2].map((j) => ({ t: j - i, at: [i + j, i * j] })),
  }));
const cells = [
  [
    { h: 1, wet: true },
    { h: 2, wet: false },
  ],
  [
    { h: 3, wet: false },
    { h: 4, wet: true },
  ],
  [
    { h: 5, wet: true },
    { h: 6, wet: true },
  ],
];

export const main = () => [
  read(triples, 2),
  read(triples.slice(0, 1), 0),
  matrices(
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [0, 1],
        [-1, 0.5],
      ],
    ],
    [
      [1, 1],
      [2, 3],
      [4, -1],
    ],
  ),
  matrices([], []),
  mixed(mixeds, 1),
  mixed(mixeds.slice(1), 0),
  bodies(system(3), 2, 0.1),
  bodies(system(1), 3, 0.01),
  grids(cells, 1),
  known(0, 5),
  known(2, -1),
  recursive([
    { at: [1, true], m: [2, 3] },
    { at: [4, false], m: [5, 6] },
    { at: [7, true], m: [8, 9] },
  ]),
  carried(
    [
      [1, true],
      [5, false],
      [3, true],
    ],
    1,
  ),
  carried(
    [
      [1, true],
      [5, false],
      [3, true],
    ],
    4,
  ),
];
