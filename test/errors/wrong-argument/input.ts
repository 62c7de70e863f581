import { compile, tensor } from "fluxion";

export const f = compile((x: number) => {
  const a = new Float64Array({ x } as never);
  const b = new Float64Array(-1);
  return tensor("abc" as never).sum();
});
