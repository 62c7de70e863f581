/** A conversation with the adapter: messages in, answers out, as GradBench has it. */

import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Answer {
  readonly id: unknown;
  readonly success?: boolean;
  readonly output?: unknown;
  readonly error?: string;
  readonly timings?: readonly { readonly name: string; readonly nanoseconds: number }[];
}

/** Sends lines to a new process and waits for its end; the answers in order. */
export async function converse(
  lines: readonly string[],
): Promise<{ readonly answers: readonly Answer[]; readonly code: number | null }> {
  const child = spawn(
    process.execPath,
    ["--import", "./transformer/register.ts", "examples/gradbench/adapter.ts"],
    { cwd: root, stdio: ["pipe", "pipe", "inherit"] },
  );
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end(lines.map((line) => `${line}\n`).join(""));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const text = Buffer.concat(chunks).toString("utf8");
  const answers = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Answer);
  return { answers, code };
}

export function message(fields: object): string {
  return JSON.stringify(fields);
}
