/**
 * What our own systems compute, for the tests: `node --import fluxion/register values.ts mlp-train-b32`
 * prints the numbers of the first steps of each system of the workload, as JSON: two where it trains.
 */

import { gpt } from "./workloads/gpt.ts";
import { workloads } from "./workloads/index.ts";

const names = process.argv.slice(2);
const values: Record<string, number[]> = {};
// A small one for the target that is slow.
for (const { name, systems } of [...workloads, gpt(1)]) {
  if (!names.includes(name)) continue;
  for (const [system, prepare] of Object.entries(systems)) {
    if (!system.startsWith("fluxion")) continue;
    const step = await prepare();
    const all: number[] = [];
    for (let k = 0; k < (/-train|logreg/.test(name) ? 2 : 1); k++) {
      const outcome = await step();
      all.push(typeof outcome === "object" ? (outcome.value ?? outcome.amount) : Number(outcome));
    }
    values[`${name} ${system}`] = all;
  }
}
console.log(JSON.stringify(values));
