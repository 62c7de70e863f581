/** The sparse Jacobian of an example against differences of its plain function. */

import path from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { residual, solveTridiagonal } from "../../examples/10-boundary-value/model.ts";
import { load, type Program } from "../../runtime/load.ts";
import { rowOf } from "../../runtime/sparse/colouring.ts";
import { jacobianBy, patternOf } from "../../runtime/sparse/index.ts";
import { readFile } from "../../transformer/plan.ts";
import { ProjectCache } from "../../transformer/project.ts";

const size = 9;
const wave = (phase: number): Float64Array =>
  Float64Array.from({ length: size }, (_, k) => 0.5 + Math.sin(1.7 * k + phase));
const rest = [wave(1), 3, { left: 1, right: 0.2 }] as const;
const projects = new ProjectCache();

describe.each(["js", "wasm"] as const)("on %s", (target) => {
  const programs = async (name: string): Promise<readonly Program[]> => {
    const source = path.resolve("examples/10-boundary-value/main.ts");
    const { world, program } = projects.projectOf(source);
    const root = readFile(world, program.getSourceFile(source)!).roots.find(
      (one) => one.name === name,
    )!;
    return Promise.all(
      root.programs.map(async ({ graph, signature }) => {
        const { manifest, code } = await compile(graph, signature, { target });
        return load(manifest, code);
      }),
    );
  };

  test("10-boundary-value", async () => {
    const [masks] = await programs("pattern");
    const [forward, reverse] = await programs("jacobian");
    // No point where the wind turns: there the residual has a kink.
    const u = wave(0.3);
    const pattern = patternOf(masks!, 0)(u, ...rest);
    expect(pattern.colouring("columns").count).toBe(3);
    const v = wave(2);
    const h = 1e-5;
    const at = (t: number): Float64Array =>
      residual(
        u.map((x, k) => x + t * v[k]!),
        ...rest,
      );
    const [a, b, c, d] = [at(-2 * h), at(-h), at(h), at(2 * h)];
    for (const [one, other] of [
      [forward, undefined],
      [undefined, reverse],
    ] as const) {
      const { rowPointers, values } = jacobianBy(one, other)(pattern, u, ...rest);
      const along = Float64Array.from({ length: size }, (_, i) =>
        rowOf(pattern, i).reduce((sum, j, k) => sum + values[rowPointers[i]! + k]! * v[j]!, 0),
      );
      along.forEach((slope, i) => {
        const byDifferences = (a[i]! - 8 * b[i]! + 8 * c[i]! - d[i]!) / (12 * h);
        expect(Math.abs(slope - byDifferences)).toBeLessThan(1e-6 * Math.abs(slope) + 1e-6);
      });
      // What the example solves with: J x = r.
      const x = solveTridiagonal(values, v);
      const back = Float64Array.from({ length: size }, (_, i) =>
        rowOf(pattern, i).reduce((sum, j, k) => sum + values[rowPointers[i]! + k]! * x[j]!, 0),
      );
      back.forEach((value, i) => expect(value).toBeCloseTo(v[i]!, 8));
    }
  });
});
