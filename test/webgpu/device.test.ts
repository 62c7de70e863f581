/** Which device `fluxion run` finds, and what it says where there is none. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { deviceEnvironment } from "../../transformer/cli/device.ts";
import { swiftShaderEnvironment } from "../../transformer/cli/swiftShader.ts";
import { UserError } from "../../transformer/cli/userError.ts";

beforeEach(() => {
  // As on a machine without a driver.
  vi.stubEnv("VK_DRIVER_FILES", "/there/is/none.json");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test("without a card and without SwiftShader, it says what to install", () => {
  const find = (): unknown => deviceEnvironment(() => undefined);
  expect(find).toThrow(UserError);
  expect(find).toThrow(
    "fluxion: WebGPU is there, and no graphics device that it can use: update the driver, or " +
      'compile with target: "wasm", or install @sparticuz/chromium',
  );
});

test("with a SwiftShader that is not there, it says what is missing of the card", () => {
  const find = (): unknown => deviceEnvironment(() => ({ VK_DRIVER_FILES: "/nor/here.json" }));
  expect(find).toThrow("update the driver");
});

test("without a card it takes SwiftShader, and says so", () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const software = swiftShaderEnvironment();
  expect(software).toHaveProperty("VK_ICD_FILENAMES");
  expect(deviceEnvironment()).toEqual(software);
  expect(said.mock.calls).toEqual([
    ["no graphics card found: WebGPU runs on SwiftShader, slowly\n"],
  ]);
});

test("what finds a device needs nothing", () => {
  for (const [name, value] of Object.entries(swiftShaderEnvironment() ?? {})) {
    vi.stubEnv(name, value);
  }
  expect(deviceEnvironment()).toEqual({});
});
