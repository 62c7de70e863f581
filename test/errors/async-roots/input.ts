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

// A default of an argument cannot wait either
export const byDefault = compile(
  async (x: Tensor<[3]>, size = x.mul(x).sum().item()) => {
    await ask();
    return x.mul(size);
  },
  { target: "webgpu" },
);
