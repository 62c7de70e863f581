/** Programs in `apps/`, bundled and minified by esbuild, ours with the plugin. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build, type BuildOptions, type Metafile } from "esbuild";
import { fluxion } from "fluxion/esbuild";

const apps = path.join(import.meta.dirname, "apps");
const out = path.join(import.meta.dirname, "out/apps");

const options: BuildOptions & { readonly metafile: true } = {
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  metafile: true,
  logLevel: "silent",
  plugins: [fluxion()],
};

/** What TensorFlow.js expects of Node's older kind of module. */
const commonJs = [
  'import { createRequire } from "node:module";',
  "const require = createRequire(import.meta.url);",
  "const __dirname = import.meta.dirname;",
].join("\n");

/** A program for Node: the file to run. */
export async function bundleForNode(app: string): Promise<string> {
  await build({
    ...options,
    entryPoints: [path.join(apps, `${app}.ts`)],
    outdir: path.join(out, app),
    outExtension: { ".js": ".mjs" },
    platform: "node",
    mainFields: ["module", "main"],
    banner: { js: app.endsWith("Tfjs") ? commonJs : "" },
  });
  return path.join(out, app, `${app}.mjs`);
}

/** The gzipped bytes of a program for a page: all that it loads at once, and the files named. */
export async function gzippedBytes(app: string, files: readonly string[] = []): Promise<number> {
  const { metafile, outputFiles = [] } = await build({
    ...options,
    entryPoints: [path.join(apps, `${app}.ts`)],
    outdir: path.join(out, `${app}-page`),
    platform: "browser",
    external: ["node:*"],
    write: false,
  });
  const needed = loadedAtOnce(metafile, app);
  const texts = outputFiles.filter(({ path: file }) =>
    needed.has(path.relative(process.cwd(), file)),
  );
  if (texts.length !== needed.size) throw new Error(`${app} lacks a part`);
  const parts = [
    ...texts.map(({ contents }) => contents),
    ...files.map((file) => readFileSync(file)),
  ];
  return parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
}

/** The entry, and what it imports other than on demand. */
function loadedAtOnce({ outputs }: Metafile, app: string): ReadonlySet<string> {
  const entry = Object.keys(outputs).find((file) => file.endsWith(`/${app}.js`));
  const needed = new Set<string>();
  const visit = (file: string): void => {
    if (needed.has(file)) return;
    needed.add(file);
    for (const { path: other, kind, external } of outputs[file]?.imports ?? []) {
      if (kind === "import-statement" && external !== true) visit(other);
    }
  };
  if (entry !== undefined) visit(entry);
  return needed;
}

/** Where TensorFlow.js has its WebAssembly, which it loads at run time. */
export function tfjsWasmFolder(): string {
  return path.join(import.meta.dirname, "node_modules/@tensorflow/tfjs-backend-wasm/dist/");
}
