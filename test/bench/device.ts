/**
 * What the systems of this run compute on: processors, or `--devices webgpu` or `webgl`, a graphics
 * device that all of them share. The processes that measure learn it from their environment.
 */

export const devices = ["wasm", "webgpu", "webgl"] as const;
export type Device = (typeof devices)[number];

export const deviceVariable = "FLUXION_BENCH_DEVICE";

const at = process.argv.indexOf("--devices");
const asked = process.env[deviceVariable] ?? (at < 0 ? "wasm" : process.argv[at + 1]);

export const device: Device = devices.find((name) => name === asked) ?? "wasm";

/** Gives a process of Node `navigator.gpu`, which the peers look for. */
export async function provideWebgpu(): Promise<void> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  if ("gpu" in globalThis.navigator) return;
  Object.defineProperty(globalThis.navigator, "gpu", { value: create([]) });
}
