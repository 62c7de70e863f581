/** Training of the small transformer. */

import { tensor } from "fluxion";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { type Block, type Params, positions, step } from "./gptProgram.ts";
import { firstOf, toTensor } from "./support.ts";

/** Training on one batch: inputs and targets of [batch, 64] tokens; -1e9 where a mask hides. */
export function train(
  data: Readonly<Record<string, Data>>,
  inputs: Int32Array,
  targets: Int32Array,
  mask: Data,
): Step {
  const named = (name: string) => toTensor(data[name] as Data);
  const block = (l: number): Block => ({
    beforeAttention: { scale: named(`g1${l}`), offset: named(`b1${l}`) },
    qkv: named(`qkv${l}`),
    out: named(`o${l}`),
    beforeDense: { scale: named(`g2${l}`), offset: named(`b2${l}`) },
    up: named(`f1${l}`),
    down: named(`f2${l}`),
  });
  let params: Params = {
    tokens: named("emb"),
    positions: named("pos"),
    blocks: [block(0), block(1)],
    out: named("out"),
  };
  const shape = [inputs.length / positions, positions] as [number, 64];
  const [x, y] = [tensor(inputs, shape, "i32"), tensor(targets, shape, "i32")];
  const hidden = toTensor({ data: mask.data, shape: [positions, positions] });
  return () => {
    const next = step(params, x, y, hidden);
    ({ params } = next);
    return firstOf(next.loss);
  };
}
