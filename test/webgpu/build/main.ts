/** Roots that name no target, in a build for a WebGPU device. */

import { compile, type Dim, grad, sparsity, type Tensor, tensor } from "fluxion";

const energy = <N extends Dim>(x: Tensor<[N]>) => x.square().sum();
export const value = compile(energy);
export const slope = grad(energy);

/** Numbers, and arrays of them, come at once. */
export const number = grad((x: number) => x ** 3);
export const mixed = compile(<N extends Dim>(x: Tensor<[N]>) => ({ y: x.neg(), n: x.shape[0] }));
/** So does a tensor of a length that is computed. */
export const rest = compile((x: Float32Array, from: number) => tensor(x.slice(from)));
export const pattern = sparsity((x: Float32Array) => x.map((v) => v * v));
export const here = compile(energy, { target: "js" });
