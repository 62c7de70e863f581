/** Small inputs of the shape that GradBench sends, from waves instead of chance. */

/** Numbers between -1 and 1, the same each time, others for another seed. */
export function wave(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, k) => {
    return Math.sin(12.9898 * (k + 1) + 78.233 * seed + k * k);
  });
}

export function table(rows: number, columns: number, seed: number): number[][] {
  return Array.from({ length: rows }, (_, row) => wave(columns, seed + 0.37 * row));
}

/** Positive numbers below 1. */
export function positive(count: number, seed: number): number[] {
  return wave(count, seed).map((value) => 0.5 + 0.45 * value);
}

export const llsq = { x: wave(12, 1), n: 16 };
export const lse = { x: wave(40, 2).map((value) => 3 * value) };
export const det = { A: positive(25, 3), ell: 5 };
export const ode = { x: positive(24, 4), s: 7 };

const width = 5;
export const lstm = {
  main_params: table(4, 4 * width, 5),
  extra_params: table(3, width, 6),
  state: table(4, width, 7),
  sequence: table(9, width, 8).map((row) => row.map((value) => (value > 0 ? 1 : 0))),
};

export const gmm = {
  d: 3,
  k: 4,
  n: 20,
  m: 2,
  gamma: 1.5,
  alpha: wave(4, 9),
  mu: table(4, 3, 10),
  q: table(4, 3, 11),
  l: table(4, 3, 12),
  x: table(20, 3, 13),
};

export const ba = {
  n: 3,
  m: 5,
  p: 12,
  cam: [-0.76, -1.11, -0.85, 34.6, 39.7, 53.9, 419.2, 5.86, -8.52, 0.088, 0.0027],
  x: [7.2, 0.0011, 3.02],
  w: 0.417,
  feat: [271.8, 834.2],
};

export const kmeans = { points: table(7, 3, 14), centroids: table(3, 3, 15) };

const boneCount = 22;
/** A wrist, five fingers of four bones, and a forearm. */
const parents = Array.from({ length: boneCount }, (_, bone) => {
  if (bone === 0) return -1;
  return bone === boneCount - 1 || bone % 4 === 1 ? 0 : bone - 1;
});

function motions(scale: number, seed: number): number[][][] {
  return parents.map((_, bone) => {
    const rows = table(3, 4, seed + bone).map((row) => row.map((value) => scale * value));
    return [...rows, [0, 0, 0, 1]];
  });
}

function hand(isMirrored: boolean, vertexCount = 9) {
  return {
    bone_count: boneCount,
    bone_names: parents.map((_, bone) => `bone${bone}`),
    parents,
    base_relatives: motions(0.6, 16),
    inverse_base_absolutes: motions(1, 50),
    base_positions: table(vertexCount, 3, 90).map((row) => [...row, 1]),
    weights: table(vertexCount, boneCount, 100).map((row) => row.map((w) => Math.max(w, 0))),
    triangles: Array.from({ length: 6 }, (_, k) => [
      k,
      (k + 2) % vertexCount,
      (k + 5) % vertexCount,
    ]),
    is_mirrored: isMirrored,
  };
}

const theta = wave(26, 17);
const correspondences = [0, 3, 5, 3];
const points = table(4, 3, 18);

export const htVertices = {
  theta,
  us: [] as number[][],
  data: { model: hand(false), correspondences, points },
};
export const htTriangles = {
  theta,
  us: table(4, 2, 19),
  data: { model: hand(true), correspondences, points },
};
/** No rotation of the whole hand: the identity, and no derivative. */
export const htStill = {
  ...htTriangles,
  theta: theta.map((angle, k) => (k < 3 ? 0 : angle)),
};

const large = hand(false, 544);
/**
 * A hand of as many vertices as GradBench's small one, and as many measurements. Each vertex
 * hangs on two bones, as there.
 */
export const htLarge = {
  theta,
  us: [] as number[][],
  data: {
    model: {
      ...large,
      weights: large.weights.map((row, vertex) =>
        row.map((weight, bone) => (bone % 11 === vertex % 11 ? 0.1 + weight : 0)),
      ),
    },
    correspondences: Array.from({ length: 100 }, (_, k) => (k * 5) % 544),
    points: table(100, 3, 18),
  },
};
/** As many cameras, points and observations as in GradBench's smallest scene. */
export const baLarge = { ...ba, n: 49, m: 7776, p: 31843 };
