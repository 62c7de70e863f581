/** Names that hide others, variables taken out of records and lists, `var`, and late values. */
// Old code is written so.
/* oxlint-disable block-scoped-var */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;

export const main = async () => {
  const log: unknown[] = [];

  const hidden = compile(async (start: V) => {
    let x = start;
    const twice = (x: V) => x.mul(2);
    {
      let x = start.add(1);
      x = twice(x);
      await Promise.resolve();
      x = x.mul(3);
      log.push(x.sum().item());
      for (let x = start.mul(0), k = 0; k < 2; k++) {
        x = x.add(k + 1);
        await Promise.resolve();
        log.push(x.sum().item());
      }
    }
    x = twice(x);
    await Promise.resolve();
    x = x.sub(1);
    const f = async (x: V) => {
      x = x.mul(2);
      await Promise.resolve();
      return x.add(1);
    };
    return { x, y: await f(x) };
  });

  const taken = compile(async (start: V) => {
    const { a: one, ...rest } = { a: start.mul(3), b: start.mul(4), c: 3 };
    log.push(rest.c, rest.b.sum().item());
    let [x, [y, z]] = [one, [start.add(1), rest.b]] as [V, [V, V]];
    [x, [y, z]] = [z, [x, y]];
    await Promise.resolve();
    ({
      p: x,
      q: [y],
    } = { p: y.add(x), q: [x.sub(y)] as [V] });
    for (const { k, v } of [
      { k: 1, v: x },
      { k: 2, v: y },
    ]) {
      z = z.add(v.mul(k));
      log.push(k);
    }
    return [x, y, z];
  });

  const old = compile(async (start: V, on: boolean) => {
    if (on) {
      var t = start.mul(2);
      var n = t.sum().item();
      log.push(n);
    } else {
      t = start.mul(3);
      n = 1;
    }
    for (let k = 0; k < 2; k++) {
      var last = t.mul(k);
      log.push(k);
    }
    return t.add(n).add(last!);
  });

  const late = compile(async (start: V, first: boolean) => {
    let t: V;
    let u: V, n: number;
    if (first) t = start.mul(2);
    else t = start.mul(3);
    u = t.add(1);
    n = u.sum().item();
    for (let k = 0; k < 3; k++) {
      let w: V;
      if (k === 1) w = u.mul(2);
      else w = u.sub(k);
      u = w.add(t);
      await Promise.resolve();
      n = n + k;
      t = w.sub(t);
    }
    return { t, u, n };
  });

  const start = tensor([1, 2, 3], [3]);
  const results = [
    ...[await hidden(start), await taken(start), await old(start, true), await old(start, false)],
    ...[await late(start, true), await late(start, false)],
  ];
  return { results, start, log };
};
export const tolerance = 1e-5;
