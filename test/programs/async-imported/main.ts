import { compile, grad, type Tensor, tensor } from "fluxion";
import { energy, moved, rates, retried, type State, Store, type V } from "./parts.ts";
import * as parts from "./parts.ts";

export const main = async () => {
  const log: unknown[] = [];
  const store = new Store();
  const run = compile(async (start: V, rounds: number) => {
    let state: State = { p: start, v: start.mul(0) };
    const last: State[] = [];
    for (let k = 0; k < rounds; k++) {
      const rate = k < 2 ? rates.first : rates.other;
      const before = state;
      state = await retried(3, async (attempt) => {
        const next = moved(state, grad(energy)(state.p), rate);
        log.push(`round ${k}, attempt ${attempt}`);
        if (attempt < k) throw new Error("again");
        return next;
      });
      log.push(parts.energy(state.p).item());
      if (k % 2 === 0) store.save(`${k}`, state);
      last.push(before);
      if (energy(state.p).item() < 0.5) break;
    }
    store.save("first", last[0]!).save("last", state);
    return { state, sizes: last.map(({ p }: { p: Tensor<[3]> }) => p.shape.join()) };
  });
  const start = tensor([1, 2, 3], [3]);
  const result = await run(start, 3);
  return { result, start, saved: [...store.all], log };
};
export const tolerance = 1e-5;
