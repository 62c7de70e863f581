import { compile } from "fluxion";

/** A slice has the same rows. */
export const made = compile((n: number) => {
  const rows = Array.from({ length: n }, () => new Float64Array(2));
  const same = rows.slice();
  same[0]![0] = 1;
  return rows;
});

export const given = compile((rows: readonly Float64Array[]) => {
  const same = rows.slice(1);
  same[0]![0] = 1;
  return same;
});

export const records = compile((points: readonly { x: number }[]) => {
  const own = points.map(({ x }) => ({ x }));
  const same = own.slice();
  own[0]!.x = 1;
  return same;
});

/** Rows that are put in, and copies of rows, are no one else's. */
export const fine = compile((rows: readonly Float64Array[]) => {
  const same = rows.slice();
  same[0] = Float64Array.of(1, 2);
  const own = rows.map((row) => row.slice());
  own[0]![0] = 1;
  return { same, own };
});
