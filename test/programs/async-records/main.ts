/** Records that the host writes and compares: programs give copies, and nobody can tell. */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;
interface State {
  w: V;
  n: number;
}

export const main = async () => {
  const log: unknown[] = [];
  const written = compile(async (p: V, other: V) => {
    const a = { w: p.mul(2), n: 1 };
    const b = a;
    await Promise.resolve();
    a.w = other;
    a.n = 5;
    return [a, b, a === b];
  });
  const compared = compile(async (start: State, rounds: number) => {
    let p = start;
    let best = p;
    for (let k = 0; k < rounds; k++) {
      p = { w: p.w.mul(2), n: p.n + 1 };
      if (k === 1) best = p;
    }
    log.push(best === p, best === start);
    best.n = 10;
    log.push(p.n, best.n);
    const c = { q: { w: p.w.add(1), n: 0 }, r: p };
    const d = c.q;
    d.n = 3;
    log.push(c.q.n, c.r === p);
    return [p, best, c];
  });
  // One program leaves a field of a record to the host, another one takes all of it
  const divided = compile(async (p: V) => {
    const made = { w: p.mul(2), b: p.mean(), n: p.sum().item() };
    log.push(made.n);
    await Promise.resolve();
    const size = (x: { readonly w: V; readonly b: Tensor<[]> }) => x.w.add(x.b).square().sum();
    const s = size(made);
    log.push(s.item());
    const pair = { one: made, two: p.sub(1) };
    await Promise.resolve();
    log.push(pair.two.sum().item());
    return size({ w: pair.two, b: pair.one.b });
  });
  const p = tensor([1, 2, 3], [3]);
  const results = [
    await written(p, tensor([3, 2, 1], [3])),
    await compared({ w: p, n: 0 }, 2),
    await compared({ w: p, n: 0 }, 4),
    await divided(p),
  ];
  return { results, p, log };
};
export const tolerance = 1e-5;
