/** GradBench `ba`: the errors of a bundle adjustment, and their sparse Jacobian by its blocks. */

import { compile, vjp } from "fluxion";
import { type Prepare, type Runs, work } from "./problem.ts";

type Pair = readonly [number, number];
type Triple = readonly [number, number, number];

interface Camera {
  /** Its axis times its angle. */
  readonly rotation: Triple;
  readonly centre: Triple;
  readonly focus: number;
  readonly principal: Pair;
  readonly distortion: Pair;
}

/** Cameras of 11 numbers, points of 3 and features of 2, and who sees what. */
interface Scene {
  readonly cameras: Float64Array;
  readonly points: Float64Array;
  readonly weights: Float64Array;
  readonly features: Float64Array;
  readonly cameraOf: Int32Array;
  readonly pointOf: Int32Array;
}

const cameraSize = 11;
const pointSize = 3;
const blockSize = cameraSize + pointSize + 1;

function dot(a: Triple, b: Triple): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Triple, b: Triple): Triple {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** a + s b */
function along(a: Triple, s: number, b: Triple): Triple {
  return [a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]];
}

/** Rodrigues' formula: a point turned about an axis by its length. */
function rotate(rotation: Triple, point: Triple): Triple {
  const square = dot(rotation, rotation);
  if (square === 0) return along(point, 1, cross(rotation, point));
  const angle = Math.sqrt(square);
  const zero: Triple = [0, 0, 0];
  const axis = along(zero, 1 / angle, rotation);
  const cosine = Math.cos(angle);
  const turned = along(along(zero, cosine, point), Math.sin(angle), cross(axis, point));
  return along(turned, dot(axis, point) * (1 - cosine), axis);
}

/** Where a camera sees a point. */
function project(camera: Camera, point: Triple): Pair {
  const [x, y, z] = rotate(camera.rotation, along(point, -1, camera.centre));
  const [u, v] = [x / z, y / z];
  const square = u * u + v * v;
  const [k1, k2] = camera.distortion;
  const scale = camera.focus * (1 + k1 * square + k2 * square * square);
  return [u * scale + camera.principal[0], v * scale + camera.principal[1]];
}

/** How far from a feature that is, weighted. */
export function residual(camera: Camera, point: Triple, weight: number, feature: Pair): Pair {
  const [x, y] = project(camera, point);
  return [weight * (x - feature[0]), weight * (y - feature[1])];
}

function cameraAt({ cameras }: Scene, k: number): Camera {
  const at = k * cameraSize;
  return {
    rotation: [cameras[at], cameras[at + 1], cameras[at + 2]],
    centre: [cameras[at + 3], cameras[at + 4], cameras[at + 5]],
    focus: cameras[at + 6],
    principal: [cameras[at + 7], cameras[at + 8]],
    distortion: [cameras[at + 9], cameras[at + 10]],
  };
}

function pointAt({ points }: Scene, k: number): Triple {
  const at = k * pointSize;
  return [points[at], points[at + 1], points[at + 2]];
}

function featureAt({ features }: Scene, k: number): Pair {
  return [features[2 * k], features[2 * k + 1]];
}

/** The errors of all observations, two each, and those of their weights. */
export function errors(scene: Scene) {
  const { weights, cameraOf, pointOf } = scene;
  const count = weights.length;
  const projection = new Float64Array(2 * count);
  const weight = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const camera = cameraAt(scene, cameraOf[i]);
    const point = pointAt(scene, pointOf[i]);
    const [x, y] = residual(camera, point, weights[i], featureAt(scene, i));
    projection[2 * i] = x;
    projection[2 * i + 1] = y;
    weight[i] = 1 - weights[i] * weights[i];
  }
  return { projection, weight };
}

/** One row of a block. */
function store(
  values: Float64Array,
  at: number,
  [camera, point, weight]: readonly [Camera, Triple, number],
): void {
  const { rotation, centre, focus, principal, distortion } = camera;
  const row = [...rotation, ...centre, focus, ...principal, ...distortion, ...point, weight];
  row.forEach((value, k) => {
    values[at + k] = value;
  });
}

/** The entries of the Jacobian: for each observation two rows, then a number for each weight. */
export function entries(scene: Scene): Float64Array {
  const { weights, cameraOf, pointOf } = scene;
  const count = weights.length;
  const values = new Float64Array((2 * blockSize + 1) * count);
  for (let i = 0; i < count; i++) {
    const camera = cameraAt(scene, cameraOf[i]);
    const point = pointAt(scene, pointOf[i]);
    const feature = featureAt(scene, i);
    const [, pullback] = vjp(
      (c: Camera, p: Triple, w: number) => residual(c, p, w, feature),
      camera,
      point,
      weights[i],
    );
    const at = 2 * blockSize * i;
    store(values, at, pullback([1, 0]));
    store(values, at + blockSize, pullback([0, 1]));
    values[2 * blockSize * count + i] = -2 * weights[i];
  }
  return values;
}

export const value = compile(errors);
export const blocks = compile(entries);

interface Input extends Runs {
  readonly n: number;
  readonly m: number;
  readonly p: number;
  readonly cam: readonly number[];
  readonly x: readonly number[];
  readonly w: number;
  readonly feat: readonly number[];
}

/** The message has one camera, one point, one weight and one feature, for all. */
function repeated(values: readonly number[], count: number): Float64Array {
  const all = new Float64Array(values.length * count);
  for (let k = 0; k < count; k++) all.set(values, k * values.length);
  return all;
}

export function sceneOf({ n, m, p, cam, x, w, feat }: Input): Scene {
  return {
    cameras: repeated(cam, n),
    points: repeated(x, m),
    weights: repeated([w], p),
    features: repeated(feat, p),
    cameraOf: Int32Array.from({ length: p }, (_, k) => k % n),
    pointOf: Int32Array.from({ length: p }, (_, k) => k % m),
  };
}

/** Where each row of the Jacobian begins, and in which columns its entries are. */
function pattern(
  { cameraOf, pointOf }: Scene,
  { n, m, p }: Input,
  rows: Int32Array,
  cols: Int32Array,
) {
  let at = 0;
  let row = 0;
  const place = (start: number, count: number): void => {
    for (let k = 0; k < count; k++) cols[at++] = start + k;
  };
  for (let i = 0; i < p; i++) {
    for (let side = 0; side < 2; side++) {
      place(cameraSize * cameraOf[i], cameraSize);
      place(cameraSize * n + pointSize * pointOf[i], pointSize);
      place(cameraSize * n + pointSize * m + i, 1);
      rows[++row] = at;
    }
  }
  for (let i = 0; i < p; i++) {
    place(cameraSize * n + pointSize * m + i, 1);
    rows[++row] = at;
  }
}

/** The first thirty of many numbers, and the last. */
function sample(values: Float64Array | Int32Array): readonly number[] {
  return [...values.subarray(0, 30), values[values.length - 1]];
}

export const objective: Prepare<Input> = (input) => {
  const scene = sceneOf(input);
  return work(
    () => value(scene),
    ({ projection, weight }) => ({
      reproj_error: { elements: [projection[0], projection[1]], repeated: input.p },
      w_err: { element: weight[0], repeated: input.p },
    }),
  );
};

export const jacobian: Prepare<Input> = (input) => {
  const scene = sceneOf(input);
  const rows = new Int32Array(3 * input.p + 1);
  const cols = new Int32Array((2 * blockSize + 1) * input.p);
  return work(
    () => {
      pattern(scene, input, rows, cols);
      return blocks(scene);
    },
    (values) => ({ rows: sample(rows), cols: sample(cols), vals: sample(values) }),
  );
};
