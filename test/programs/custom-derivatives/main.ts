import {
  checkpoint,
  compile,
  customJvp,
  customVjp,
  grad,
  hessian,
  implicit,
  jvp,
  valueAndGrad,
  vmap,
} from "fluxion";

/** A stable log(1 + eˣ), with its derivative said. */
const softplus = customJvp(
  (x: number) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0),
  ([x], [dx]) => {
    const y = Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);
    return [y, dx / (1 + Math.exp(-x))];
  },
);

/** The derivative is clipped: reverse rule, residuals, arrays. */
const clipped = customVjp((x: number) => x * x, {
  fwd: (x) => [x * x, { x }],
  bwd: ({ x }, w) => [w * Math.max(-1, Math.min(1, 2 * x))],
});
const squares = customVjp((x: Float64Array, scale: number) => x.map((v) => v * v * scale), {
  fwd: (x, scale) => [x.map((v) => v * v * scale), [x, scale] as const],
  bwd: ([x, scale], w) => [x.map((v, i) => 2 * v * scale * w[i]!), undefined],
});

/** Long, so not kept. */
const orbit = checkpoint((x: number, n: number) => {
  let y = x;
  for (let i = 0; i < n; i++) y = y + 0.1 * Math.sin(y);
  return y;
});

/** The root of x² = a, by bisection: the loop has no derivative. */
const root = implicit(
  (x: number, a: number) => x * x - a,
  (a: number) => {
    let [low, high] = [0, Math.max(1, a)];
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (middle * middle < a) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  },
);

/** Two equations: x₀² + x₁ = p₀ and x₀ x₁ = p₁, by Newton's method. */
const system = implicit(
  (x: Float64Array, p: Float64Array) =>
    Float64Array.of(x[0]! * x[0]! + x[1]! - p[0]!, x[0]! * x[1]! - p[1]!),
  (p: Float64Array) => {
    const x = Float64Array.of(2, 1);
    for (let i = 0; i < 20; i++) {
      const [a, b] = [x[0]!, x[1]!];
      const [r, s] = [a * a + b - p[0]!, a * b - p[1]!];
      const det = 2 * a * a - b;
      x[0] = a - (a * r - s) / det;
      x[1] = b - (2 * a * s - b * r) / det;
    }
    return x;
  },
);

const rules = compile((x: number) => ({
  value: softplus(x),
  slope: grad(softplus)(x),
  forward: jvp(softplus, [x], [2]),
  second: grad((y: number) => grad(softplus)(y))(x),
  batch: vmap(softplus)(Float64Array.of(x, -x)),
  batchSlope: grad((v: Float64Array) => vmap(softplus)(v).reduce((s, y) => s + y * y, 0))(
    Float64Array.of(x, -x),
  ),
  clipped: valueAndGrad(clipped)(x),
  clippedForward: jvp(clipped, [x], [3]),
  clippedTwice: grad((y: number) => grad(clipped)(y))(x * 0.1),
  inLoop: grad((y: number) => {
    let z = y;
    for (let i = 0; i < 3; i++) z = softplus(z) * y;
    return z;
  })(x),
}));

const arrays = compile((x: Float64Array, scale: number) => ({
  slope: grad((y: Float64Array) => squares(y, scale).reduce((s, v) => s + v, 0))(x),
  forward: jvp((y: Float64Array) => squares(y, scale), [x], [x]),
  none: grad((s: number) => squares(x, s).reduce((sum, v) => sum + v, 0))(scale),
  curvature: hessian((y: Float64Array) => squares(y, scale).reduce((s, v) => s + v * v, 0))(x),
}));

const recomputed = compile((x: number, n: number) => ({
  both: valueAndGrad(orbit)(x, n),
  forward: jvp((y: number) => orbit(y, n), [x], [1]),
  second: grad((y: number) => grad(orbit)(y, n))(x),
  plain: orbit(x, n),
}));

const solved = compile((a: number) => ({
  root: root(a),
  slope: grad(root)(a),
  forward: jvp(root, [a], [2]),
  second: grad((b: number) => grad(root)(b))(a),
  hessian: hessian((p: Float64Array) => system(p)[0]! * p[1]!)(Float64Array.of(a, 1)),
  gradient: grad((p: Float64Array) => system(p)[0]! + 2 * system(p)[1]!)(Float64Array.of(a, 1)),
  captured: grad((b: number) =>
    implicit(
      (x: number) => x * x * x - b,
      () => Math.cbrt(b),
    )(),
  )(a),
}));

export const main = () => [
  rules(0.7),
  arrays(new Float64Array([1, -2]), 1.5),
  recomputed(0.5, 20),
  solved(3),
];

export const expected = () => {
  const x = 0.7;
  const s = (t: number) => 1 / (1 + Math.exp(-t));
  const f = (t: number) => Math.log1p(Math.exp(t));
  let [z, dz] = [x, 1];
  for (let i = 0; i < 3; i++) [z, dz] = [f(z) * x, s(z) * dz * x + f(z)];
  // y, y′ and y″ of the orbit.
  let [y, d, dd] = [0.5, 1, 0];
  for (let i = 0; i < 20; i++) {
    const [c, w] = [Math.cos(y), Math.sin(y)];
    [y, d, dd] = [y + 0.1 * w, d * (1 + 0.1 * c), dd * (1 + 0.1 * c) - 0.1 * w * d * d];
  }
  const system = systemAt(3, 1);
  return [
    {
      value: f(x),
      slope: s(x),
      forward: [f(x), 2 * s(x)],
      second: s(x) * (1 - s(x)),
      batch: new Float64Array([f(x), f(-x)]),
      batchSlope: new Float64Array([2 * f(x) * s(x), 2 * f(-x) * s(-x)]),
      clipped: [x * x, 1],
      clippedForward: [x * x, 3],
      clippedTwice: 2,
      inLoop: dz,
    },
    {
      slope: new Float64Array([3, -6]),
      forward: [new Float64Array([1.5, 6]), new Float64Array([3, 12])],
      none: 0,
      curvature: [new Float64Array([27, 0]), new Float64Array([0, 108])],
    },
    { both: [y, d], forward: [y, d], second: dd, plain: y },
    {
      root: Math.sqrt(3),
      slope: 0.5 / Math.sqrt(3),
      forward: [Math.sqrt(3), 1 / Math.sqrt(3)],
      second: -0.25 / 3 ** 1.5,
      hessian: system.hessian,
      gradient: system.gradient,
      captured: 1 / (3 * 3 ** (2 / 3)),
    },
  ];
};

/** The same by hand: x₀³ − p₀ x₀ + p₁ = 0 and x₁ = p₁ / x₀. */
function systemAt(p: number, q: number) {
  let x = 2;
  for (let i = 0; i < 50; i++) x -= (x * x * x - p * x + q) / (3 * x * x - p);
  const slope = 3 * x * x - p;
  const [xp, xq] = [x / slope, -1 / slope];
  // Derivatives of x / m and of −1 / m with m = 3x² − p.
  const [mp, mq] = [6 * x * xp - 1, 6 * x * xq];
  const xpp = (xp * slope - x * mp) / slope ** 2;
  const xpq = (xq * slope - x * mq) / slope ** 2;
  const xqq = mq / slope ** 2;
  return {
    // Of x q.
    hessian: [
      new Float64Array([xpp * q, xpq * q + xp]),
      new Float64Array([xpq * q + xp, xqq * q + 2 * xq]),
    ],
    gradient: new Float64Array([xp + 2 * (-q / x ** 2) * xp, xq + 2 * (1 / x - (q / x ** 2) * xq)]),
  };
}
export const tolerance = 1e-9;
