import { compile, grad } from "fluxion";

export const f = compile((x: number) => {
  let calls = 0;
  const square = (y: number) => {
    calls++;
    return y * y;
  };
  return grad(square)(x) + calls;
});
