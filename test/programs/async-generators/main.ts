/** An asynchronous generator as a root: what it yields, the reader has for good. */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;

export const main = async () => {
  const log: string[] = [];
  const steps = compile(async function* (
    start: V,
    count: number,
  ): AsyncGenerator<{ readonly k: number; readonly p: V; readonly size: number }, V, unknown> {
    let p = start;
    try {
      for (let k = 0; k < count; k++) {
        p = p.mul(2).add(k);
        const told = yield { k, p, size: p.sum().item() };
        log.push(`after ${k}, told ${told}`);
        if (told === "stop") return p;
        p = p.sub(0.5);
      }
    } catch (error) {
      log.push((error as Error).message);
      p = p.add(100);
    } finally {
      log.push("finally");
    }
    return p.mul(10);
  });
  const both = compile(async function* (start: V): AsyncGenerator<V, V, unknown> {
    yield start.mul(2);
    const last = yield* steps(start.mul(3), 2) as unknown as AsyncGenerator<V, V, unknown>;
    return last.add(1);
  });

  const start = tensor([1, 2, 3], [3]);
  const given: unknown[] = [];
  for await (const one of steps(start, 3)) given.push(one);
  for await (const one of steps(start, 3)) {
    given.push(one);
    break;
  }
  const stopped = steps(start, 5);
  given.push(await stopped.next("a"), await stopped.next("b"), await stopped.next("stop"));
  const thrown = steps(start, 5);
  given.push(
    await thrown.next("a"),
    await thrown.throw(new Error("thrown")),
    await thrown.next("c"),
  );
  const together = both(start);
  for (let k = 0; k < 5; k++) given.push(await together.next("go"));
  return { given, start, log };
};
export const tolerance = 1e-5;
