import { compile, grad, jvp, valueAndGrad } from "fluxion";

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Σ (x² + 2y)·(i + 1) */
const energy = (points: readonly Point[]): number => {
  let sum = 0;
  for (let i = 0; i < points.length; i++) {
    const p = points[i]!;
    sum += (p.x * p.x + 2 * p.y) * (i + 1);
  }
  return sum;
};

/** Over records that are made and written on the way. */
const relaxed = (points: readonly Point[], rate: number): number => {
  const own = points.map((p) => ({ x: p.x * rate, y: p.y }));
  for (let i = 1; i < own.length; i++) own[i]!.x += own[i - 1]!.x * own[i]!.y;
  return own.reduce((s, p) => s + p.x, 0);
};

const slopes = compile((points: readonly Point[]) => ({
  gradient: grad(energy)(points),
  forward: jvp(energy, [points], [points]),
  relaxed: valueAndGrad(relaxed, { argnums: [0, 1] })(points, 2),
}));

/** One step of gradient descent on an array of records. */
export const step = compile((points: readonly Point[], rate: number) => {
  const g = grad(energy)(points);
  return points.map((p, i) => ({ x: p.x - rate * g[i]!.x, y: p.y - rate * g[i]!.y }));
});

/** At the root, the gradient has the structure of the argument. */
const direct = grad(energy);

/** Through a function that calls itself and writes the records. */
function accumulate(points: { x: number; y: number }[], k: number): void {
  if (k >= points.length) return;
  points[k]!.x += points[k - 1]!.x * points[k]!.y;
  accumulate(points, k + 1);
}
const recursive = compile((points: readonly Point[]) =>
  grad((given: readonly Point[]) => {
    const own = given.map(({ x, y }) => ({ x, y }));
    accumulate(own, 1);
    return own[own.length - 1]!.x;
  })(points),
);

const points = [
  { x: 1, y: 2 },
  { x: 3, y: -1 },
];
export const main = () => [slopes(points), step(points, 0.1), direct(points), recursive(points)];

/** relaxed: 2x₀ + 2x₁ + 2x₀y₁ at a rate of 2. */
export const expected = () => {
  const gradient = [
    { x: 2, y: 2 },
    { x: 12, y: 4 },
  ];
  return [
    {
      gradient,
      forward: [5 + 2 * 7, 2 + 4 + 2 * (18 - 2)],
      relaxed: [
        2 + 6 - 2,
        [
          [
            { x: 0, y: 0 },
            { x: 2, y: 2 },
          ],
          1 + 3 - 1,
        ],
      ],
    },
    [
      { x: 0.8, y: 1.8 },
      { x: 1.8, y: -1.4 },
    ],
    gradient,
    [
      { x: -1, y: 0 },
      { x: 1, y: 1 },
    ],
  ];
};
export const tolerance = 1e-12;
