/** Functions that read and write variables which programs write, called by the host and in programs. */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;

export const main = async () => {
  const log: string[] = [];

  // The variable changes between two calls in what could be one program
  const scaled = compile(async (p: V) => {
    let scale = 2;
    const f = (x: V) => x.mul(scale);
    const table = { up: (x: V) => x.add(scale), down: (x: V) => x.sub(scale) };
    const list = [(x: V) => x.mul(scale), (x: V) => x.add(scale)] as const;
    let a = f(p);
    scale = scale + 1;
    a = f(a);
    await Promise.resolve();
    a = table.up(a);
    scale = 7;
    a = table.down(a);
    a = list[0](a);
    scale++;
    a = list[1](a);
    return a;
  });

  // What a program writes, a function around it reads
  const counted = compile(async (p: V) => {
    let total = 1;
    const twice = () => total * 2;
    const told = () => `total ${total}`;
    let a = p.mul(3);
    total = total + a.sum().item();
    const n = twice();
    a = a.add(n);
    log.push(told());
    total = total + a.sum().item();
    log.push(told());
    return { a, n, total };
  });

  // Writers, asynchronous and not
  const written = compile(async (p: V) => {
    let a = p;
    let n = 0;
    const step = () => {
      a = a.mul(2);
      n += 1;
    };
    const later = async (x: V): Promise<V> => {
      a = a.add(x);
      await Promise.resolve();
      const b = a.mul(0.5);
      a = b.sub(n);
      return b;
    };
    step();
    const first = await later(p);
    step();
    const [second, third] = await Promise.all([later(first), later(a)]);
    [1, 2].forEach((k) => {
      a = a.add(k);
      log.push(`k ${k}, n ${n}`);
    });
    const readers = [0, 1].map((k) => async () => (await a.mul(k + 1).data())[0]);
    step();
    const seen: unknown[] = [];
    for (const read of readers) seen.push(await read());
    return { a, n, first, second, third, seen };
  });

  const p = tensor([1, 2, 3], [3]);
  return { results: [await scaled(p), await counted(p), await written(p)], p, log };
};
export const tolerance = 1e-5;
