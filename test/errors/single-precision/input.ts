import { compile, grad, type Tensor } from "fluxion";

/** Numbers and typed arrays of doubles, which become singles: in, out, captured. */
const square = (x: number): number => x * x;
export const a = compile(square, { target: "webgpu" });
export const b = compile((x: Float64Array): Float32Array => new Float32Array(x.length), {
  target: "webgpu",
});
export const c = compile(grad(square), { target: "webgpu" });

/** Singles, and what has no fraction, stay what they are. */
export const d = compile((x: Float32Array, y: Tensor<[2]>) => ({ x: x.slice(), y: y.neg() }), {
  target: "webgpu",
});
export const e = compile((x: Int32Array) => x.length > 2, { target: "webgpu" });
export const f = compile(square, { target: "js" });
