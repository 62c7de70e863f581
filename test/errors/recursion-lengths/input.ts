import { compile } from "fluxion";

function halves(values: Float64Array): number {
  const half = Math.floor(values.length / 2);
  if (half === 0) return values[0];
  const rest = new Float64Array(half);
  for (let k = 0; k < half; k++) rest[k] = values[2 * k];
  return values[1] * halves(rest);
}

export const f = compile((values: Float64Array) => halves(values));
