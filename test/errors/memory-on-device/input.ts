import { compile, grad } from "fluxion";

/** The derivative keeps each round of a loop that the elements decide. */
function root(x: Float32Array): number {
  let y = x[0]!;
  while (y * y - x[0]! > 1e-3) y = 0.5 * (y + x[0]! / y);
  return y;
}
export const a = compile(
  (x: Float32Array) => Float32Array.from(grad((y: Float32Array) => root(y))(x)),
  { target: "webgpu" },
);

/** The loops around it are known. */
export const b = compile(
  (x: Float32Array, rounds: Int32Array) =>
    Float32Array.from(
      grad((y: Float32Array) => {
        let sum = 0;
        for (let i = 0; i < y.length; i++) {
          let power = y[i]!;
          for (let k = 0; k < rounds[i]!; k++) power *= Math.sin(power);
          sum += power;
        }
        return sum;
      })(x),
    ),
  { target: "webgpu" },
);

/** A length that is computed from elements. */
export const c = compile((x: Int32Array) => new Int32Array(x[0]!).fill(x[1]!), { target: "webgpu" });
