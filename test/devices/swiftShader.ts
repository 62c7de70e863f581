/**
 * SwiftShader, a Vulkan driver for processors, which comes with Chromium from npm: with it Dawn, the
 * WebGPU of Node, finds a device on every machine.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

/** What a process must be started with so that its loader finds the driver. */
export function swiftShaderEnvironment(): Readonly<Record<string, string>> {
  const folder = unpacked();
  const { LD_LIBRARY_PATH: others } = process.env;
  return {
    VK_ICD_FILENAMES: path.join(folder, "vk_swiftshader_icd.json"),
    LD_LIBRARY_PATH: others === undefined ? folder : `${folder}:${others}`,
  };
}

function unpacked(): string {
  const entry = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
  const archive = path.join(
    entry.slice(0, entry.lastIndexOf("chromium") + 8),
    "bin/swiftshader.tar.br",
  );
  const { size: bytes } = statSync(archive);
  const folder = path.join(os.tmpdir(), `fluxion-swiftshader-${bytes}`);
  if (existsSync(folder)) return folder;
  const made = `${folder}-${process.pid}`;
  mkdirSync(made, { recursive: true });
  const tar = brotliDecompressSync(readFileSync(archive));
  for (const { name, data } of filesOf(tar)) writeFileSync(path.join(made, name), data);
  // Another process may have been quicker.
  if (!existsSync(folder)) renameSync(made, folder);
  return folder;
}

/** The files of a tar archive: blocks of 512 bytes, a head in front of each file. */
function* filesOf(tar: Buffer): Generator<{ readonly name: string; readonly data: Buffer }> {
  for (let at = 0; at + 512 <= tar.length;) {
    const name = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    if (name === "") return;
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8);
    const isFile = tar[at + 156] === 0x30 || tar[at + 156] === 0;
    if (isFile) yield { name: path.basename(name), data: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
