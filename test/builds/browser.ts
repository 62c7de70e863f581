/** A headless Chromium, and a server for what a build wrote. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as driver } from "playwright-core";

const flags = [
  "--no-sandbox",
  "--headless",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** WebGPU on SwiftShader, which computes on the processor: a device on every machine. */
const graphics = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];

/** Without these, the first canvas with WebGPU on SwiftShader ends the graphics process. */
const presenting = ["--use-vulkan=swiftshader", "--enable-features=Vulkan"];

/**
 * The Chromium that `CHROMIUM_PATH` names, or else the one that comes from npm; without a graphics
 * device unless one is asked for, and with canvases for WebGPU where these are.
 */
export async function openBrowser({
  hasGraphics = false,
  hasCanvases = false,
} = {}): Promise<Browser> {
  const named = process.env["CHROMIUM_PATH"];
  const executablePath =
    named !== undefined && existsSync(named) ? named : await chromium.executablePath();
  const args = [
    ...flags,
    ...(hasGraphics ? graphics : []),
    ...(hasGraphics && hasCanvases ? presenting : []),
  ];
  return driver.launch({ executablePath, args });
}

export interface Server {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".digits": "application/octet-stream",
};

/** What a page must be served with to share memory between threads. */
const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export interface ServerOptions {
  /** Cross-origin isolated. */
  readonly isIsolated?: boolean;
  /** The Content-Security-Policy of every page. */
  readonly policy?: string;
}

/** Serves the files of a folder on a free port of this machine. */
export async function serve(
  folder: string,
  { isIsolated = false, policy }: ServerOptions = {},
): Promise<Server> {
  const common = {
    ...(isIsolated && isolation),
    ...(policy !== undefined && { "content-security-policy": policy }),
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = path.join(folder, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    const type = types[path.extname(file)];
    readFile(file).then(
      (bytes) => {
        if (type === undefined) response.writeHead(500).end(`no type for ${file}`);
        else {
          response.writeHead(200, { "content-type": type, ...common }).end(bytes);
        }
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

/** A script after which `work` is how often a page has given a device of each kind something to do. */
export const countWork = `
globalThis.work = { webgpu: 0, webgl: 0 };
const counted = (kind, type, name) => {
  const method = type[name];
  type[name] = function (...args) {
    work[kind]++;
    return method.apply(this, args);
  };
};
counted("webgpu", GPUQueue.prototype, "submit");
counted("webgl", WebGL2RenderingContext.prototype, "drawArrays");
counted("webgl", WebGL2RenderingContext.prototype, "texSubImage2D");
`;
