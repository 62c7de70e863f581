/** A Chromium for WebGL outside of pages: one that is installed, or the one from npm. */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome"];

/** Without a graphics card WebGL runs on SwiftShader. */
export const flags: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--enable-unsafe-swiftshader",
];

/** For the Chromium from npm, which comes with no driver but SwiftShader. */
export const softwareFlags: readonly string[] = ["--use-angle=swiftshader"];

export interface Browser {
  readonly path: string;
  readonly flags: readonly string[];
}

export async function findChromium(): Promise<Browser | undefined> {
  const named = process.env["CHROMIUM_PATH"];
  if (named !== undefined && existsSync(named)) return { path: named, flags };
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const found = names.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined) return { path: found, flags };
  }
  try {
    const name = "@sparticuz/chromium";
    const { default: chromium } = (await import(name)) as {
      readonly default: { readonly executablePath: () => Promise<string> };
    };
    return { path: await chromium.executablePath(), flags: [...flags, ...softwareFlags] };
  } catch {
    return undefined;
  }
}
