import { compile } from "fluxion";

interface Point {
  x: number;
  y: number;
}

/** The argument belongs to the caller, with all that is in it. */
export const a = compile((points: Point[]) => {
  points[0]!.x = 1;
  return points;
});

/** A record that was replaced is no longer in the array. */
export const b = compile((points: readonly Point[], k: number) => {
  const own = points.map((p) => ({ x: p.x, y: p.y }));
  const old = own[k]!;
  own[k] = { x: 1, y: 2 };
  return old.x;
});

/** A record that was put into the array is the array's. */
export const c = compile((points: readonly Point[], k: number) => {
  const own = points.map((p) => ({ x: p.x, y: p.y }));
  const given = { x: 1, y: 2 };
  own[k] = given;
  own[0]!.x = 5;
  return given.x;
});

/** Records are not numbers. */
export const d = compile((points: readonly Point[]) => Float64Array.from(points as never));
