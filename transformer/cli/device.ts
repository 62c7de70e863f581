/** The graphics device of programs that the command starts: a card, or SwiftShader in its place. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { swiftShaderEnvironment } from "./swiftShader.ts";
import { UserError } from "./userError.ts";

type Environment = Readonly<Record<string, string>>;

/**
 * What a process needs besides the environment of this one to find a device. Throws a `UserError`
 * that says what is missing where there is none.
 */
export function deviceEnvironment(
  findSoftware: () => Environment | undefined = swiftShaderEnvironment,
): Environment {
  const missing = whatIsMissing({});
  if (missing === undefined) return {};
  const software = findSoftware();
  if (software === undefined) {
    throw new UserError(
      `fluxion: ${missing}, or install @sparticuz/chromium, with whose SwiftShader programs run on ` +
        "the processor in its place (npm install --save-dev @sparticuz/chromium)",
    );
  }
  if (whatIsMissing(software) !== undefined) throw new UserError(`fluxion: ${missing}`);
  process.stderr.write("no graphics card found: WebGPU runs on SwiftShader, slowly\n");
  return software;
}

/** As `deviceEnvironment`, for programs that do without a device: they report why there is none. */
export function deviceEnvironmentIfAny(findSoftware?: () => Environment | undefined): Environment {
  try {
    return deviceEnvironment(findSoftware);
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}

/** Asks for a device in another process, since a driver is found as a process starts. */
function whatIsMissing(environment: Environment): string | undefined {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const probe = fileURLToPath(new URL(`./findDevice.${extension}`, import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [probe], {
    env: { ...process.env, ...environment },
    encoding: "utf8",
    // A driver may hang.
    timeout: 30_000,
  });
  if (status === 0) return undefined;
  const fallback =
    'the driver of the graphics device fails: update it, or compile with target: "wasm"';
  return stdout === "" ? fallback : stdout;
}
