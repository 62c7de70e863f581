/** Tensors that programs carry on in place, while the host gets hold of some of them. */

import { compile, type Tensor, tensor, valueAndGrad } from "fluxion";

type V = Tensor<[3]>;
interface Line {
  readonly w: V;
  readonly b: Tensor<[]>;
}
/** With the names of what a tensor has. */
interface Named {
  readonly data: V;
  readonly shape: V;
  readonly item: V;
}
const lossOf = (p: Line, x: Tensor<[number, 3]>) => x.matmul(p.w).add(p.b).square().mean();

export const main = async () => {
  const log: unknown[] = [];
  const saved: unknown[] = [];

  const fit = compile(async (start: Line, xs: readonly Tensor<[number, 3]>[]) => {
    let a = start;
    let b: Line = { w: a.w.mul(2), b: a.b };
    const list = [a, b];
    const pair: { now: Line; before: Line | undefined } = { now: a, before: undefined };
    const alias = a;
    let [best, bestLoss] = [a, Infinity];
    const current = () => a;
    const later = async () => {
      await Promise.resolve();
      return a.w.sum().item();
    };
    outer: for (const x of xs) {
      for (let k = 0; ; k++) {
        const [loss, g] = valueAndGrad(lossOf)(a, x);
        a = { w: a.w.sub(g.w.mul(0.1)), b: a.b.sub(g.b.mul(0.1)) };
        [a, b] = [b, a];
        if (loss.item() < bestLoss) {
          bestLoss = loss.item();
          best = a;
        }
        log.push(loss.item(), current().b.item(), await later());
        if (k === 1) continue outer;
        if (k > 3 || loss.item() < 0.1) break outer;
        saved.push([`k${k}`, a]);
        list.push(current());
        pair.before = pair.now;
        pair.now = b;
      }
    }
    return { a, b, best, list, pair, alias };
  });

  const named = compile(async (start: Named) => {
    let p = start;
    for (let k = 0; k < 3; k++) {
      p = { data: p.data.mul(2), shape: p.shape.add(p.data), item: p.item.sub(p.shape) };
      await Promise.resolve();
      saved.push(p.data, p.shape, p.item);
    }
    return p;
  });

  // Values that come from loops, patterns and defaults
  const given = compile(async (list: readonly V[], one: { readonly a?: V }, other: V) => {
    let p = other;
    for (p of list) {
      p = p.mul(2);
      log.push(p.sum().item());
    }
    let q: V = p;
    ({ a: q = other } = one);
    q = q.mul(3);
    log.push(q.sum().item());
    ({ a: q = other } = {} as typeof one);
    q = q.mul(3);
    log.push(q.sum().item());
    let [r = other] = [one.a];
    r = r.mul(5);
    await Promise.resolve();
    let { a: s = other } = {} as typeof one;
    s = s.mul(5);
    await Promise.resolve();
    return [p, q, r, s];
  });

  const start: Line = { w: tensor([1, 2, 3], [3]), b: tensor(1, []) };
  const xs = [tensor([[1, 0, 0.5]], [1, 3]), tensor([0, 1, 0.5, 1, 1, 1], [2, 3])];
  const x = tensor([1, 2, 3], [3]);
  const list = [x, tensor([4, 5, 6], [3])];
  const [one, other] = [{ a: tensor([7, 8, 9], [3]) }, tensor([1, 1, 1], [3])];
  const results = [
    await fit(start, xs),
    await named({ data: x, shape: x, item: x }),
    await given(list, one, other),
  ];
  return { results, start, xs, list, one, other, saved, log };
};
export const tolerance = 1e-5;
