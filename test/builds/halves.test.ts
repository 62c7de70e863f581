/** The published types of half precision, in projects whose `lib` has `Float16Array` or has it not. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../transformer/read/world.ts";

const root = packageRoot();
let folder = "";
beforeAll(() => {
  mkdirSync(join(root, "out"), { recursive: true });
  folder = mkdtempSync(join(root, "out/halves-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the checker says of a program against the built package, its declarations checked too. */
function errorsOf(name: string, text: string, libs: readonly string[]): readonly string[] {
  const file = join(folder, name);
  writeFileSync(file, text);
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: libs.map((lib) => `lib.${lib}.d.ts`),
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

const withoutHalves = ["es2024", "dom", "esnext.disposable"];

test("without Float16Array, f16 is there, and its elements are numbers", () => {
  const text = `import { compile, grad, tensor, type Tensor } from "fluxion";
export const weights: Tensor<[2], "f16"> = tensor([1, 2], [2], "f16");
export const f = compile((w: Tensor<[2], "f16">) => w.cast("f32").sum());
export const slopes = grad((w: Tensor<[2], "f16">) => w.cast("f32").sum());
export const first: number = weights.dataSync()[0]!;
export const all: number[] = [...weights.dataSync()];
export const single: Tensor<[1], "f32"> = tensor(new Float32Array(1), [1]);
const made = tensor([1], [1]);
// @ts-expect-error: singles are no halves
export const wrong: Tensor<[1], "f16"> = made;
`;
  expect(errorsOf("without.ts", text, withoutHalves)).toEqual([]);
});

test("with it, f16 is Float16Array", () => {
  const text = `import { grad, tensor, type DataOf, type Tensor } from "fluxion";
export const weights: Tensor<[2], "f16"> = tensor(new Float16Array(2), [2]);
export const data: Float16Array = weights.dataSync();
export const slope: (x: Float16Array) => Float16Array = grad((x: Float16Array) => x[0]! * 2);
// @ts-expect-error: halves are no singles
export const wrong: Float32Array = weights.dataSync();
export const same: DataOf<"f16"> = new Float16Array(1);
`;
  expect(errorsOf("with.ts", text, [...withoutHalves, "es2025.float16"])).toEqual([]);
});
