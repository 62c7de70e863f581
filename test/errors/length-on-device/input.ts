import { compile, tensor } from "fluxion";

export const a = compile((n: number) => tensor(new Float32Array(n).fill(2)), {
  target: "webgpu",
});

/** Both come as a promise. */
export const b = compile(
  (x: Float32Array, from: number) => ({ rest: tensor(x.slice(from)), count: x.length - from }),
  { target: "webgpu" },
);
