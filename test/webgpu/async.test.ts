/** Programs of which one half runs on the host, with the other half on a device. */

import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { asyncNames, difference, plainProgram, programWith } from "../programs/harness.ts";
import { devices } from "./devices.ts";

/** Of single precision, which is what the device computes in. */
const tolerance = 1e-4;

describe.each(asyncNames)("%s", (name) => {
  test.each([...devices, "auto"] as const)("does the same on %s", async (target) => {
    const plain = await plainProgram(name);
    const program = await programWith(name, { target, version: target, compile });
    const actual = await arrived(await program.main());
    const expected = await arrived(await (plain.expected ?? plain.main)());
    expect(difference(actual, expected, tolerance)).toBeUndefined();
  });
});

/** With elements instead of tensors, which are on the device. */
async function arrived(value: unknown): Promise<unknown> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if ("dataSync" in value) {
    const { shape, data } = value as unknown as {
      readonly shape: readonly number[];
      readonly data: () => Promise<ArrayLike<number>>;
    };
    return { shape, data: Array.from(await data.call(value)) };
  }
  if (Array.isArray(value)) return Promise.all(value.map(arrived));
  const entries = Object.entries(value).map(async ([key, part]) => [key, await arrived(part)]);
  return Object.fromEntries(await Promise.all(entries)) as unknown;
}
