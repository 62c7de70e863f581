/** Roots that call other roots, and a root inside of another one. */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;

export const main = async () => {
  const log: unknown[] = [];
  const twice = compile((x: V) => x.mul(2).add(1));
  const inner = compile(async (p: V, k: number) => {
    let q = p;
    for (let i = 0; i < k; i++) {
      q = q.mul(2);
      await Promise.resolve();
    }
    log.push(q.sum().item());
    return { q, first: p };
  });
  const outer = compile(async (start: V) => {
    let p = start;
    let best = start;
    for (let k = 0; k < 3; k++) {
      p = twice(p);
      const made = await inner(p, k);
      p = made.q;
      p = p.sub(made.first.mul(0.5));
      if (k === 1) best = p;
      const x = await inner(p, 1);
      const y = await inner(best, 2);
      p = p.add(x.q).sub(y.first);
      log.push(p.sum().item());
    }
    return { p, best };
  });
  const around = compile(async (start: V) => {
    const own = compile((x: V) => x.mul(3));
    const factor = () => 2;
    let p = start;
    for (let k = 0; k < 2; k++) {
      p = own(p);
      await Promise.resolve();
      log.push(p.sum().item());
    }
    return p.mul(factor());
  });
  const start = tensor([1, 2, 3], [3]);
  return { results: [await outer(start), await around(start)], start, log };
};
export const tolerance = 1e-5;
