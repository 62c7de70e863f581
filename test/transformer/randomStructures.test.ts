/**
 * Arrays of random nested types as arguments: read, copied, written and given back, they are what they
 * are in JavaScript; gradients have their structure, and agree with differences.
 */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { runInThisContext } from "node:vm";
import fc from "fast-check";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";
import { compile, type HostTargetName } from "../../compiler/compile.ts";
import { load, type Program } from "../../runtime/index.ts";
import { readFile } from "../../transformer/plan.ts";
import { ProjectCache, sourcePaths } from "../../transformer/project.ts";
import { reportText } from "../../transformer/report.ts";
import { runs } from "../random/runs.ts";

/** A type of values; arrays have one length wherever they stand. */
type Type =
  | { readonly kind: "number" | "boolean" | "typed" | "halves" }
  | { readonly kind: "tuple" | "record"; readonly parts: readonly Type[] }
  | { readonly kind: "array"; readonly element: Type; readonly length: number };

function randomType(depth: number, leaves: readonly Type[]): fc.Arbitrary<Type> {
  const leaf = fc.constantFrom(...leaves);
  if (depth === 0) return leaf;
  const inner = randomType(depth - 1, leaves);
  const several = fc.record({
    kind: fc.constantFrom("tuple" as const, "record" as const),
    parts: fc.array(inner, { minLength: 1, maxLength: 3 }),
  });
  const array = fc.record({
    kind: fc.constant("array" as const),
    element: inner,
    length: fc.integer({ min: 1, max: 3 }),
  });
  return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 3, arbitrary: several }, array);
}

/** An array whose elements are more than numbers or truths. */
function randomArray(leaves: readonly Type[]): fc.Arbitrary<Type & { readonly kind: "array" }> {
  return fc
    .record({
      kind: fc.constant("array" as const),
      element: randomType(3, leaves).filter(({ kind }) => kind === "tuple" || kind === "record"),
      length: fc.integer({ min: 1, max: 3 }),
    })
    .filter((type) => !holdsTruths(type));
}

/** Arrays of truths are not among the arguments. */
function holdsTruths(type: Type): boolean {
  if (type.kind === "array") return type.element.kind === "boolean" || holdsTruths(type.element);
  return "parts" in type && type.parts.some(holdsTruths);
}

function typeText(type: Type): string {
  switch (type.kind) {
    case "typed":
      return "Float64Array";
    case "halves":
      return "Float16Array";
    case "tuple":
      return `[${type.parts.map(typeText).join(", ")}]`;
    case "record":
      return `{ ${type.parts.map((part, k) => `f${k}: ${typeText(part)}`).join("; ")} }`;
    case "array":
      return `${typeText(type.element)}[]`;
    default:
      return type.kind;
  }
}

/** A value of a type, from a counter. */
function sample(type: Type, count: { next: number }): unknown {
  switch (type.kind) {
    case "number":
      return Math.sin(++count.next * 12.9898) * 2;
    case "boolean":
      return ++count.next % 3 > 0;
    case "typed":
    case "halves": {
      const values = [0, 1].map(() => sample({ kind: "number" }, count) as number);
      return type.kind === "typed" ? Float64Array.from(values) : Float16Array.from(values);
    }
    case "tuple":
      return type.parts.map((part) => sample(part, count));
    case "record":
      return Object.fromEntries(type.parts.map((part, k) => [`f${k}`, sample(part, count)]));
    case "array":
      return Array.from({ length: type.length }, () => sample(type.element, count));
  }
}

/** An expression of a copy, with numbers changed. */
function copyText(type: Type, path: string, depth = 0): string {
  switch (type.kind) {
    case "number":
      return `${path} * 2`;
    case "boolean":
      return `!${path}`;
    case "typed":
    case "halves":
      return `${path}.map((t) => t + 1)`;
    case "tuple": {
      const names = type.parts.map((_, k) => `p${depth}${k}`);
      const inner = type.parts.map((part, k) => copyText(part, names[k] as string, depth + 1));
      return `(([${names.join(", ")}]: ${typeText(type)}): ${typeText(type)} => [${inner.join(", ")}])(${path})`;
    }
    case "record": {
      const parts = type.parts.map(
        (part, k) => `f${k}: ${copyText(part, `${path}.f${k}`, depth + 1)}`,
      );
      return `{ ${parts.join(", ")} }`;
    }
    case "array": {
      const body = copyText(type.element, `e${depth}`, depth + 1);
      return `${path}.map((e${depth}): ${typeText(type.element)} => (${body}))`;
    }
  }
}

/** The paths to the leaves, arrays indexed by `index(length)`. */
function leafPaths(
  type: Type,
  path: string,
  index: (length: number) => string,
): readonly { readonly kind: Type["kind"]; readonly path: string }[] {
  switch (type.kind) {
    case "typed":
    case "halves":
      return [{ kind: "number", path: `${path}[${index(2)}]!` }];
    case "tuple":
      return type.parts.flatMap((part, k) => leafPaths(part, `${path}[${k}]`, index));
    case "record":
      return type.parts.flatMap((part, k) => leafPaths(part, `${path}.f${k}`, index));
    case "array":
      return leafPaths(type.element, `${path}[${index(type.length)}]!`, index);
    default:
      return [{ kind: type.kind, path }];
  }
}

/** Statements that add up all leaves, in loops over the arrays. */
function sumText(type: Type, path: string, weight: (path: string) => string, depth = 0): string {
  const inner = (part: Type, at: string): string => sumText(part, at, weight, depth + 1);
  switch (type.kind) {
    case "number":
      return `sum += ${weight(path)};`;
    case "boolean":
      return `if (${path}) sum = sum * 0.5 + 1;`;
    case "typed":
    case "halves":
      return `for (const t of ${path}) sum += ${weight("t")};`;
    case "tuple":
      return type.parts.map((part, k) => inner(part, `${path}[${k}]`)).join("\n");
    case "record":
      return type.parts.map((part, k) => inner(part, `${path}.f${k}`)).join("\n");
    case "array": {
      const [i, e] = [`i${depth}`, `v${depth}`];
      return depth % 2 === 0
        ? `for (let ${i} = 0; ${i} < ${path}.length; ${i}++) {\n${inner(type.element, `${path}[${i}]!`)}\n}`
        : `for (const ${e} of ${path}) {\n${inner(type.element, e)}\n}`;
    }
  }
}

/** Reads, copies, writes by known and by unknown indices, and gives back. */
function valueFunction(type: Type): string {
  const written = leafPaths(type, "own", (length) => `k % ${length}`).map(({ kind, path }, n) =>
    kind === "boolean" ? `${path} = !${path};` : `${path} += ${n + 1} * x;`,
  );
  return `(given: ${typeText(type)}, k: number, x: number) => {
    const own = ${copyText(type, "given")};
    ${written.join("\n")}
    let sum = x;
    ${sumText(type, "own", (path) => `${path} * x`)}
    ${sumText(type, "given", (path) => path)}
    return { own, given, one: own[k % own.length]!, sum, tail: given.slice(1) };
  }`;
}

/** A smooth function, through a copy that is written. */
function smoothFunction(type: Type): string {
  const [first] = leafPaths(type, "own", (length) => `${length - 1}`);
  return `(given: ${typeText(type)}) => {
    const own = ${copyText(type, "given")};
    let sum = 0;
    ${sumText(type, "given", (path) => `Math.sin(${path} * (1 + 0.1 * sum))`)}
    ${first?.path} *= sum;
    ${sumText(type, "own", (path) => `${path} * ${path}`)}
    return sum;
  }`;
}

/** The numbers of a thing, in order; `replaced` is the thing with others in their place. */
function numbersOf(value: unknown): readonly number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" ? Object.values(value as object).flatMap(numbersOf) : [];
}
function replaced<T>(value: T, numbers: Iterator<number>): T {
  if (typeof value === "number") return numbers.next().value as T;
  if (value instanceof Float64Array) return value.map(() => numbers.next().value as number) as T;
  if (Array.isArray(value)) return value.map((part) => replaced(part, numbers)) as T;
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.map(([name, part]) => [name, replaced(part, numbers)])) as T;
}

function slopesOf(f: (value: unknown) => number, value: unknown): readonly number[] {
  const numbers = numbersOf(value);
  const h = 1e-4;
  return numbers.map((x, k) => {
    const at = (steps: number): number =>
      f(replaced(value, numbers.with(k, x + steps * h).values()));
    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
  });
}

const number: Type = { kind: "number" };
const leaves: readonly Type[] = [
  ...[number, number],
  ...(["boolean", "typed", "halves"] as const).map((kind) => ({ kind })),
];
const count = runs(40, 17);
const types = fc.sample(randomArray(leaves), count);
const smooth = fc.sample(randomArray([number, { kind: "typed" }]), count);

const folder = resolve("test/transformer/out/structures");
afterAll(() => rmSync(folder, { recursive: true }));

function readPrograms() {
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/main.ts`;
  const values = types.map(
    (type, k) => `export const value${k} = compile(${valueFunction(type)});`,
  );
  const slopes = smooth.map((type, k) => `export const slope${k} = grad(${smoothFunction(type)});`);
  writeFileSync(
    file,
    `import { compile, grad } from "fluxion";\n${values.join("\n")}\n${slopes.join("\n")}\n`,
  );
  const tsconfig = resolve("test/programs/tsconfig.json");
  const { world, program } = new ProjectCache({ tsconfig, paths: sourcePaths() }).projectOf(file);
  const source = program.getSourceFile(file) as ts.SourceFile;
  const errors = program
    .getSemanticDiagnostics(source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  expect(errors).toEqual([]);
  const { roots, diagnostics } = readFile(world, source);
  expect(reportText(diagnostics, false)).toBe("");
  return roots;
}
const roots = readPrograms();

async function compiled(name: string, target: HostTargetName): Promise<Program> {
  const [only] = roots.find((root) => root.name === name)!.programs;
  const { manifest, code } = await compile(only!.graph, only!.signature, { target, check: true });
  return load(manifest, code);
}

function plain(text: string): (...args: readonly unknown[]) => unknown {
  return runInThisContext(ts.transpile(`(${text})`, { target: ts.ScriptTarget.ES2023 }));
}

describe.each(["js", "wasm"] as const)("on %s", (target) => {
  test("values", async () => {
    for (const [n, type] of types.entries()) {
      const text = valueFunction(type);
      const program = await compiled(`value${n}`, target);
      for (const k of [0, 1, 5]) {
        const given = sample(type, { next: k });
        const actual = program(given, k, 0.75);
        expect({ text, actual }).toEqual({ text, actual: plain(text)(given, k, 0.75) });
      }
    }
  });

  test("gradients", async () => {
    for (const [n, type] of smooth.entries()) {
      const text = smoothFunction(type);
      const given = sample(type, { next: n });
      const actual = (await compiled(`slope${n}`, target))(given);
      const f = plain(text) as (value: unknown) => number;
      const expected = slopesOf(f, given);
      const size = Math.max(1, ...expected.map(Math.abs));
      const off = numbersOf(actual).map((slope, k) => Math.abs(slope - expected[k]!) / size);
      expect(Math.max(...off), text).toBeLessThan(1e-6);
      expect(replaced(actual, numbersOf(given).values())).toEqual(given);
    }
  });
});
