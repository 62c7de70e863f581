/** Imports a program, if one is named, and prints after it the most bytes that the process held. */

import { readFileSync } from "node:fs";

const [program] = process.argv.slice(2);
if (program !== undefined) await import(program);
console.log(`peak ${peakBytes()}`);

/**
 * The high-water mark of this process alone where the system tells it: `getrusage` counts what the
 * process that started this one held then.
 */
function peakBytes(): number {
  try {
    const [, kilobytes] =
      /^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
