/** The examples that a graphics device can run, on one in Chromium, beside WebAssembly. */

import { readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { fluxion } from "fluxion/esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { NotOnDevice } from "../../compiler/targets/gpu/split.ts";
import { loadDigits } from "../../examples/04-mnist/data.ts";
import { firstDigits } from "../../examples/04-mnist/train.ts";
import { readFile } from "../../transformer/plan.ts";
import { ProjectCache } from "../../transformer/project.ts";
import { countWork, openBrowser, type Server, serve } from "../builds/browser.ts";

const examples = path.resolve("examples");
const out = path.join(import.meta.dirname, "out");

interface Named {
  /** A page of `devices/`, in which roots name their target. */
  readonly page: string;
  /** How near its numbers come to those of doubles, as a part of the largest beside them. */
  readonly tolerance: number;
  /** Roots of the example that no device can run (FX5002): it alone knows how long their tapes are. */
  readonly refused: readonly string[];
}

const named: Readonly<Record<string, Named>> = {
  "01-scalar": { page: "scalar", tolerance: 1e-4, refused: [] },
  "02-linear-regression": { page: "linear", tolerance: 1e-5, refused: [] },
  "05-neural-ode": { page: "field", tolerance: 1e-5, refused: [] },
  "06-n-body": { page: "bodies", tolerance: 1e-4, refused: ["aim"] },
  "08-sorting-network": {
    page: "sorting",
    tolerance: 1e-5,
    refused: [],
  },
  "09-cloth": { page: "cloth", tolerance: 1e-3, refused: [] },
};

/** Those whose roots give tensors: the target of the build moves them as they are. */
const built = ["03-logistic-regression", "04-mnist"];

/** Those that need what no device has. */
const onHost: Readonly<Record<string, string>> = {
  "07-kepler":
    "Newton's iteration ends when it changes less than 1e-14, which singles may never do",
  "10-boundary-value":
    "differences of neighbours are divided by the square of a step of 1e-5: doubles; and the roots " +
    "of sparse matrices run on the host",
  gradbench: "answers are compared with those of doubles, and each call is timed until it is back",
};

test("every example is on one side", () => {
  const folders = readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const listed = [...Object.keys(named), ...built, ...Object.keys(onHost)];
  expect(listed.sort()).toEqual(folders.sort());
});

type Target = "wasm" | "webgpu" | "webgl" | "auto";

/** How often a page has given a device of each kind something to do. */
interface Work {
  readonly webgpu: number;
  readonly webgl: number;
}

let browser: Browser;
let server: Server;
beforeAll(async () => {
  await mkdir(out, { recursive: true });
  browser = await openBrowser({ hasGraphics: true });
  server = await serve(out);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Bundles a module with what it imports; the page is called so. */
async function bundle(entry: string, name: string, target: Target): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: path.join(out, `${name}.js`),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
    logLevel: "error",
    plugins: [fluxion({ target })],
  });
  const script = `<script type="module" src="${name}.js"></script>`;
  await writeFile(path.join(out, `${name}.html`), `<!doctype html><title></title>${script}`);
}

interface Found {
  /** What the page says, and what it writes to the console. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly work: Work;
}

/** Opens a page, until it has a title, or has written the last of so many lines. */
async function open(address: string, lineCount = Infinity): Promise<Found> {
  const page = await browser.newPage();
  await page.addInitScript(countWork);
  const complaints: string[] = [];
  const lines: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "log") lines.push(message.text());
  });
  await page.goto(server.url + address);
  const isDone = async (): Promise<boolean> =>
    complaints.length > 0 || lines.length >= lineCount || (await page.title()) !== "";
  while (!(await isDone())) await new Promise((next) => setTimeout(next, 50));
  expect(complaints).toEqual([]);
  const work = await page.evaluate<Work>("work");
  const title = await page.title();
  await page.close();
  return { title, lines, work };
}

/** Expects a page to have used the device that it is for, and no other. */
function expectOnlyOn(target: Target, { webgpu, webgl }: Work): void {
  expect({ webgpu: webgpu > 0, webgl: webgl > 0 }).toEqual({
    webgpu: target === "webgpu" || target === "auto",
    webgl: target === "webgl",
  });
}

function expectNear(
  found: readonly number[],
  expected: readonly number[],
  tolerance: number,
): void {
  expect(found).toHaveLength(expected.length);
  // As a part of the largest: what is near zero is a difference of such numbers.
  const size = Math.max(...expected.map(Math.abs));
  found.forEach((x, k) => {
    expect(Math.abs(x - expected[k]), `number ${k}`).toBeLessThan(tolerance * size);
  });
}

const projects = new ProjectCache();

/** The roots of an example's program that a device refuses. */
async function refusedOf(example: string, target: "webgpu" | "webgl"): Promise<readonly string[]> {
  const source = path.join(examples, example, "main.ts");
  const { world, program } = projects.projectOf(source);
  const refused: string[] = [];
  for (const { name, programs } of readFile(world, program.getSourceFile(source)!).roots) {
    for (const { graph, signature } of programs) {
      try {
        await compile(graph, signature, { target });
      } catch (error) {
        if (!(error instanceof NotOnDevice)) throw error;
        refused.push(name);
      }
    }
  }
  return refused;
}

describe.each(Object.entries(named))("%s", (example, { page, tolerance, refused }) => {
  /** The parts of what the page finds. */
  let expected: readonly (readonly number[])[];
  beforeAll(async () => {
    await bundle(path.join(import.meta.dirname, `devices/${page}.ts`), page, "wasm");
    const { title, work } = await open(`${page}.html?wasm`);
    expectOnlyOn("wasm", work);
    expected = JSON.parse(title) as number[][];
    for (const part of expected) {
      expect(Math.max(...part.map(Math.abs))).toBeGreaterThan(1e-6);
    }
  });

  test.each(["webgpu", "webgl"] as const)("on %s", async (target) => {
    const { title, work } = await open(`${page}.html?${target}`);
    expectOnlyOn(target, work);
    expect(await refusedOf(example, target)).toEqual(refused);
    const found = JSON.parse(title) as number[][];
    expect(found).toHaveLength(expected.length);
    found.forEach((part, k) => expectNear(part, expected[k], tolerance));
  });
});

describe("03-logistic-regression", () => {
  /** The lines that the program writes, on a target. */
  async function written(target: Target): Promise<readonly string[]> {
    const name = `logistic-${target}`;
    await bundle(path.join(examples, "03-logistic-regression/main.ts"), name, target);
    const { lines, work } = await open(`${name}.html`, 6);
    expectOnlyOn(target, work);
    return lines;
  }
  let expected: readonly string[];
  beforeAll(async () => {
    expected = await written("wasm");
    expect(expected.at(-1)).toMatch(/accuracy on 123 new points: 9\d\.\d %/);
  });

  test.each(["webgpu", "webgl"] as const)("on %s", async (target) => {
    const numbersOf = (lines: readonly string[]): readonly number[] =>
      [...lines.join("\n").matchAll(/-?\d+(\.\d+)?/g)].map(([number]) => Number(number));
    expectNear(numbersOf(await written(target)), numbersOf(expected), 1e-5);
  });
});

describe("04-mnist", () => {
  const steps = { mlp: 8, cnn: 3 };
  /** The losses of each step, and as what digits are seen, of a network. */
  interface Trained {
    readonly losses: readonly number[];
    readonly seen: readonly number[];
  }

  async function trained(target: Target): Promise<readonly Trained[]> {
    const name = `mnist-${target}`;
    await bundle(path.join(import.meta.dirname, "devices/mnist.ts"), name, target);
    const { title, work } = await open(`${name}.html`);
    expectOnlyOn(target, work);
    const all = JSON.parse(title) as number[];
    const networks = [all.slice(0, steps.mlp + 50), all.slice(steps.mlp + 50)];
    return networks.map((numbers) => ({
      losses: numbers.slice(0, -50),
      seen: numbers.slice(-50),
    }));
  }
  let expected: readonly Trained[];
  beforeAll(async () => {
    const { images, labels } = firstDigits(await loadDigits("train"), 32 * steps.mlp);
    await writeFile(path.join(out, "first.digits"), Buffer.concat([labels, images]));
    expected = await trained("wasm");
    expect(expected.map(({ losses }) => losses.length)).toEqual([steps.mlp, steps.cnn]);
    for (const { losses } of expected) expect(losses.at(-1)).toBeLessThan(losses[0]);
  });

  test.each(["webgpu", "webgl", "auto"] as const)("on %s", async (target) => {
    const found = await trained(target);
    found.forEach(({ losses, seen }, k) => {
      expectNear(losses, expected[k].losses, 1e-4);
      const others = seen.filter((digit, at) => digit !== expected[k].seen[at]);
      // One that was hard to tell may be seen as something else.
      expect(others.length).toBeLessThan(2);
    });
  });
});
