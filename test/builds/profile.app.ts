/** A page that profiles a program, and says what it found. */

import { compile, type Tensor, tensor } from "fluxion";

const f = compile(
  (x: Tensor<[128, 128]>) => {
    const y = x.matmul(x); // square
    return y.matmul(x).sum(); // cube
  },
  { target: "webgpu" },
);
const identity = Float32Array.from({ length: 128 * 128 }, (_, k) => (k % 129 === 0 ? 1 : 0));
const x = tensor(identity, [128, 128]);
const profile = await f.profile(x);
const { kernels, timing, milliseconds } = profile;
const result = (await profile.result.data())[0];
const found = { kernels, timing, milliseconds, result, trace: profile.trace() };
document.title = JSON.stringify(found);
