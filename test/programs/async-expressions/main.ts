/** Programs inside of expressions: arguments, conditions, text, defaults, lines without semicolons. */
// People write such lines.
/* oxlint-disable no-unused-expressions */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;

export const main = async () => {
  const log: unknown[] = [];
  const run = compile(async (p: V, xs: Float64Array, on: boolean, q = p.mul(2)) => {
    let a = p;
    const b = on && a.sum().item() > 3 ? a.mul(2) : a;
    log.push(`${a.sum().item()} and ${on ? b.mean().item() : 0}`);
    log.push(on || a.mul(3).sum().item(), on && a.mul(3).sum().item());
    log.push([a.sum().item(), ...[b.mul(2).sum().item()]], {
      v: a.add(b).sum().item(),
      [`k${a.sum().item()}`]: 1,
    });
    const f = async (v = q.mul(4), n = xs.reduce((s, x) => s + x, 0)) => {
      await Promise.resolve();
      log.push(n, v);
      return v.mul(n);
    };
    const results = [await f(), await f(b), await f(undefined, 3)];
    a = a.add(1);
    log.push(
      xs.map((x) => x * 2).findIndex((x) => x > 3),
      xs.slice(1).length,
      Math.max(...xs, a.sum().item()),
      a.sum().item() ** 2,
      typeof a.sum().item(),
    );
    // The counter is the host's
    let i = 0;
    const next = () => i++;
    for (const factor of [next(), next(), next()]) log.push(a.mul(factor).sum().item());
    const text = [1, 2].map((k) => k + i).join();
    return { b, results, q, text, i, none: a.sum().item() > 1e6 ? null : undefined };
  });

  // prettier-ignore
  const bare = compile(async (p: V) => {
    const c = p.mul(2)
    await Promise.resolve()
    const d = log.length
    c.sum().item() > 3 && log.push("large")
    let e = d
    p.sum().item() > 3 ? log.push("x") : log.push("y")
    if (d < 0) c.sum().item() > 3 && log.push("large")
    else p.sum().item() > 3 && log.push("p")
    e++
    const q = log
    q.push(`${p.mul(2).sum().item()} ${p.sum().item() > 2 ? c.sum().item() : "no"} ${e}`)
    return c
  });

  const xs = Float64Array.of(1, 2, 3);
  const p = tensor([1, 2, 3], [3]);
  return {
    results: [await run(p, xs, true), await run(p, xs, false, p.add(1)), await bare(p)],
    ...{ p, xs, log },
  };
};
export const tolerance = 1e-5;
