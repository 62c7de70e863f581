/**
 * Runs what ships of a program on the device of the process that it is in: Node, or a page, which
 * has this file and the runtime alone.
 */

import type { DType, GpuCode, Manifest, WebglCode, WebgpuCode } from "../../runtime/manifest.ts";

/** A program as it ships. */
export interface Shipped<T extends GpuCode["kind"] = GpuCode["kind"]> {
  readonly manifest: Manifest;
  readonly code: Extract<GpuCode, { readonly kind: T }>;
}

/** An array, as plain data. */
export interface Elements {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Tensor extends Omit<Elements, "data"> {
  readonly data: () => Promise<ArrayLike<number>>;
}

type Load<C> = (manifest: Manifest, code: C) => (...args: readonly unknown[]) => unknown;

/** What we call of the runtime. */
export interface Runtime {
  readonly loadWebgpu: Load<WebgpuCode>;
  readonly loadWebgl?: Load<WebglCode>;
  readonly tensor: (data: readonly number[], shape: readonly number[], dtype: DType) => Tensor;
}

/** A program as a function of arrays; scalars that are no floating-point numbers are passed as such. */
export function runnerOf(
  { loadWebgpu, loadWebgl, tensor }: Runtime,
  { manifest, code }: Shipped,
): (inputs: readonly Elements[]) => Promise<Elements[]> {
  const program = code.kind === "webgpu" ? loadWebgpu(manifest, code) : loadWebgl?.(manifest, code);
  if (program === undefined) throw new Error(`there is no ${code.kind} here`);
  return async (inputs) => {
    const given = inputs.map(({ dtype, shape, data }): unknown => {
      const isFloat = dtype === "f64" || dtype === "f32" || dtype === "f16";
      if (shape.length > 0 || isFloat) return tensor(data, shape, dtype);
      return dtype === "bool" ? data[0] !== 0 : data[0];
    });
    const results = program(...given) as readonly Tensor[];
    const read = async (result: Tensor): Promise<Elements> => {
      const { dtype, shape } = result;
      return { dtype, shape, data: Array.from(await result.data()) };
    };
    return Promise.all(results.map(read));
  };
}
