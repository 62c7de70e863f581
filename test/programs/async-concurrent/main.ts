/** Several functions at once that add to the same variables: nothing that one of them adds is lost. */

import { compile, type Tensor, tensor, valueAndGrad } from "fluxion";

type V = Tensor<[3]>;
const lossOf = (p: V, x: V) => p.mul(x).square().mean();

export const main = async () => {
  const run = compile(async (start: V, xs: readonly [V, V]) => {
    let total = 0;
    let count = 0;
    let params = start;
    const stats = { sum: 0, most: 0 };
    const work = async (k: number) => {
      const v = start.mul(k);
      total += v.sum().item();
      await Promise.resolve();
      total = total + v.mul(2).sum().item() * 2;
      stats.sum += v.mean().item();
      stats.most = Math.max(stats.most, v.sum().item());
      const size = v.square().sum();
      if (k > 1) total -= size.item();
      else total -= 1;
      return k;
    };
    const train = async (x: V, rounds: number) => {
      for (let k = 0; k < rounds; k++) {
        const [loss, g] = valueAndGrad(lossOf)(params, x);
        params = params.sub(g.mul(0.125));
        count++;
        total += loss.mul(0).item();
        await Promise.resolve();
      }
    };
    const ks = await Promise.all([work(1), work(2), work(3)]);
    // The order of steps is that of the functions: here it means nothing.
    await Promise.all([train(xs[0], 3), train(xs[0], 3), train(xs[0], 2)]);
    return { total, count, stats, params, ks };
  });
  const start = tensor([1, 2, 3], [3]);
  const xs = [tensor([1, 0.5, 0.25], [3]), tensor([1, 1, 1], [3])] as [V, V];
  return { result: await run(start, xs), start, xs };
};
export const tolerance = 1e-5;
