/**
 * SwiftShader, a Vulkan driver for processors, which comes with Chromium from npm: with it Dawn, the
 * WebGPU of Node, finds a device on every machine.
 */

import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

const packageName = "@sparticuz/chromium";
/** Windows has no numbers for users, and a folder for each. */
const user = process.getuid?.() ?? 0;

/**
 * What a process must be started with so that its loader finds the driver; undefined where the
 * package is not installed.
 */
export function swiftShaderEnvironment(): Readonly<Record<string, string>> | undefined {
  const archive = findArchive();
  if (archive === undefined) return undefined;
  const folder = unpacked(archive);
  const { LD_LIBRARY_PATH: others } = process.env;
  const driver = path.join(folder, "vk_swiftshader_icd.json");
  return {
    // The older name and the newer one, which goes first.
    VK_ICD_FILENAMES: driver,
    VK_DRIVER_FILES: driver,
    LD_LIBRARY_PATH: others === undefined ? folder : `${folder}:${others}`,
  };
}

function findArchive(): string | undefined {
  let entry;
  try {
    entry = fileURLToPath(import.meta.resolve(packageName));
  } catch {
    return undefined;
  }
  const folder = entry.slice(0, entry.lastIndexOf(path.normalize(packageName)));
  const archive = path.join(folder, packageName, "bin/swiftshader.tar.br");
  return existsSync(archive) ? archive : undefined;
}

/** A folder with the files of the archive: one for all processes of a user. */
function unpacked(archive: string): string {
  const { size } = statSync(archive);
  const folder = path.join(os.tmpdir(), `fluxion-swiftshader-${user}-${size}`);
  if (isOurs(folder)) return folder;
  const made = mkdtempSync(path.join(os.tmpdir(), "fluxion-swiftshader-"));
  const tar = brotliDecompressSync(readFileSync(archive));
  for (const { name, data } of filesOf(tar)) writeFileSync(path.join(made, name), data);
  try {
    renameSync(made, folder);
    return folder;
  } catch {
    // Another process was quicker, or it is somebody else's.
    return isOurs(folder) ? folder : made;
  }
}

/** Whether nobody else can have put a driver there. */
function isOurs(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found !== undefined && found.isDirectory() && found.uid === user;
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
