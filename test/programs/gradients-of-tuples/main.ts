import { compile, grad, hvp, jvp, valueAndGrad, vjp } from "fluxion";

type Pair = [number, number];
interface Body {
  readonly pos: Pair;
  readonly mass: number;
  readonly inner: { readonly spin: [Pair, Pair]; readonly path: Float64Array };
  readonly trail: readonly { readonly t: number; readonly at: Pair }[];
}
/** A tuple of several kinds. */
type Mixed = readonly [number, { readonly u: number; readonly v: Pair }, Float64Array];

/** Closed polygon: area times length, with an index that is computed. */
const polygon = (ps: readonly Pair[]): number => {
  let area = 0;
  let length = 0;
  for (let i = 0; i < ps.length; i++) {
    const [x, y] = ps[i]!;
    const q = ps[(i + 1) % ps.length]!;
    area += x * q[1] - q[0] * y;
    length += Math.hypot(q[0] - x, q[1] - y);
  }
  return area * length + ps.reduce((s, [x, y], i) => s + x * Math.sin(y) * i, 0);
};

/** Bodies that are copied, and written on the way. */
const energy = (given: readonly Body[], scale: number): number => {
  const own = given.map(({ pos: [x, y], mass, inner, trail }) => ({
    pos: [x * scale, y],
    mass,
    spin: inner.spin.map(([a, b]) => [a, b]),
    trail: trail.map(({ t, at: [u, v] }) => ({ t, at: [u, v] })),
    weight: inner.path.reduce((s, v) => s + v * v, 0),
  }));
  for (let i = 0; i < own.length; i++) {
    const a = own[i]!;
    for (let k = 0; k < 2; k++) {
      a.pos[k]! += a.spin[0]![k]! * a.spin[1]![1 - k]!;
      for (const mark of a.trail) mark.at[k]! *= 1 + 0.1 * mark.t * a.pos[k]!;
    }
    if (a.mass > 0.4) own[0]!.trail[i % 2]!.t += a.mass ** 2;
  }
  let sum = 0;
  for (const { pos, mass, trail, weight } of own) {
    sum += mass * pos[0]! * pos[1]! + weight;
    for (const { t, at } of trail) sum += Math.sin(t) * at[0]! - at[1]!;
  }
  return sum;
};

const mixture = (ms: readonly Mixed[], by: number): number => {
  const own = ms.map(([x, { u, v }, path]): [number, Pair, number] => [
    x * u,
    [v[1], v[0] * by],
    path[1]! ** 2,
  ]);
  own[1]![1][0] *= own[0]![0];
  own[0]![0] += own[1]![2];
  return own.reduce((s, [a, [b, c], d], i) => s + a * b * c + d * i, 0);
};

/** A result of the same structure. */
const pushed = (ps: readonly Pair[], by: number): { at: Pair; speed: number }[] =>
  ps.map(([x, y]) => ({ at: [x * y, y * by] as Pair, speed: Math.exp(x) }));

const square: Pair[] = [
  [0.1, 0.2],
  [2, 0.5],
  [1.5, 3],
];
const direction: Pair[] = [
  [1, -0.5],
  [0.25, 2],
  [-1, 0.5],
];
const bodies: Body[] = [0, 1, 2].map((i) => ({
  pos: [0.3 * i + 0.2, 1 - i],
  mass: 0.5 + 0.25 * i,
  inner: {
    spin: [
      [0.1 * i, 0.7],
      [1, 0.3 - i],
    ],
    path: Float64Array.of(i, 0.5 * i + 0.2),
  },
  trail: [0, 1].map((j) => ({ t: 0.4 * i + j, at: [0.2 + j, i - 0.4 * j] as Pair })),
}));
const mixed: Mixed[] = [
  [0.5, { u: 2, v: [1, 0.25] }, Float64Array.of(1, 3)],
  [1.5, { u: -1, v: [0.5, 2] }, Float64Array.of(0, 0.5)],
];

const gradient = grad(polygon);
const ofBodies = grad(energy, { argnums: [0, 1] });
const inside = compile((ms: readonly Mixed[]) => valueAndGrad(mixture, { argnums: [0, 1] })(ms, 2));
const forward = compile((ps: readonly Pair[], dps: readonly Pair[]) =>
  jvp(pushed, [ps, 2], [dps, 0.5]),
);
const reverse = compile((ps: readonly Pair[], w: { at: Pair; speed: number }[]) => {
  const [y, back] = vjp(pushed, ps, 2);
  return [y, back(w)];
});
const curved = hvp(polygon);
const step = compile((ps: readonly Pair[], rate: number) => {
  const g = grad(polygon)(ps);
  return ps.map(([x, y], i): Pair => [x - rate * g[i]![0], y - rate * g[i]![1]]);
});
const outerForward = (ps: readonly Pair[]) => jvp(polygon, [ps], [direction]);
const outerReverse = (ps: readonly Pair[]) => {
  const [y, back] = vjp(polygon, ps);
  return [y, back(3)];
};
const weights = [0, 1, 2].map((i) => ({ at: [1, i] as Pair, speed: i - 1 }));

export const main = () => [
  gradient(square),
  gradient([]),
  ofBodies(bodies, 1.5),
  inside(mixed),
  forward(square, direction),
  reverse(square, weights),
  curved(square, direction),
  step(square, 0.01),
  outerForward(square),
  outerReverse(square),
];

/** A thing with each number moved along by a direction of its structure. */
function moved<T>(x: T, dx: T, h: number): T {
  if (typeof x === "number") return (x + h * (dx as number)) as T;
  if (ArrayBuffer.isView(x)) {
    return (x as unknown as Float64Array).map((v, k) => v + h * (dx as Float64Array)[k]!) as T;
  }
  if (Array.isArray(x)) return x.map((v, k) => moved(v, (dx as unknown[])[k], h)) as T;
  const entries = Object.entries(x as object);
  return Object.fromEntries(
    entries.map(([name, v]) => [name, moved(v, (dx as Record<string, unknown>)[name], h)]),
  ) as T;
}

/** As `x`, with 1 at the place of one of its numbers and 0 else; `left` counts down to it. */
function unit<T>(x: T, left: { count: number }): T {
  if (typeof x === "number") return (left.count-- === 0 ? 1 : 0) as T;
  if (ArrayBuffer.isView(x)) return (x as unknown as Float64Array).map((v) => unit(v, left)) as T;
  if (Array.isArray(x)) return x.map((v) => unit(v, left)) as T;
  return Object.fromEntries(Object.entries(x as object).map(([k, v]) => [k, unit(v, left)])) as T;
}

/** As `x`, with the numbers in order. */
function filled<T>(x: T, numbers: Iterator<number>): T {
  if (typeof x === "number") return numbers.next().value as T;
  if (ArrayBuffer.isView(x)) {
    return (x as unknown as Float64Array).map((v) => filled(v, numbers)) as T;
  }
  if (Array.isArray(x)) return x.map((v) => filled(v, numbers)) as T;
  return Object.fromEntries(
    Object.entries(x as object).map(([k, v]) => [k, filled(v, numbers)]),
  ) as T;
}

const h = 1e-4;
/** Along a direction, to the fourth order in h. */
function along<T>(f: (x: T) => number, x: T, dx: T): number {
  const at = (k: number): number => f(moved(x, dx, k * h));
  return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
}
function slopes<T>(f: (x: T) => number, x: T): T {
  const last = { count: 1e9 };
  unit(x, last);
  const count = 1e9 - last.count;
  const numbers = Array.from({ length: count }, (_, k) => along(f, x, unit(x, { count: k })));
  return filled(x, numbers.values());
}
/** The numbers of a thing of records and arrays. */
function numbersOf(x: unknown): number[] {
  return typeof x === "number" ? [x] : Object.values(x as object).flatMap(numbersOf);
}

export const tolerance = 1e-7;
export const expected = () => {
  const both = (args: [readonly Body[], number]): number => energy(...args);
  const two = (args: [readonly Mixed[], number]): number => mixture(...args);
  const y = pushed(square, 2);
  const dy = filled(
    y,
    numbersOf(y)
      .map((_, k) => {
        const component = (args: [readonly Pair[], number]): number =>
          numbersOf(pushed(...args))[k]!;
        return along(component, [square, 2], [direction, 0.5]);
      })
      .values(),
  );
  const back = slopes(
    ([ps, by]: [readonly Pair[], number]) => {
      const w = numbersOf(weights);
      return numbersOf(pushed(ps, by)).reduce((s, v, k) => s + v * w[k]!, 0);
    },
    [square, 2],
  );
  const g = slopes(polygon, square);
  const ahead = (k: number): Pair[] => slopes(polygon, moved(square, direction, k * 1e-3));
  const near = moved(ahead(1), ahead(-1), -1);
  const far = moved(ahead(2), ahead(-2), -1);
  const curvature = moved(moved(near, near, 7), far, -1);
  return [
    g,
    [],
    slopes(both, [bodies, 1.5]),
    [two([mixed, 2]), slopes(two, [mixed, 2])],
    [y, dy],
    [y, back],
    moved(curvature, curvature, 1 / 0.012 - 1),
    moved(square, g, -0.01),
    [polygon(square), along(polygon, square, direction)],
    [polygon(square), [moved(g, g, 2)]],
  ];
};
