/** The thread that the page talks to, while the one with the program waits. */

import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MessagePort, workerData } from "node:worker_threads";
import { page } from "./page.ts";

interface Given {
  readonly port: MessagePort;
  readonly signal: Int32Array;
  readonly browser: string;
  readonly flags: readonly string[];
}

const { port, signal, browser, flags } = workerData as Given;
const batches: Uint8Array[] = [];
let asking: ServerResponse | undefined;

function give(): void {
  const batch = asking === undefined ? undefined : batches.shift();
  if (batch === undefined) return;
  asking?.end(batch);
  asking = undefined;
}

function answer(message: unknown): void {
  port.postMessage(message);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
}

port.on("message", (batch: Uint8Array) => {
  batches.push(batch);
  give();
});

const server = createServer((request, response) => {
  if (request.url === "/next") {
    asking = response;
    give();
    return;
  }
  if (request.url === "/reply") {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      answer(new Uint8Array(Buffer.concat(parts)));
      response.end();
    });
    return;
  }
  const text = `<!doctype html><title>WebGL</title><script type="module">(${String(page)})();</script>`;
  response.writeHead(200, { "content-type": "text/html" }).end(text);
});
// A question may take as long as the program's kernels do.
server.requestTimeout = 0;
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  const { port: at } = server.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), "fluxion-webgl-"));
  const own = ["--remote-debugging-pipe", `--user-data-dir=${folder}`];
  const args = [...flags, ...own, `http://127.0.0.1:${at}/`];
  // Of the pipes nothing is asked but that they end with this process, however it ends: so does the browser.
  const child = spawn(browser, args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  port.postMessage({ pid: child.pid, folder });
  const fail = (why: string): void => answer({ failed: why });
  child.on("error", ({ message }) => fail(message));
  child.on("exit", (code) => fail(`it ended with code ${code}`));
});
