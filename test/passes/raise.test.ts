/** Loops that are products: raised, and the same numbers to the last bit. */

import { runInThisContext } from "node:vm";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { expand } from "../../compiler/autodiff/expand.ts";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { vmap } from "../../compiler/autodiff/vmap.ts";
import { compile, explain, type Graph, type HostTargetName } from "../../compiler/compile.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { type Fn, rootOf } from "../../compiler/ir/types.ts";
import { allEquations } from "../../compiler/ir/walk.ts";
import { assertWellFormed } from "../../compiler/ops/check.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { hoistBounds } from "../../compiler/passes/bounds.ts";
import { hoistInvariants } from "../../compiler/passes/licm.ts";
import { raiseProducts } from "../../compiler/passes/raise.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";
import { tidied } from "../../compiler/passes/tidy.ts";
import { layoutOf } from "../../compiler/targets/layout.ts";
import { targets } from "../../compiler/targets/target.ts";
import { reportText } from "../../transformer/report.ts";
import { readRoot, type Signature } from "../../transformer/read/root.ts";
import { World } from "../../transformer/read/world.ts";
import { load } from "../../runtime/load.ts";
import { type Arguments, argumentsFor, type Form, growing, summing, text } from "./productLoops.ts";

interface Program {
  readonly graph: Graph;
  readonly signature: Signature;
}

/** All functions of a list of texts, read as one file. */
function readAll(texts: readonly string[]): readonly Program[] {
  const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, types: [] };
  const file = `[${texts.join(",\n")}];`;
  const source = ts.createSourceFile("f.ts", file, ts.ScriptTarget.ES2023, true);
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => (name === "f.ts" ? source : read(name, ...rest));
  const program = ts.createProgram({ rootNames: ["f.ts"], options, host });
  const statement = source.statements[0] as ts.ExpressionStatement;
  const world = new World(program);
  return (statement.expression as ts.ArrayLiteralExpression).elements.map((node) => {
    const root = readRoot({ world, surface: {}, node, name: "f" });
    if (root.program === undefined) throw new Error(reportText(root.diagnostics, false));
    return root.program;
  });
}

type Run = (...args: readonly unknown[]) => unknown;

function plainOf(source: string): Run {
  const script = ts.transpile(`(${source})`, { target: ts.ScriptTarget.ES2023 });
  return runInThisContext(script) as Run;
}

async function compiledOf({ graph, signature }: Program, target: HostTargetName): Promise<Run> {
  const { manifest, code } = await compile(graph, signature, { target, check: true });
  return load(JSON.parse(JSON.stringify(manifest)), code) as Run;
}

function kernelsOf({ graph, signature }: Program, target: HostTargetName): Promise<string> {
  return explain(graph, "kernels", { target, signature });
}

const sizes = [
  [0, 3, 2],
  [3, 0, 2],
  [2, 3, 0],
  [1, 1, 1],
  [2, 3, 5],
  [5, 8, 3],
  [8, 17, 5],
  [17, 5, 64],
  [64, 17, 8],
  [13, 64, 17],
] as const;

function run(fn: Run, { a, b, bias, like, sizes: [m, n, count] }: Arguments): unknown {
  return fn(a, b, bias, like, m, n, count);
}

/** What a call gives or throws, nested arrays as lists. */
function outcome(call: () => unknown): unknown {
  try {
    return plainNumbers(call());
  } catch (error) {
    return (error as Error).message.replace(/^.*?: index/, "index");
  }
}

function plainNumbers(value: unknown): unknown {
  if (value instanceof Float64Array) return [...value];
  return Array.isArray(value) ? value.map(plainNumbers) : value;
}

function nameOf({ a, b, c, order, style, term }: Form): string {
  const how =
    style.kind === "grow"
      ? `c ${style.write} ${term}${style.filled ? ", filled" : ""}`
      : `s = ${style.start}; s ${style.combine} ${term}; c = ${style.store}`;
  return `${order} ${a} · ${b} → ${c}: ${how}`;
}

const forms = [...growing, ...summing];
const sources = forms.map(text);
const programs = readAll(sources);
const all = forms.map((form, k) => [nameOf(form), form, k] as const);

describe("all forms", () => {
  test.each(all)("%s", async (_, form, k) => {
    const program = programs[k] as Program;
    const plain = plainOf(sources[k] as string);
    for (const target of ["js", "wasm"] as const) {
      const compiled = await compiledOf(program, target);
      for (const size of sizes) {
        // A matrix without rows has no known width.
        const nested = [form.a, form.b, form.c].includes("nested");
        if (nested && size.some((extent) => extent === 0)) continue;
        const args = argumentsFor(form, size);
        const actual = outcome(() => run(compiled, args));
        const expected = outcome(() => run(plain, args));
        expect(actual, `${target} ${size}`).toEqual(expected);
      }
      expect(await kernelsOf(program, target)).toContain("product of");
    }
  });
});

const active = [true, true, true, false, false, false, false];

function inputsOf({ a, b, bias, like, sizes: lengths }: Arguments): readonly NdArray[] {
  const array = (x: Float64Array | number[][]): NdArray =>
    x instanceof Float64Array
      ? ndarray("f64", [x.length], x)
      : ndarray("f64", [x.length, x[0]?.length ?? 0], x.flat());
  return [array(a), array(b), array(bias), array(like), ...lengths.map((n) => scalar("f64", n))];
}

/** Numbers of one magnitude: sums of cotangents are taken in another order. */
function even(x: NdArray, phase: number): NdArray {
  if (x.shape.length === 0) return x;
  return { ...x, data: x.data.map((_, k) => Math.sin(2.1 * k + phase)) };
}

function expectNear(
  actual: readonly NdArray[],
  expected: readonly NdArray[],
  digits: number,
): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((x, k) => {
    const other = expected[k] as NdArray;
    expect(x.shape).toEqual(other.shape);
    x.data.forEach((value, n) => expect(value).toBeCloseTo(other.data[n] as number, digits));
  });
}

/** Of the loops, and of the product that they are raised to. */
function expectSameDerivatives(
  graph: Graph,
  layouts: Pick<Form, "a" | "b">,
  room: readonly [number, number, number],
  lengths: readonly [number, number, number],
  digits = 9,
): void {
  const loops = rootOf(expand(graph));
  const body = raiseProducts(cleanUp(loops.body), { differentiated: true });
  expect([...allEquations(body)].some(({ op }) => op === "gemm")).toBe(true);
  const raised: Fn = { ...loops, body };
  const inputs = inputsOf({ ...argumentsFor(layouts, room), sizes: lengths }).map(even);
  const [result] = interpret(loops, inputs) as [NdArray];
  const cotangent = even(result, 7);
  const tangents = inputs.slice(0, 3).map((x, p) => even(x, p + 11));

  const both = (of: (fn: Fn) => Fn, given: readonly NdArray[]): void => {
    const [one, other] = [of(raised), of(loops)];
    assertWellFormed(one, "raised");
    expectNear(interpret(one, given), interpret(other, given), digits);
  };
  const back = (fn: Fn): Fn => vjp(fn, active);
  both(back, [...inputs, cotangent]);
  both((fn) => jvp(fn, active), [...inputs, ...tangents]);
  const alongInputs = [...active, false];
  both((fn) => jvp(back(fn), alongInputs), [...inputs, cotangent, ...tangents]);
  const rows = [inputs[0] as NdArray, tangents[0] as NdArray];
  const batch = ndarray(
    "f64",
    [2, ...(inputs[0] as NdArray).shape],
    rows.flatMap(({ data }) => [...data]),
  );
  const batched = inputs.map((_, p) => p === 0);
  both((fn) => vmap(fn, batched, 2), [batch, ...inputs.slice(1)]);
}

describe("derivatives of what is raised are those of the loops", () => {
  test.each(all)("%s", (_, form, k) => {
    expectSameDerivatives((programs[k] as Program).graph, form, [3, 4, 5], [3, 4, 5]);
  });
});

const parameters =
  "a: Float64Array, b: Float64Array, bias: Float64Array, like: number[][], m: number, n: number, count: number";
const loops = (work: string): string =>
  `for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) { ${work} }`;
const sum = "let s = 0; for (let k = 0; k < count; k++) s += a[i * count + k] * b[k * n + j];";

/** Loops that look like a product and are none, or where it cannot be known. */
const others: Readonly<Record<string, string>> = {
  "an element of c for each product": loops(
    "for (let k = 0; k < count; k++) c[(i + k) * n + j] += a[i * count + k] * b[k * n + j];",
  ),
  "c is read by the product": loops(
    "for (let k = 0; k < count; k++) c[i * n + j] += c[i * n + k] * b[k * n + j];",
  ),
  "elements that were written before": loops(
    `let s = j > 0 ? c[i * n + j - 1] : 1;
     for (let k = 0; k < count; k++) s += a[i * count + k] * b[k * n + j];
     c[i * n + j] = s;`,
  ),
  "a place that is not linear": loops(
    "let s = 0; for (let k = 0; k < count; k++) s += a[((i * i) % m) * count + k] * b[k * n + j]; c[i * n + j] = s;",
  ),
  "a place that is read": loops(
    "let s = 0; for (let k = 0; k < count; k++) s += a[Math.abs(Math.round(bias[i])) % 2 + k] * b[k * n + j]; c[i * n + j] = s;",
  ),
  "all sums in one place": loops(`${sum} c[3] = s;`),
  "the last sum of a column": loops(`${sum} c[j] = s;`),
  "rows that overlap": loops(`${sum} c[i * 2 + j] = s;`),
  "rows as long as a rounded number": loops(
    `${sum.replace("k * n", "k * 3")} c[i * (n | 0) + j] = s;`,
  ),
  "the best sum of a row": loops(`${sum} c[i] = Math.max(c[i], s);`),
  "a triangle": `for (let i = 0; i < m; i++) for (let j = 0; j < i + 1 && j < n; j++) { ${sum} c[i * n + j] = s; }`,
  "a band of products": loops(
    "let s = 0; for (let k = 0; k < i; k++) s += a[i * count + k] * b[k * n + j]; c[i * n + j] = s;",
  ),
  "three factors": loops(
    "let s = 0; for (let k = 0; k < count; k++) s += a[i * count + k] * b[k * n + j] * bias[k]; c[i * n + j] = s;",
  ),
  "a function of each product": loops(
    "let s = 0; for (let k = 0; k < count; k++) s += Math.abs(a[i * count + k] * b[k * n + j]); c[i * n + j] = s;",
  ),
  "a sum that is scaled on the way": loops(
    "let s = 0; for (let k = 0; k < count; k++) s = 0.5 * s + a[i * count + k] * b[k * n + j]; c[i * n + j] = s;",
  ),
  "products that are left out": loops(
    "let s = 0; for (let k = 0; k < count; k++) { if (k === 2) continue; s += a[i * count + k] * b[k * n + j]; } c[i * n + j] = s;",
  ),
  "both factors by row and column": loops(
    "let s = 0; for (let k = 0; k < count; k++) s += a[i * count + j + k] * b[k * n + j]; c[i * n + j] = s;",
  ),
  "a product that is scaled": loops(
    "for (let k = 0; k < count; k++) c[i * n + j] += bias[0] * (a[i * count + k] * b[k * n + j]);",
  ),
  "sums in single precision": `const r = new Float32Array(400); ${loops(
    "for (let k = 0; k < count; k++) r[i * n + j] += a[i * count + k] * b[k * n + j];",
  )} for (let i = 0; i < 400; i++) c[i] = r[i];`,
  "small matrices of known size": `for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) {
    let s = 0; for (let k = 0; k < 3; k++) s += a[i * 3 + k] * b[k * 3 + j]; c[i * 3 + j] = s; }`,
};

const withResult = (work: string): string =>
  `(${parameters}) => { const c = new Float64Array(400); ${work} return c; }`;

/** Products of a matrix and a vector, and products beside other work. */
const vectors: Readonly<Record<string, string>> = {
  "by rows":
    "for (let i = 0; i < m; i++) { let s = 0; for (let k = 0; k < count; k++) s += a[i * count + k] * bias[k]; c[i] = s; }",
  "by columns":
    "for (let i = 0; i < m; i++) { let s = 0; for (let k = 0; k < count; k++) s -= bias[k] * a[k * m + i]; c[2 * i + 1] = s; }",
  "a layer":
    "for (let i = 0; i < m; i++) { let s = b[i]; for (let k = 0; k < count; k++) s += a[i * count + k] * bias[k]; c[i] = s / Math.sqrt(1 + s * s); }",
  "onto what is there":
    "for (let i = 0; i < m; i++) c[i] = i; for (let i = 0; i < m; i++) { let s = 0; for (let k = 0; k < count; k++) s += a[i * count + k] * bias[k]; c[i] += 0.5 * s; }",
  "a correlation":
    "for (let i = 0; i < m; i++) { let s = 0; for (let k = 0; k < count; k++) s += a[i + k] * bias[k]; c[m - 1 - i] = s; }",
  "again and again": `for (let t = 0; t < 3; t++) {
    for (let i = 0; i < m; i++) { let s = 0; for (let k = 0; k < count; k++) s += a[i * count + k] * bias[k]; c[t * m + i] = s - t; }
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) for (let k = 0; k < count; k++) c[i * n + j] += a[i * count + k] * b[k * n + j];
  }`,
  "one for each matrix of a batch": `for (let t = 0; t < 2; t++) for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) {
    let s = 0; for (let k = 0; k < count; k++) s += a[(t * m + i) * count + k] * b[k * n + j]; c[(t * m + i) * n + j] = s; }`,
  "scaled factors": loops(
    "for (let k = 0; k < count; k++) c[i * n + j] += bias[0] * a[i * count + k] * b[k * n + j];",
  ),
  "scaled rows": `for (let i = 0; i < m; i++) for (let k = 0; k < count; k++) {
    const v = -a[i * count + k] * 0.3; for (let j = 0; j < n; j++) c[i * n + j] -= v * b[k * n + j]; }`,
  "numbers in single precision": `const p = Float32Array.from(a); const q = Float32Array.from(b); const r = new Float32Array(400); ${loops(
    "let s = 0; for (let k = 0; k < count; k++) s += p[i * count + k] * q[k * n + j]; r[i * n + j] = s;",
  )} for (let i = 0; i < 400; i++) c[i] = r[i];`,
  "one factor in single precision": `const p = Float32Array.from(a); ${loops(
    "let s = 0; for (let k = 0; k < count; k++) s += b[k * n + j] * p[i * count + k]; c[i * n + j] = s;",
  )}`,
  "two sums of one round": loops(
    "let s = 0; for (let k = 0; k < count; k++) s += a[i * count + k] * b[k * n + j]; let r = 1; for (let k = 0; k < count; k++) r += b[i * count + k] * a[j * count + k]; c[i * n + j] = s - r;",
  ),
};

describe("what is no product stays as it is", () => {
  const texts = Object.values(others).map(withResult);
  const programs = readAll(texts);
  const cases = Object.keys(others).map((name, k) => [name, k] as const);

  test.each(cases)("%s", async (_, k) => {
    const program = programs[k] as Program;
    const plain = plainOf(texts[k] as string);
    for (const target of ["js", "wasm"] as const) {
      const compiled = await compiledOf(program, target);
      let compared = 0;
      for (const size of [
        [9, 8, 8],
        [5, 2.5, 8],
        [12, 9, 9],
      ] as const) {
        const layouts = { a: "rows", b: "rows" } as const;
        const args = { ...argumentsFor(layouts, [30, 30, 30]), sizes: size };
        const [actual, expected] = [
          outcome(() => run(compiled, args)),
          outcome(() => run(plain, args)),
        ];
        // A place between two elements is a fault; JavaScript reads nothing there.
        if (typeof actual === "string")
          expect(actual).toMatch(/is out of range|is not a whole number/);
        else expect(actual, `${target} ${size}`).toEqual(expected);
        if (typeof actual !== "string") compared++;
      }
      expect(compared).toBeGreaterThan(1);
    }
    // Rows of some are products of a matrix and a vector, in the outer loop.
    const { body } = rootOf(expand(program.graph));
    const raised = raiseProducts(cleanUp(body), { differentiated: false });
    expect(raised.equations.map(({ op }) => op)).not.toContain("gemm");
  });
});

describe("vectors, and products beside other work", () => {
  const texts = Object.values(vectors).map(withResult);
  const programs = readAll(texts);
  const cases = Object.keys(vectors).map((name, k) => [name, k] as const);

  test.each(cases)("%s", async (_, k) => {
    const program = programs[k] as Program;
    const plain = plainOf(texts[k] as string);
    for (const target of ["js", "wasm"] as const) {
      const compiled = await compiledOf(program, target);
      for (const size of [...sizes, [9, 8, 9], [13, 1, 30], [1, 13, 30], [29, 3, 12]] as const) {
        if (size[0] * Math.max(3, 2 * size[1]) > 400) continue;
        const args = { ...argumentsFor({ a: "rows", b: "rows" }, [64, 64, 64]), sizes: size };
        const [actual, expected] = [
          outcome(() => run(compiled, args)),
          outcome(() => run(plain, args)),
        ];
        expect(actual, `${target} ${size}`).toEqual(expected);
      }
      expect(await kernelsOf(program, target)).toContain("product of");
    }
  });

  test.each(cases)("derivatives: %s", (_, k) => {
    const { graph } = programs[k] as Program;
    // Cotangents of single precision are rounded at other places.
    const digits = texts[k]?.includes("Float32Array") ? 5 : 9;
    expectSameDerivatives(graph, { a: "rows", b: "rows" }, [20, 20, 20], [4, 5, 6], digits);
  });
});

describe("faults are those of the loops", () => {
  const works = [
    loops(`${sum} c[i * n + j] = s;`),
    loops(`${sum} c[i * n + j] += 2 * s;`),
    loops("for (let k = 0; k < count; k++) c[i * n + j] += a[k * m + i] * b[j * count + k];"),
    "for (let k = 0; k < count; k++) for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) c[i * n + j] -= a[i * count + k] * b[k * n + j];",
  ];
  const programs = readAll(works.map(withResult));

  /** The program without this pass. */
  async function unraised({ graph, signature }: Program): Promise<Run> {
    const target = targets["wasm"];
    const fn = tidied(rootOf(expand(graph, { raise: false })));
    const body = hoistInvariants(hoistBounds(hoistInvariants(fn.body)));
    const ready = new Map([[fn.name, tidied({ ...fn, body })]]);
    const module = lower({ root: fn.name, functions: ready }, target.lowering);
    const emitted = await target.emit(module);
    const layout = layoutOf(module, emitted, () => "");
    return load({ ...signature, target: "wasm", layout }, emitted.code) as Run;
  }

  const shortened = ["nothing", "a", "b"] as const;
  test.each(works.map((_, k) => k))("program %d", async (k) => {
    const program = programs[k] as Program;
    const [raised, before] = [await compiledOf(program, "wasm"), await unraised(program)];
    expect(await kernelsOf(program, "wasm")).toContain("product of");
    for (const missing of shortened) {
      for (const size of [
        [9, 8, 8],
        [40, 30, 2],
        [-3, 8, 8],
        [9, 8.5, 8],
        [1, 8.5, 1],
        [3, 4, 7.25],
        [9, NaN, 8],
        [9, 8, -1],
        [0, 1e12, 3],
      ] as const) {
        const full = argumentsFor({ a: "rows", b: "rows" }, [30, 30, 30]);
        const short = missing === "a" || missing === "b" ? { [missing]: new Float64Array(17) } : {};
        const args = { ...full, ...short, sizes: size };
        const [actual, expected] = [
          outcome(() => run(raised, args)),
          outcome(() => run(before, args)),
        ];
        expect(actual, `${missing} is short, ${size}`).toEqual(expected);
      }
    }
  });
});
