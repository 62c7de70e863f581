import { compile } from "fluxion";

const f = (x: Float64Array) => {
  const n = x.length;
  const doubled = new Float64Array(n);
  for (let i = 0; i < n; i++) doubled[i] = x[i] * 2;
  doubled[0] += 1;
  const weights = [0.5, 0.25, 0.125];
  let sum = 0;
  for (let i = 0; i < 3; i++) sum += weights[i] * doubled[i];
  const counts = new Array(4).fill(0);
  for (let i = 0; i < n; i++) counts[Math.abs(Math.floor(x[i])) % 4] += 1;
  const bytes = new Uint8Array(2);
  bytes[0] = 300;
  bytes[1] = -1;
  const ints = new Int32Array(2);
  ints[0] = 2 ** 31;
  ints[1] = -1.9;
  const singles = new Float32Array(1);
  singles[0] = 0.1;
  return {
    doubled,
    sum,
    counts: counts[0] + 10 * counts[1],
    bytes,
    ints,
    singles,
    first: bytes[0] + ints[1],
  };
};
const compiled = compile(f);

export const main = () => compiled(new Float64Array([1.5, -2.25, 3, 4]));
