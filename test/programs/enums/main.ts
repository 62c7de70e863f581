import { compile, grad } from "fluxion";
import { Inlined, Shared } from "./modes.ts";
import * as modes from "./modes.ts";

enum Mode {
  Explicit,
  Midpoint,
  Mask = (1 << 3) | Midpoint,
  "with a space" = 0.5,
}
const enum Fast {
  A = 2,
  B = A * 2,
}
enum Name {
  Sum = "sum",
  Mean = "mean",
}
const usual = Mode.Mask;
const table = [Mode.Midpoint, Shared.High, 7];

const chosen = (x: number, mode: Mode): number => {
  switch (mode) {
    case Mode.Explicit:
      return x * x;
    case Mode.Midpoint:
      return Math.sin(x);
    default:
      return x / 2;
  }
};
const named = (name: Name, a: number, b: number): number =>
  name === Name.Sum ? a + b : (a + b) / 2;

const values = compile((x: number, mode: Mode, steps: { mode: Mode; at: [Shared, number] }[]) => {
  enum Inner {
    A = 3,
  }
  return {
    chosen: chosen(x, mode),
    known: [chosen(x, Mode.Explicit), chosen(x, Mode.Midpoint), chosen(x, Mode.Mask)],
    members: [Mode.Explicit, Mode["with a space"], Mode["Mask"], Fast.B, Inner.A],
    imported: [Shared.Low, Inlined.Two, modes.Shared.High, modes.Inlined.One],
    named: [named(Name.Sum, x, 1), named(Name.Mean, x, 1)],
    host: [usual, table[mode], table.length],
    isMask: mode === Mode.Mask,
    bits: Mode.Mask & 1,
    steps: steps.map(({ mode: m, at: [s, v] }) => chosen(v, m) * s),
  };
});
const slope = grad((x: number, mode: Mode) => chosen(x, mode) * Fast.A);

const slopes = () => [slope(0.5, Mode.Explicit), slope(0.5, Mode.Midpoint), slope(0.5, Mode.Mask)];
const all = (given: readonly number[]) => [
  values(3, Mode.Explicit, []),
  values(2, Mode.Midpoint, [
    { mode: Mode.Midpoint, at: [Shared.High, 0.5] },
    { mode: Mode.Explicit, at: [Shared.Low, 3] },
  ]),
  given,
];
export const main = () => all(slopes());
export const expected = () => all([2, 2 * Math.cos(0.5), 1]);
export const tolerance = 1e-14;
