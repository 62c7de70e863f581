/** What only the host can find: fields of objects of a class, through which tensors come and go. */

import { compile, type Tensor, tensor } from "fluxion";

class Loader {
  current: Tensor<[number, 3]> = tensor([[1, 2, 3]]);
  readonly nested = { scale: 2 };
  count = 0;

  next(): boolean {
    this.count++;
    const { count } = this;
    this.current = tensor([
      [count, 1, 2],
      [3, 4, count],
    ]);
    return count < 4;
  }

  /** Asking changes something, so it must be asked as often as it is written. */
  get fresh(): Tensor<[2]> {
    this.count += 100;
    return tensor([1, this.count]);
  }

  readonly walk = compile(async (start: Tensor<[3]>) => {
    let w = start;
    let rounds = 0;
    while (this.next()) {
      w = w.add(this.current.sum(0)).mul(0.25);
      rounds++;
    }
    return { w, rounds };
  });
}

export const main = async () => {
  const log: unknown[] = [];
  const run = compile(async (loader: Loader) => {
    let w: Tensor<[3]> = tensor([1, 1, 1]);
    while (loader.next()) {
      const y = loader.current.mul(loader.nested.scale).matmul(w);
      w = w.add(loader.current.sum(0)).mul(y.mean()).mul(0.01);
      log.push(y.sum().item());
    }
    log.push(loader.fresh, loader.count);
    loader.current = loader.current.mul(3);
    log.push(loader.current.sum().item());
    return w;
  });
  return [await run(new Loader()), await new Loader().walk(tensor([1, 2, 3])), log];
};
export const tolerance = 1e-5;
