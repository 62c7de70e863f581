/** Errors of the host and of programs: who catches them sees what was done before, and no more. */

import { compile, type Tensor, tensor } from "fluxion";

type V = Tensor<[3]>;
type Any = Tensor<[number]>;

export const main = async () => {
  const log: string[] = [];
  const risky = (on: boolean): void => {
    if (on) throw new Error("at risk");
  };
  const nameOf = (error: unknown): string =>
    (error as Error).message === "at risk" ? "at risk" : "shapes";

  // In a loop, all in the block that is tried
  const inLoop = compile(async (start: V, xs: readonly Any[]) => {
    let p = start.mul(1);
    for (let k = 0; k < xs.length; k++) {
      try {
        const x: Any = xs[k]!;
        p = p.mul(2).add(x);
        log.push(`${k}: ${p.sum().item()}`);
        risky(k === 2);
        if (k === 3) return p;
      } catch (error) {
        log.push(`${k}: ${nameOf(error)}`);
      } finally {
        log.push(`${k}: finally`);
      }
    }
    return start;
  });

  // In a function whose callers catch
  const inCalls = compile(async (start: V, xs: readonly Any[]) => {
    let p = start.mul(1);
    const step = async (k: number) => {
      const x: Any = xs[k]!;
      await Promise.resolve();
      p = p.mul(2).add(x);
    };
    for (let k = 0; k < xs.length; k++) {
      try {
        await step(k);
      } catch (error) {
        log.push(`caught ${nameOf(error)}`);
      }
      await step(k).catch((error) => log.push(`rejected ${nameOf(error)}`));
      const [{ status }] = await Promise.allSettled([step(k)]);
      log.push(status);
    }
    return p;
  });

  // What was assigned before the error stays, and what comes after it is not done
  const inOrder = compile(async (start: V, x: Any) => {
    let [p, q] = [start, start];
    let count = 0;
    try {
      q = q.mul(2);
      count = count + 1;
      p = p.mul(2).add(x);
      count = count + 1;
      q = q.mul(5);
    } catch (error) {
      log.push(nameOf(error));
      q = q.add(1);
    } finally {
      p = p.sub(1);
    }
    return { p, q, count };
  });

  // `finally` that sees it, and one that hides it
  const last = compile(async (start: V, x: Any) => {
    let p = start.mul(3);
    const hidden = async () => {
      for (;;) {
        try {
          p = p.mul(2);
          p = p.add(x);
          log.push(`sum ${p.sum().item()}`);
        } finally {
          log.push(`left ${p.sum().item()}`);
          // oxlint-disable-next-line no-unsafe-finally
          break;
        }
      }
      return p;
    };
    const q = await hidden();
    try {
      p = p.add(x);
    } finally {
      log.push(`last ${p.sum().item()}`);
    }
    return q;
  });

  const start = tensor([1, 2, 3], [3]);
  const [good, bad]: Any[] = [tensor([1, 1, 1]), tensor([1, 2])];
  const results = [
    await inLoop(start, [good, bad, good, good]),
    await inCalls(start, [good, bad, good]),
    await inOrder(start, good),
    await inOrder(start, bad),
    await last(start, good),
  ];
  const failed = await last(start, bad).then(
    () => "no",
    (error) => nameOf(error),
  );
  return { results, failed, start, good, bad, log };
};
export const tolerance = 1e-5;
