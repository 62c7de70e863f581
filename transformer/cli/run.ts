/** `fluxion run`: the program in a Node of its own, with the loader that compiles it. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { deviceEnvironment, deviceEnvironmentIfAny } from "./device.ts";
import { UserError } from "./userError.ts";

export async function run(
  file: string,
  args: readonly string[],
  options: { readonly target?: string; readonly check: boolean },
): Promise<void> {
  const main = resolve(file);
  if (!existsSync(main)) throw new UserError(`fluxion: there is no file ${file}`);
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const register = new URL(`../register.${extension}`, import.meta.url).href;
  const environment = {
    ...process.env,
    ...(options.target === "webgpu" ? deviceEnvironment() : {}),
    ...(options.target === "auto" ? deviceEnvironmentIfAny() : {}),
    FLUXION_RUN: "1",
    ...(options.target === undefined ? {} : { FLUXION_TARGET: options.target }),
    ...(options.check ? { FLUXION_CHECK: "1" } : {}),
  };
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", "--disable-warning=DEP0205", "--import", register, main, ...args],
    { stdio: "inherit", env: environment },
  );
  // Ctrl-C reaches the program itself, which ends as it likes; the command ends with it.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const code = await new Promise<number>((done) => {
    child.on("exit", (status, signal) => done(signal === null ? (status ?? 1) : 130));
    child.on("error", () => done(1));
  });
  process.off("SIGINT", ignore);
  process.exitCode = code;
}
