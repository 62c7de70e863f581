/** Faults that only the run tells, in programs of numbers and of tensors, and a stream that breaks. */

import { compile, type Tensor, tensor } from "fluxion";

const given = (): readonly [Float64Array, Tensor<[3]>] => [
  Float64Array.of(1, 2, 4),
  tensor([1, 2, 3], [3]),
];

export const main = async () => {
  const log: string[] = [];
  const [xs, start] = given();

  async function* stream(): AsyncGenerator<number> {
    try {
      yield 1;
      log.push("second");
      yield 2;
      throw new TypeError("the stream breaks");
    } finally {
      log.push("closed");
    }
  }

  const run = compile(async (p0: Tensor<[3]>, values: Float64Array, counts: readonly number[]) => {
    let p = p0;
    let total = 0;
    for (const count of counts) {
      try {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += values[i]!;
        total += sum;
        p = p.add(sum);
        log.push(`${count}: ${sum}`);
      } catch (error) {
        log.push(`${count}: ${error instanceof RangeError}`);
      }
    }
    try {
      for await (const k of stream()) {
        p = p.mul(k + 1);
        log.push(`k ${k}`);
      }
    } catch (error) {
      log.push((error as Error).message);
    }
    for await (const k of stream()) {
      p = p.sub(k);
      if (p.sum().item() > 0) break;
    }
    return { p, total };
  });

  return { result: await run(start, xs, [2, 5, 3]), start, xs, log };
};

/** Plain JavaScript reads `undefined` out of range. */
export const expected = () => {
  const [xs, start] = given();
  const p = tensor([65, 71, 77], [3]);
  const streamed = ["k 1", "second", "k 2", "closed", "the stream breaks", "closed"];
  return {
    result: { p, total: 10 },
    ...{ start, xs },
    log: ["2: 3", "5: true", "3: 7", ...streamed],
  };
};
export const tolerance = 1e-5;
