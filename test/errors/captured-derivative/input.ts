import { compile, customJvp, grad } from "fluxion";

export const a = compile((x: number) =>
  grad((y: number) => {
    const scaled = customJvp(
      (z: number) => z * y,
      ([z], [dz]) => [z * y, dz * y],
    );
    return scaled(y);
  })(x),
);
