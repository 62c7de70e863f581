/** Packages that ship their sources: read through their declarations, again when they change. */

import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, expect, it } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { expand } from "../../compiler/autodiff/expand.ts";
import { ndarray } from "../../compiler/ir/ndarray.ts";
import { rootOf } from "../../compiler/ir/types.ts";
import { plan, readFile } from "../../transformer/plan.ts";
import { ProjectCache, sourcePaths } from "../../transformer/project.ts";

const folder = path.join(import.meta.dirname, "out/sources");
const main = path.join(folder, "main.ts");
const source = path.join(folder, "node_modules/scales/src/index.ts");
let clock = 1_700_000_000;

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  // Times of files are what tells a change; two in one test may be too close.
  clock += 10;
  utimesSync(file, clock, clock);
}

const scaleBy = (factor: number): string =>
  `import { factor } from "./factor.ts";\nexport const scale = (x: number): number => factor(x) * ${factor};\n`;

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  const at = (name: string): string => path.join(folder, "node_modules/scales", name);
  write(
    at("package.json"),
    '{ "name": "scales", "type": "module", "types": "dist/index.d.ts", "exports": { ".": { "types": "./dist/index.d.ts" } } }',
  );
  write(
    at("dist/index.d.ts"),
    "export declare function scale(x: number): number;\n//# sourceMappingURL=index.d.ts.map\n",
  );
  write(at("dist/index.d.ts.map"), '{ "version": 3, "sources": ["../src/index.ts"] }');
  write(source, "export function scale(x: number): number {\n  return x * 3;\n}\n");
  write(
    main,
    'import { compile } from "fluxion";\nimport { scale } from "scales";\nexport const f = compile((x: number) => scale(x) + 1);\n',
  );
});

it("are read again when they change, and kept while they do not", async () => {
  const projects = new ProjectCache({ paths: sourcePaths() });
  const call = async (text?: string): Promise<number> => {
    const { world, program } = projects.projectOf(main, text);
    const file = program.getSourceFile(main);
    if (file === undefined) throw new Error("the file is in no program");
    expect((await plan(world, file, { compile })).diagnostics).toEqual([]);
    const graph = readFile(world, file).roots[0]?.programs[0]?.graph;
    if (graph === undefined) throw new Error("there is no program");
    const [result] = interpret(rootOf(expand(graph)), [ndarray("f64", [], [2])]);
    return result?.data[0] ?? NaN;
  };
  expect(await call()).toBe(7);
  projects.changed(main);
  expect(await call()).toBe(7);
  write(source, "export function scale(x: number): number {\n  return x * 5;\n}\n");
  projects.changed(source);
  expect(await call()).toBe(11);
  // A file more, beside it
  write(
    path.join(path.dirname(source), "factor.ts"),
    "export const factor = (x: number) => x + 1;\n",
  );
  write(source, scaleBy(2));
  projects.changed(source);
  expect(await call()).toBe(7);
  write(
    path.join(path.dirname(source), "factor.ts"),
    "export const factor = (x: number) => x + 4;\n",
  );
  projects.changed(source);
  expect(await call()).toBe(13);
});
