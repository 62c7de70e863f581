/** The house keeps its order: imports point one way, and what the documents name is there. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

/** A folder may import from those before it, and from itself. */
const layers = [
  "runtime",
  "compiler/diagnostics",
  "compiler/ir",
  "compiler/ops",
  "compiler/passes",
  "compiler/autodiff",
  "compiler/partition",
  "compiler/kernel",
  "compiler/targets",
  "compiler/readable",
  "compiler/compile.ts",
  "lang",
  "transformer",
];

function sourceFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  if (folder.endsWith(".ts")) return [folder];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.posix.join(folder, name));
}

function layerOf(file: string): number {
  return layers.findIndex((layer) => file === layer || file.startsWith(`${layer}/`));
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) =>
    path.posix.join(path.posix.dirname(file), match[1] ?? ""),
  );
}

describe("imports", () => {
  test.each(layers)("%s imports only from what stands before it", (layer) => {
    const rank = layers.indexOf(layer);
    const breaches = sourceFiles(layer).flatMap((file) =>
      importsOf(file)
        .filter((target) => layerOf(target) > rank)
        .map((target) => `${file} imports ${target}`),
    );
    expect(breaches).toEqual([]);
  });

  test("the runtime imports nothing but itself", () => {
    const outside = sourceFiles("runtime").flatMap((file) =>
      importsOf(file).filter((target) => !target.startsWith("runtime/")),
    );
    expect(outside).toEqual([]);
  });

  test("the standard library imports only the language and itself", () => {
    const outside = sourceFiles("stdlib").flatMap((file) =>
      importsOf(file).filter((target) => !/^(lang|stdlib)\//.test(target)),
    );
    expect(outside).toEqual([]);
  });
});

describe("documents", () => {
  test.each(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])(
    "%s names what is there",
    (name) => {
      const text = readFileSync(name, "utf8");
      const named = [...text.matchAll(/`((?:[\w-]+\/)+[\w.-]*)`/g)].map((match) => match[1] ?? "");
      const missing = named.filter((file) => !file.startsWith("fluxion/") && !existsSync(file));
      expect(missing).toEqual([]);
    },
  );
});
