/** Loops of all kinds in each other, left by labels and by `return`, with programs in between. */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;

export const main = async () => {
  const log: string[] = [];

  async function* stream(count: number): AsyncGenerator<{ readonly x: V; readonly k: number }> {
    try {
      for (let k = 0; k < count; k++) {
        log.push(`next ${k}`);
        yield { x: tensor([k, 1, 0.5], [3]), k };
      }
    } finally {
      log.push("closed");
    }
  }

  const walk = compile(async (start: V, list: readonly V[], limit: number) => {
    let p = start;
    let rounds = 0;
    outer: for (let i = 0; i < 3; i++) {
      log.push(`outer ${i}`);
      for await (const { x, k } of stream(4)) {
        p = p.add(x.mul(0.5));
        p = p.sub(x.mean());
        if (k === 1 && i === 0) continue outer;
        let w = 0;
        while (true) {
          const size = p.square().sum().item();
          log.push(`size ${size.toFixed(2)}`);
          if (size < 4 || w++ > 2) break;
          p = p.mul(0.5);
          if (size > limit) break outer;
        }
        let d = 0;
        do {
          for (const y of list) {
            p = p.add(y.mul(0.1));
            if (d === 1) continue;
            log.push("y");
            p = p.sub(y.mul(0.05));
          }
          rounds++;
        } while (++d < 2 && p.sum().item() < 3);
        if (rounds > 5) return { p, rounds, how: "early" };
      }
    }
    inner: {
      p = p.add(1);
      if (p.sum().item() > 0) break inner;
      log.push("not negative");
    }
    return { p, rounds, how: "end" };
  });

  const list = [tensor([1, 2, 3], [3]), tensor([-1, 0, 1], [3])];
  const start = tensor([1, -2, 0.5], [3]);
  const short = await walk(start, list, 1e9);
  log.push("again");
  const left = await walk(tensor([9, 9, 9], [3]), list, 20);
  log.push("and again");
  const none = await walk(start, [], 1e9);
  return { short, left, none, start, list, log };
};
export const tolerance = 1e-5;
