/** A small transformer that predicts the next token, and a training step of it. */

import { compile, type Dim, type Tensor, valueAndGrad } from "fluxion";
import { layerNorm, type Norm, softmaxCrossEntropy } from "fluxion/nn";
import { sgd } from "fluxion/optim";

export const positions = 64;
const width = 128;
const heads = 4;
const perHead = width / heads;

export interface Block {
  readonly beforeAttention: Norm<128>;
  readonly qkv: Tensor<[128, 384]>;
  readonly out: Tensor<[128, 128]>;
  readonly beforeDense: Norm<128>;
  readonly up: Tensor<[128, 512]>;
  readonly down: Tensor<[512, 128]>;
}

export interface Params {
  readonly tokens: Tensor<[65, 128]>;
  readonly positions: Tensor<[64, 128]>;
  readonly blocks: readonly [Block, Block];
  readonly out: Tensor<[128, 65]>;
}

type Tokens<B extends Dim> = Tensor<[B, 64], "i32">;

/** [batch, 64, 128] → [batch, 64, 128]; each position sees those up to itself. */
function attention<B extends Dim>(
  block: Block,
  x: Tensor<[B, 64, 128]>,
  mask: Tensor<[64, 64]>,
): Tensor<[B, 64, 128]> {
  const batch = x.shape[0];
  const [q, k, v] = x
    .matmul(block.qkv)
    .reshape([batch, positions, 3, heads, perHead])
    .transpose([2, 0, 3, 1, 4])
    .split(3) as [Tensor, Tensor, Tensor];
  const apart = (y: Tensor): Tensor => y.reshape([batch, heads, positions, perHead]);
  const scores = apart(q)
    .matmul(apart(k).transpose([0, 1, 3, 2]))
    .mul(1 / Math.sqrt(perHead))
    .add(mask);
  const mixed: Tensor = scores.softmax().matmul(apart(v));
  const together = mixed.transpose([0, 2, 1, 3]).reshape([batch, positions, width]);
  return together.matmul(block.out);
}

function loss<B extends Dim>(
  p: Params,
  inputs: Tokens<B>,
  targets: Tokens<B>,
  mask: Tensor<[64, 64]>,
): Tensor<[]> {
  const batch = inputs.shape[0];
  let h: Tensor<[B, 64, 128]> = p.tokens.take(inputs).add(p.positions);
  for (const block of p.blocks) {
    h = h.add(attention(block, layerNorm(block.beforeAttention, h), mask));
    h = h.add(layerNorm(block.beforeDense, h).matmul(block.up).relu().matmul(block.down));
  }
  const logits = h.reshape([batch * positions, width]).matmul(p.out);
  return softmaxCrossEntropy(logits, targets.reshape([batch * positions])).mean();
}

export const step = compile(
  <B extends Dim>(p: Params, inputs: Tokens<B>, targets: Tokens<B>, mask: Tensor<[64, 64]>) => {
    const [value, gradient] = valueAndGrad(loss)(p, inputs, targets, mask);
    return { loss: value, params: sgd(p, gradient, { learningRate: 0.01 }) };
  },
  { donateArgnums: [0] },
);
