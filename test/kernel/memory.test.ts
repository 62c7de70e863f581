/** The memory plan: what lives at the same time lies apart, what does not shares bytes. */

import { describe, expect, it } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { arrayType, type Value } from "../../compiler/ir/types.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { fnOf, graphOf } from "./support.ts";

const options = { vectors: true, chunks: true };

/** `rounds` row sums, each spread out and added again: a chain of arrays that die one by one. */
function chain(extent: ReturnType<typeof symbol>, rounds: number) {
  const type = arrayType("f32", [extent, 8]);
  return fnOf([type], (b, [x]) => {
    let value = x as Value;
    for (let k = 0; k < rounds; k++) {
      const sums = b.sum(value, [1]);
      value = b.unary("tanh", b.add(value, b.broadcast(sums, [extent, 8], [0])));
    }
    return [b.sum(value)];
  });
}

describe("the memory plan", () => {
  it("does not grow with the length of a chain", () => {
    const [short, long] = [
      lower(graphOf(chain(64, 4)), options),
      lower(graphOf(chain(64, 12)), options),
    ];
    expect(long.arena).toEqual(short.arena);
  });

  it("shares bytes between arrays of symbolic sizes", () => {
    const B = symbol("B");
    const [short, long] = [
      lower(graphOf(chain(B, 4)), options),
      lower(graphOf(chain(B, 12)), options),
    ];
    expect(long.arena).toEqual(short.arena);
    expect(long.memoryText).toContain("32*B");
  });

  it("computes in place over an operand that is not read again", () => {
    const type = arrayType("f64", [100]);
    const fn = fnOf([type], (b, [x]) => {
      const y = b.one("cumsum", [x as Value], { axis: 0 });
      const z = b.unary("exp", y);
      return [b.sum(b.mul(z, z))];
    });
    const { arena } = lower(graphOf(fn), options);
    expect(arena).toEqual([[0], [800]]);
  });
});
