/** A module of its own: what is computed, and what only the host can do. */

import type { Tensor } from "fluxion";

export type V = Tensor<[3]>;
export interface State {
  readonly p: V;
  readonly v: V;
}

export const energy = (p: V) => p.square().sum().add(p.mul(0.5).sum());
export function moved({ p, v }: State, slope: V, rate: number): State {
  const next = v.mul(0.5).sub(slope.mul(rate));
  return { p: p.add(next), v: next };
}
export const rates = { first: 0.1, other: 0.05 };

/** Checkpoints, which are looked at when all is over. */
export class Store {
  readonly all = new Map<string, State>();

  save(name: string, state: State): this {
    this.all.set(name, state);
    return this;
  }
}

export async function retried<T>(count: number, run: (k: number) => Promise<T>): Promise<T> {
  for (let k = 0; ; k++) {
    try {
      return await run(k);
    } catch (error) {
      if (k + 1 === count) throw error;
    }
  }
}
