import { compile } from "fluxion";

/** Whether a field is there is not known when this is compiled. */
export const f = compile((r: { a: number; b?: number }) => r.a + (r.b ?? 100));

class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
}
export const g = compile((x: number) => new Point(x).x);
