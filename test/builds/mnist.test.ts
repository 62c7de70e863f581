/**
 * The example of MNIST through every door, with the example's own configurations: the same losses
 * from each, small bundles, and a page that trains.
 */

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countWork, openBrowser, type Server, serve } from "./browser.ts";

const root = path.resolve(import.meta.dirname, "../..");
const example = path.join(root, "examples/04-mnist");

/** What a program prints. Its own Node, so that nothing of the tests helps it. */
async function node(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout;
}
const vite = (...args: string[]): Promise<string> =>
  node("node_modules/vite/bin/vite.js", "build", example, "--logLevel", "error", ...args);

function scriptsIn(folder: string): readonly { readonly name: string; readonly text: string }[] {
  return readdirSync(path.join(example, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .map((name) => ({ name, text: readFileSync(path.join(example, folder, name), "utf8") }));
}

/** Programs and runtime, gzipped, and neither the compiler nor the table of ops. */
function expectSmall(folder: string, kilobytes: number): void {
  const scripts = scriptsIn(folder);
  expect(scripts.length).toBeGreaterThan(0);
  const bytes = scripts.reduce((sum, { text }) => sum + gzipSync(text).length, 0);
  console.log(`${folder}: ${(bytes / 1000).toFixed(1)} kB`);
  for (const { name, text } of scripts) {
    for (const word of ["binaryen", "typescript", "conv_filter", "window_max", "transpose"]) {
      expect(text.includes(word), `${name} contains ${word}`).toBe(false);
    }
  }
  expect(bytes).toBeLessThan(kilobytes * 1000);
}

describe("the losses", () => {
  let expected = "";
  beforeAll(async () => {
    expected = await node("bin/fluxion.js", "run", "examples/04-mnist/losses.ts");
  });

  test("fall", () => {
    const losses = [...expected.matchAll(/loss (.*)/g)].map(([, loss]) => Number(loss));
    expect(losses).toHaveLength(12);
    expect(losses[0]).toBeCloseTo(Math.log(10), 0);
    expect(losses.at(-1)).toBeLessThan(1.4);
    expect(Number(/accuracy (.*)/.exec(expected)?.[1])).toBeGreaterThan(0.6);
  });

  const onProcessor = "no graphics card found: WebGPU runs on SwiftShader, slowly\n";
  /** No driver of Vulkan, as on a machine without a card. Chromium has one of its own. */
  const noDriver = { VK_DRIVER_FILES: "/there/is/none.json" };
  test.each([
    { target: "webgpu", says: onProcessor, without: noDriver },
    { target: "webgl", says: "WebGL runs in a headless Chromium\n", without: {} },
    { target: "auto", says: onProcessor, without: noDriver },
  ])("are near for $target, with SwiftShader where there is no card", async (given) => {
    const { target, says, without } = given;
    const args = ["bin/fluxion.js", "run", "--target", target, "examples/04-mnist/losses.ts"];
    const env = { ...process.env, ...without };
    const run = promisify(execFile);
    const { stdout, stderr } = await run(process.execPath, args, { cwd: root, env });
    expect(stderr).toBe(says);
    const numbersOf = (text: string): readonly number[] =>
      [...text.matchAll(/(?:loss|accuracy) (.*)/g)].map(([, number]) => Number(number));
    const found = numbersOf(stdout);
    expect(found).toHaveLength(13);
    numbersOf(expected).forEach((number, k) => expect(found[k]).toBeCloseTo(number, 4));
  });

  test("are the same with the loader of Node", async () => {
    const args = ["--import", "fluxion/register", "examples/04-mnist/losses.ts"];
    expect(await node(...args)).toBe(expected);
  });

  test("are the same with tspc", async () => {
    await node("node_modules/ts-patch/bin/tspc.js", "-p", `${example}/tsconfig.tspc.json`);
    expect(await node(`${example}/out/tspc/losses.js`)).toBe(expected);
  });

  test("are the same with Vite, in a small bundle", async () => {
    await vite("--ssr", "losses.ts");
    expect(await node(`${example}/out/vite-node/losses.js`)).toBe(expected);
    expectSmall("out/vite-node", 24);
  });

  test("are the same with esbuild, in a small bundle", async () => {
    await node(`${example}/esbuild.ts`);
    expect(await node(`${example}/out/esbuild/losses.js`)).toBe(expected);
    expectSmall("out/esbuild", 18);
  });
});

describe("the page", () => {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    await vite();
    server = await serve(`${example}/out/page`);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  // For three targets.
  test("is small", () => expectSmall("out/page", 56));

  /** What the page says when something is wrong with it. */
  async function open(page: Page): Promise<readonly string[]> {
    const complaints: string[] = [];
    page.setDefaultTimeout(50_000);
    page.on("console", (message) => {
      const text = message.text();
      // What Chromium says of every page that asks for a device where there is none.
      if (text === "No available adapters.") return;
      if (["error", "warning"].includes(message.type())) complaints.push(text);
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
    await page.goto(server.url);
    await page.locator("#train:enabled").waitFor();
    return complaints;
  }

  test("trains, from the keyboard, on a narrow screen", async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    const complaints = await open(page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("body[data-state=trained]").waitFor();
    expect(complaints).toEqual([]);
    const curve = (await page.locator("#chart").getAttribute("aria-label")) ?? "";
    const [first, last] = [...curve.matchAll(/\d+\.\d+/g)].map(([loss]) => Number(loss));
    expect(first).toBeGreaterThan(2);
    expect(last).toBeLessThan(0.5);
    expect(Number.parseFloat(await page.locator("#accuracy").innerText())).toBeGreaterThan(90);
    expect(await page.locator("#digits li").count()).toBe(24);
    expect(await page.locator("#digits li.wrong").count()).toBeLessThan(5);
    expect(await page.locator("#progress").evaluate((bar: HTMLProgressElement) => bar.value)).toBe(
      1,
    );
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBe(360);
  });

  test("offers only devices that are there", async () => {
    const page = await browser.newPage();
    await page.addInitScript("HTMLCanvasElement.prototype.getContext = () => null;");
    expect(await open(page)).toEqual([]);
    expect(await page.locator("#webgpu").isDisabled()).toBe(true);
    expect(await page.locator("#webgl").isDisabled()).toBe(true);
    expect(await page.locator("#device").inputValue()).toBe("wasm");
    await page.close();
    const other = await browser.newPage();
    expect(await open(other)).toEqual([]);
    expect(await other.locator("#webgpu").isDisabled()).toBe(true);
    expect(await other.locator("#webgl").isEnabled()).toBe(true);
  });

  test.each(["webgpu", "webgl"])("trains on %s", async (target) => {
    const other = await openBrowser({ hasGraphics: true });
    try {
      const page = await other.newPage({ viewport: { width: 360, height: 740 } });
      const complaints = await open(page);
      await page.evaluate(countWork);
      await page.locator("#device").selectOption(target);
      await page.getByRole("button", { name: "Train" }).click();
      // On a processor that plays a graphics card, all epochs would take minutes.
      const loss = async (): Promise<number> => Number(await page.locator("#loss").innerText());
      await expect.poll(loss, { timeout: 50_000 }).toBeLessThan(1.8);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.locator("body[data-state=stopped]").waitFor();
      expect(complaints).toEqual([]);
      const { webgpu, webgl } = await page.evaluate<Record<string, number>>("work");
      expect({ webgpu: webgpu! > 0, webgl: webgl! > 0 }).toEqual({
        webgpu: target === "webgpu",
        webgl: target === "webgl",
      });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    } finally {
      await other.close();
    }
  });

  test("stops when it is told to, and starts again", async () => {
    const page = await browser.newPage();
    const complaints = await open(page);
    await page.getByRole("button", { name: "Train" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("body[data-state=stopped]").waitFor();
    await page.getByRole("button", { name: "Train again" }).click();
    await page.locator("body[data-state=trained]").waitFor();
    expect(complaints).toEqual([]);
  });
});
