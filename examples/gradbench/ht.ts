/** GradBench `ht`: a hand of bones and skin against points that were measured. */

import { compile, jacfwd, jvp } from "fluxion";
import { flat, type Prepare, rows, type Runs, work } from "./problem.ts";

/** Motions are three rows of four numbers: a linear map, and a translation as its last column. */
export interface Hand {
  readonly parents: Int32Array;
  /** Of each bone: its motion against its parent at rest, and out of its place at rest. */
  readonly relatives: Float64Array;
  readonly inverses: Float64Array;
  /** Of the skin: three numbers a vertex, and how much each bone moves it. */
  readonly positions: Float64Array;
  readonly weights: Float64Array;
  readonly triangles: Int32Array;
  readonly isMirrored: boolean;
}

/** Points, and the vertex of the hand that each belongs to; with `us`, the triangle. */
export interface Measured {
  readonly points: Float64Array;
  readonly targets: Int32Array;
}

/** Where each bone of a hand has its angles: 3 of rotation, 3 of translation, 4 a finger. */
const firstFinger = 6;
const bonesOfFinger = 4;

/** a ∘ b for motions in arrays. */
function compose(
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  into: Float64Array,
  at: number,
): void {
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 4; column++) {
      let sum = column === 3 ? a[atA + 4 * row + 3] : 0;
      for (let k = 0; k < 3; k++) sum += a[atA + 4 * row + k] * b[atB + 4 * k + column];
      into[at + 4 * row + column] = sum;
    }
  }
}

/** The rotation about an axis by its length, of the hand or of its mirror image. */
function globalRotation(theta: Float64Array, isMirrored: boolean): Float64Array {
  const side = isMirrored ? -1 : 1;
  const motion = new Float64Array(12);
  const angle = Math.sqrt(theta[0] * theta[0] + theta[1] * theta[1] + theta[2] * theta[2]);
  if (angle < 1e-4) {
    motion[0] = side;
    motion[5] = 1;
    motion[10] = 1;
    return motion;
  }
  const [x, y, z] = [theta[0] / angle, theta[1] / angle, theta[2] / angle];
  const s = Math.sin(angle);
  const c = Math.cos(angle);
  motion[0] = side * (x * x + (1 - x * x) * c);
  motion[1] = x * y * (1 - c) - z * s;
  motion[2] = x * z * (1 - c) + y * s;
  motion[4] = side * (x * y * (1 - c) + z * s);
  motion[5] = y * y + (1 - y * y) * c;
  motion[6] = y * z * (1 - c) - x * s;
  motion[8] = side * (x * z * (1 - c) - y * s);
  motion[9] = z * y * (1 - c) + x * s;
  motion[10] = z * z + (1 - z * z) * c;
  return motion;
}

/** A joint that is flexed and then spread: rotations about the axes x and z. */
function jointRotation(flex: number, spread: number): Float64Array {
  const [sx, cx] = [Math.sin(flex), Math.cos(flex)];
  const [sz, cz] = [Math.sin(spread), Math.cos(spread)];
  const motion = new Float64Array(12);
  motion[0] = cz;
  motion[1] = -sz * cx;
  motion[2] = sz * sx;
  motion[4] = sz;
  motion[5] = cz * cx;
  motion[6] = -cz * sx;
  motion[9] = sx;
  motion[10] = cx;
  return motion;
}

/** Of each bone, the motion of the skin that sits on it. */
function motions(theta: Float64Array, hand: Hand): Float64Array {
  const { parents, relatives, inverses, isMirrored } = hand;
  const count = parents.length;
  const whole = globalRotation(theta, isMirrored);
  const relative = new Float64Array(12);
  const absolutes = new Float64Array(12 * count);
  const result = new Float64Array(12 * count);
  for (let bone = 0; bone < count; bone++) {
    const at = 12 * bone;
    const finger = Math.floor((bone - 1) / bonesOfFinger);
    const joint = bone - 1 - finger * bonesOfFinger;
    const angles = firstFinger + bonesOfFinger * finger;
    if (bone > 0 && angles < theta.length && joint > 0) {
      const flex = joint === 1 ? theta[angles] : theta[angles + joint];
      const spread = joint === 1 ? theta[angles + 1] : 0;
      compose(relatives, at, jointRotation(flex, spread), 0, relative, 0);
    } else {
      for (let k = 0; k < 12; k++) relative[k] = relatives[at + k];
    }
    const parent = parents[bone];
    if (parent < 0) compose(whole, 0, relative, 0, absolutes, at);
    else compose(absolutes, 12 * parent, relative, 0, absolutes, at);
    compose(absolutes, at, inverses, at, result, at);
  }
  return result;
}

/** Where the vertices of the skin are. */
function skin(theta: Float64Array, hand: Hand): Float64Array {
  const { positions, weights } = hand;
  const bones = motions(theta, hand);
  const count = bones.length / 12;
  const moved = new Float64Array(positions.length);
  for (let vertex = 0; vertex < positions.length / 3; vertex++) {
    const px = positions[3 * vertex];
    const py = positions[3 * vertex + 1];
    const pz = positions[3 * vertex + 2];
    let [x, y, z] = [theta[3], theta[4], theta[5]];
    for (let bone = 0; bone < count; bone++) {
      const weight = weights[vertex * count + bone];
      if (weight === 0) continue;
      const at = 12 * bone;
      x += weight * (bones[at] * px + bones[at + 1] * py + bones[at + 2] * pz + bones[at + 3]);
      y += weight * (bones[at + 4] * px + bones[at + 5] * py + bones[at + 6] * pz + bones[at + 7]);
      z +=
        weight * (bones[at + 8] * px + bones[at + 9] * py + bones[at + 10] * pz + bones[at + 11]);
    }
    moved[3 * vertex] = x;
    moved[3 * vertex + 1] = y;
    moved[3 * vertex + 2] = z;
  }
  return moved;
}

/** From vertices of the hand to the points. */
export function toVertices(theta: Float64Array, hand: Hand, measured: Measured): Float64Array {
  const { points, targets } = measured;
  const vertices = skin(theta, hand);
  const errors = new Float64Array(points.length);
  for (let i = 0; i < targets.length; i++) {
    for (let k = 0; k < 3; k++)
      errors[3 * i + k] = points[3 * i + k] - vertices[3 * targets[i] + k];
  }
  return errors;
}

/** From places in triangles, two numbers of `us` each, to the points. */
export function toTriangles(
  theta: Float64Array,
  us: Float64Array,
  hand: Hand,
  measured: Measured,
): Float64Array {
  const { triangles } = hand;
  const { points, targets } = measured;
  const vertices = skin(theta, hand);
  const errors = new Float64Array(points.length);
  for (let i = 0; i < targets.length; i++) {
    const corner = 3 * targets[i];
    const [u, v] = [us[2 * i], us[2 * i + 1]];
    for (let k = 0; k < 3; k++) {
      const a = vertices[3 * triangles[corner] + k];
      const b = vertices[3 * triangles[corner + 1] + k];
      const c = vertices[3 * triangles[corner + 2] + k];
      errors[3 * i + k] = points[3 * i + k] - (u * a + v * b + (1 - u - v) * c);
    }
  }
  return errors;
}

export const vertexErrors = compile(toVertices);
export const triangleErrors = compile(toTriangles);

/** Rows of one column an angle. */
export const vertexJacobian = compile(
  (theta: Float64Array, hand: Hand, measured: Measured): Float64Array =>
    flattened(jacfwd(toVertices)(theta, hand, measured), theta.length),
);

/** Rows of two columns for the place in the triangle, and one an angle. */
export const triangleJacobian = compile(
  (theta: Float64Array, us: Float64Array, hand: Hand, measured: Measured): Float64Array => {
    const byTheta = jacfwd(toTriangles)(theta, us, hand, measured);
    const width = theta.length + 2;
    const values = new Float64Array(byTheta.length * width);
    // Each point depends on its own place only: one direction moves them all.
    const errors = (places: Float64Array) => toTriangles(theta, places, hand, measured);
    const along = (side: number) =>
      jvp(errors, [us], [us.map((_, k) => (k % 2 === side ? 1 : 0))])[1];
    const byU = along(0);
    const byV = along(1);
    for (let i = 0; i < byTheta.length; i++) {
      values[i * width] = byU[i];
      values[i * width + 1] = byV[i];
      for (let k = 0; k < theta.length; k++) values[i * width + 2 + k] = byTheta[i][k];
    }
    return values;
  },
);

function flattened(table: readonly Float64Array[], width: number): Float64Array {
  const values = new Float64Array(table.length * width);
  for (let i = 0; i < table.length; i++) {
    for (let k = 0; k < width; k++) values[i * width + k] = table[i][k];
  }
  return values;
}

type Matrices = readonly (readonly (readonly number[])[])[];

interface Input extends Runs {
  readonly theta: readonly number[];
  readonly us: readonly (readonly number[])[];
  readonly data: {
    readonly correspondences: readonly number[];
    readonly points: readonly (readonly number[])[];
    readonly model: {
      readonly parents: readonly number[];
      readonly base_relatives: Matrices;
      readonly inverse_base_absolutes: Matrices;
      readonly base_positions: readonly (readonly number[])[];
      readonly weights: readonly (readonly number[])[];
      readonly triangles: readonly (readonly number[])[];
      readonly is_mirrored: boolean;
    };
  };
}

/** The first three rows of matrices. */
function motionsOf(matrices: Matrices): Float64Array {
  return flat(matrices.map((matrix) => matrix.slice(0, 3).flat()));
}

/** The hand and what was measured, of a message. */
export function handOf({ data }: Pick<Input, "data">) {
  const { model } = data;
  const hand: Hand = {
    parents: Int32Array.from(model.parents),
    relatives: motionsOf(model.base_relatives),
    inverses: motionsOf(model.inverse_base_absolutes),
    positions: flat(model.base_positions.map((position) => position.slice(0, 3))),
    weights: flat(model.weights),
    triangles: Int32Array.from(model.triangles.flat()),
    isMirrored: model.is_mirrored,
  };
  const measured: Measured = {
    points: flat(data.points),
    targets: Int32Array.from(data.correspondences),
  };
  return { hand, measured };
}

function read(input: Input) {
  return { theta: Float64Array.from(input.theta), us: flat(input.us), ...handOf(input) };
}

export const objective: Prepare<Input> = (input) => {
  const { theta, us, hand, measured } = read(input);
  return work(
    () =>
      us.length === 0
        ? vertexErrors(theta, hand, measured)
        : triangleErrors(theta, us, hand, measured),
    Array.from<number>,
  );
};

export const jacobian: Prepare<Input> = (input) => {
  const { theta, us, hand, measured } = read(input);
  const count = measured.points.length;
  return work(
    () =>
      us.length === 0
        ? vertexJacobian(theta, hand, measured)
        : triangleJacobian(theta, us, hand, measured),
    (values) => rows(values, count),
  );
};
