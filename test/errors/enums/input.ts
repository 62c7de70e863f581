import { compile } from "fluxion";

enum Mode {
  Explicit,
  Other = Math.random(),
}
enum Name {
  Sum = "sum",
  Mean = "mean",
}

/** A member that the run gives its value is not known. */
export const a = compile((x: number) => x + Mode.Other);
export const b = compile((x: number) => x + (Mode as unknown as { There: number }).There);
export const c = compile((k: number) => Mode[k]!.length);
export const d = compile((name: Name) => (name === Name.Sum ? 1 : 2));
