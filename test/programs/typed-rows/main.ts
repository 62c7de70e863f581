import { compile } from "fluxion";

/** Lists of typed arrays, indexed by what is known when the program runs, stay what they are. */
const compiled = compile((k: number) => {
  const rows = [new Float64Array(2), new Float64Array(2), new Float64Array(2)];
  for (let i = 0; i < 2; i++) rows[k]![i] = i + k;
  const built = Array.from({ length: 3 }, () => new Float64Array(2));
  built[k]![1] = 5;
  const single = [new Float32Array(1), new Float32Array(1)];
  single[k]![0] = 0.1;
  const whole = [Int32Array.of(1, 2), Int32Array.of(3, 4)];
  whole[k]![0]! += 2.5;
  const sums = rows.map((row) => row[0]! + row[1]!);
  const copies = Array.from(rows);
  return {
    rows,
    built,
    single: single[k]![0]!,
    whole,
    sums,
    copies,
    kinds: [Array.isArray(rows), Array.isArray(rows[k]!), Array.isArray(sums)],
  };
});

export const main = () => [compiled(0), compiled(1)];
