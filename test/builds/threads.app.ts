/** A page that multiplies with one thread and with two, and says what it found. */

import { compile, type Dim, type Tensor, tensor, useThreads } from "fluxion";

const multiply = compile(<N extends Dim>(x: Tensor<[N, 300]>, y: Tensor<[300, 200]>) =>
  x.matmul(y).tanh(),
);
const later = compile(<N extends Dim>(x: Tensor<[N, 300]>) => x.exp().sum(0));

const wave = (count: number) => new Float32Array(count).map((_, k) => Math.sin(k));
const x = tensor(wave(500 * 300), [500, 300]) as Tensor<[500, 300]>;
const y = tensor(wave(300 * 200), [300, 200]) as Tensor<[300, 200]>;

const alone = [multiply(x, y), later(x)].map((result) => result.dataSync());
const threads = await useThreads(2);
let isSame = true;
for (let k = 0; k < 50; k++) {
  [multiply(x, y), later(x)].forEach((result, place) => {
    isSame &&= result.dataSync().every((value, at) => value === alone[place]?.[at]);
  });
}
document.title = JSON.stringify({ threads, isSame, isIsolated: crossOriginIsolated });
