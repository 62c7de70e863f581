import { compile, type Tensor, tensor } from "fluxion";

declare function ask(): Promise<boolean>;
declare const table: Record<string, Tensor<[3]>>;

// A tensor that only the host can find
export const lookUp = compile(async (names: string[]) => {
  for (const name of names) {
    if (await ask()) console.log(table[name]?.mul(2).sum().item());
  }
});

// The function is called by others
export async function shared(x: Tensor<[3]>) {
  await ask();
  return x.mul(2);
}
export const both = compile(shared);

// Nothing can wait inside of the callback
export const late = compile(
  async (x: Tensor<[3]>) => {
    const steps = [1, 2, 3];
    await ask();
    return steps.filter((step) => x.mul(step).sum().item() > 1);
  },
  { target: "webgpu" },
);

// An argument that there is not
export const given = compile(async (x: Tensor<[3]>) => x.add(tensor([1, 2, 3])), {
  donateArgnums: [1],
});

// The same array in each round, and one that the host fills anew
export const sent = compile(
  async (weights: Float32Array, w: Tensor<[3]>) => {
    let sum = w;
    const buffer = new Float32Array(3);
    for (let i = 0; i < 10; i++) {
      buffer[0] = i;
      if (await ask()) console.log(buffer);
      sum = sum.mul(tensor(weights, [3])).add(tensor(buffer, [3]));
    }
    return sum;
  },
  { target: "webgpu" },
);

// A default of an argument cannot wait either
export const byDefault = compile(
  async (x: Tensor<[3]>, size = x.mul(x).sum().item()) => {
    await ask();
    return x.mul(size);
  },
  { target: "webgpu" },
);
