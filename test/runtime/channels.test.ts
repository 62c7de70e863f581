/** What passes between the host and the regions of an asynchronous root. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { item, keep, receive, tails } from "../../runtime/channels.ts";
import { prefetch } from "../../runtime/prefetch.ts";
import { Tensor, tensor } from "../../runtime/tensor.ts";
import { runs } from "../random/runs.ts";

const pause = (turns: number): Promise<void> =>
  turns === 0 ? Promise.resolve() : new Promise((done) => setTimeout(() => done(pause(turns - 1))));

describe("tails", () => {
  test("run in order, one at a time, a few behind the loop", async () => {
    const property = fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 12 }),
      fc.array(fc.nat(2), { minLength: 12, maxLength: 12 }),
      async (tailTurns, headTurns) => {
        const log: number[] = [];
        let [running, behind, most] = [0, 0, 0];
        const queue = tails();
        for (const [k, turns] of tailTurns.entries()) {
          await pause(headTurns[k] as number);
          most = Math.max(most, ++behind);
          await queue.put(async (own) => {
            expect(++running).toBe(1);
            await pause(turns);
            log.push(own);
            running--;
            behind--;
          }, k);
        }
        await queue.done();
        expect(log).toEqual(tailTurns.map((_, k) => k));
        expect(most).toBeLessThanOrEqual(6);
      },
    );
    await fc.assert(property, runs(50, 1));
  });

  test("end with the first error, and those after it do not run", async () => {
    const property = fc.asyncProperty(fc.nat(9), fc.nat(2), async (failing, turns) => {
      const log: number[] = [];
      const queue = tails();
      const loop = async (): Promise<void> => {
        try {
          for (let k = 0; k < 10; k++) {
            await queue.put(async () => {
              await pause(turns);
              if (k === failing) throw new Error(`of ${k}`);
              log.push(k);
            });
          }
        } finally {
          await queue.done();
        }
      };
      await expect(loop()).rejects.toThrow(`of ${failing}`);
      expect(log).toEqual(Array.from({ length: failing }, (_, k) => k));
    });
    await fc.assert(property, runs(30, 2));
  });

  test("an error of the loop comes after what was done before it", async () => {
    const log: string[] = [];
    const queue = tails();
    const loop = async (): Promise<void> => {
      try {
        await queue.put(async () => {
          await pause(2);
          log.push("before");
        });
        throw new Error("of the loop");
      } finally {
        await queue.done();
      }
    };
    await expect(loop()).rejects.toThrow("of the loop");
    expect(log).toEqual(["before"]);
  });
});

describe("prefetch", () => {
  async function* counted(log: string[], count: number): AsyncGenerator<number> {
    try {
      for (let k = 0; k < count; k++) {
        log.push(`make ${k}`);
        await pause(1);
        yield k;
      }
    } finally {
      log.push("end");
    }
  }

  test("gives all items in order, asked for ahead and one after the other", async () => {
    const property = fc.asyncProperty(
      fc.nat(6),
      fc.integer({ min: 1, max: 4 }),
      async (n, ahead) => {
        const log: string[] = [];
        const seen: number[] = [];
        for await (const k of prefetch(counted(log, n), ahead)) {
          await pause(2 * ahead + 2);
          const made = log.filter((line) => line.startsWith("make")).length;
          expect(made).toBe(Math.min(n, k + 1 + ahead));
          seen.push(k);
        }
        expect(seen).toEqual(Array.from({ length: n }, (_, k) => k));
        expect(log.at(-1)).toBe("end");
      },
    );
    await fc.assert(property, runs(20, 3));
  });

  test("ends the items when the loop is left", async () => {
    const log: string[] = [];
    for await (const k of prefetch(counted(log, 10))) if (k === 2) break;
    expect(log.at(-1)).toBe("end");
    expect(log.length).toBeLessThan(8);
  });

  test("takes what is no asynchronous iterable, and passes errors on where they belong", async () => {
    const seen: number[] = [];
    function* failing(): Generator<number> {
      yield 1;
      yield 2;
      throw new Error("no more");
    }
    const loop = async (): Promise<void> => {
      for await (const k of prefetch(failing())) seen.push(k);
    };
    await expect(loop()).rejects.toThrow("no more");
    expect(seen).toEqual([1, 2]);
  });

  test("refuses a count that is none", async () => {
    await expect(prefetch([1], 0).next()).rejects.toThrow("1 item ahead or more");
  });
});

test("elements and numbers are received alike", async () => {
  expect(await receive(tensor([2.5], []))).toBe(2.5);
  expect(await receive(7)).toBe(7);
  expect(item(tensor([[3]]))).toBe(3);
  expect(item(4)).toBe(4);
});

test("all tensors of a record are kept", () => {
  const [a, b, c] = [tensor([1]), tensor([2]), tensor([3])];
  const record = { a, inner: { list: [b] }, none: undefined, n: 1 };
  expect(keep(record)).toBe(record);
  expect([a, b, c].map((one) => Tensor.isKept(one))).toEqual([true, true, false]);
});
