import { jacrev, compile } from "fluxion";

export const f = compile((x: Float64Array) => {
  let value = 0;
  for (value of x) if (value > 1) break;
  return value;
});

/** Which of the fields would be the columns? */
export const g = compile((points: readonly { x: number; y: number }[]) =>
  jacrev((given: readonly { x: number; y: number }[]) => given.reduce((s, p) => s + p.x, 0))(points),
);
