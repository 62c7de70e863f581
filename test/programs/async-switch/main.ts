/** Cases that fall through, declare variables, and jump, on the host and in programs. */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;

export const main = async () => {
  const log: string[] = [];
  const run = compile(async (start: V, kinds: readonly number[]) => {
    let p = start;
    let count = 0;
    rounds: for (const kind of kinds) {
      switch (kind) {
        case 0:
          p = p.mul(2);
          log.push("zero");
        case 1: {
          const q = p.add(1);
          p = q.mul(0.5);
          break;
        }
        case 2:
          const held = p.sub(1);
          await Promise.resolve();
          p = held.mul(3);
          if (p.sum().item() > 1) continue rounds;
          log.push("small");
          break;
        case 3:
          break rounds;
        default:
          switch (count) {
            case 0:
              p = p.add(10);
              break;
            default:
              p = p.sub(10);
          }
      }
      count++;
    }
    let w: V;
    let n: number;
    switch (count) {
      case 1:
        w = p;
        n = 1;
        break;
      case 2:
        w = p.mul(2);
      default:
        w = p.mul(3);
        n = w.sum().item();
    }
    return { p, w, n, count };
  });
  const start = tensor([1, 2, 3], [3]);
  const results: unknown[] = [];
  for (const kinds of [[0, 1, 2], [2, 2, 5, 5], [3, 0], [5, 0, 3, 1], []]) {
    results.push(await run(start, kinds));
  }
  return { results, start, log };
};
export const tolerance = 1e-5;
