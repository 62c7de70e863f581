/** A page that runs programs on the device of its browser. */

import { loadWebgl, loadWebgpu, tensor } from "fluxion/runtime";
import { type Elements, runnerOf, type Shipped } from "./runner.ts";

/** What the tests call of the page. */
export interface Page {
  run(shipped: Shipped, inputs: readonly Elements[]): Promise<Elements[]>;
}

const page: Page = {
  run: (shipped, inputs) => runnerOf({ loadWebgpu, loadWebgl, tensor }, shipped)(inputs),
};
Object.assign(globalThis, { page });
