#!/usr/bin/env node
// Starts the command on a Node that can run it: this one, or the one installed by `node` from npm.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const own = fileURLToPath(import.meta.url);
const packageFolder = dirname(dirname(own));
const main = join(packageFolder, "dist/transformer/cli/main.js");

/** @param {string} from */
function installedNode(from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const node = join(folder, "node_modules/node/bin/node");
    if (existsSync(node)) return node;
    if (dirname(folder) === folder) return undefined;
  }
}

if (!existsSync(main)) {
  console.error("fluxion: dist/ is missing; run `npm run build` in the package first.");
  process.exit(1);
}
if (Number(process.versions.node.split(".")[0]) >= 22) {
  await import(new URL("../dist/transformer/cli/main.js", import.meta.url).href);
} else if (process.env.FLUXION_NODE === "1") {
  console.error(`fluxion needs Node 22 or newer, and this is ${process.version}.`);
  process.exit(1);
} else {
  const node = installedNode(process.cwd()) ?? installedNode(packageFolder);
  if (node === undefined) {
    console.error(
      `fluxion needs Node 22 or newer, and this is ${process.version}. ` +
        "Install a newer Node, or run `npm install --save-dev node@24` in the project.",
    );
    process.exit(1);
  }
  const { status, signal } = spawnSync(node, [own, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, FLUXION_NODE: "1" },
  });
  process.exit(signal === null ? (status ?? 1) : 130);
}
