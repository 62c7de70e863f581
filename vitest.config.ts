import { defineConfig } from "vitest/config";
import { swiftShaderEnvironment } from "./transformer/cli/swiftShader.ts";

// Workers find WebGPU: on the machine's own graphics card only where somebody says so.
if (process.env["FLUXION_ADAPTER"] !== "hardware") {
  Object.assign(process.env, swiftShaderEnvironment());
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/long/**"],
    reporters: ["default", "./test/totals.ts"],
    // Programs are compiled in tests; two cores are what the project is tested on.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
