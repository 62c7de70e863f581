/** Patterns and sparse matrices of functions of tensors, without the compiler. */

import { expect, test } from "vitest";
import {
  hessian,
  hessianSparsity,
  jacfwd,
  jvps,
  sparseHessian,
  sparseJacfwd,
  sparseJacobian,
  sparseJacrev,
  type SparseMatrix,
  sparsity,
  sparsityOf,
  type Tensor,
  tensor,
  vjps,
} from "../../lang/index.ts";

type Vector = Tensor<[5], "f64">;

const x: Vector = tensor([0.5, -1, 2, 0.25, 3], [5], "f64");
/** Products of neighbours. */
const chain = (v: Vector) =>
  v
    .slice(0, 0, 4)
    .mul(v.slice(0, 1, 5))
    .sin() as Tensor<[4], "f64">;
const energy = (v: Vector) => chain(v).square().sum() as Tensor<[], "f64">;

function dense({ shape, rowPointers, columns, values }: SparseMatrix): number[] {
  const all = Array.from({ length: shape[0] * shape[1] }, () => 0);
  for (let i = 0; i < shape[0]; i++) {
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) {
      all[i * shape[1] + columns[k]!] = values[k]!;
    }
  }
  return all;
}

test("Jacobians", () => {
  const pattern = sparsity(chain)(x);
  expect([...pattern.columns]).toEqual([0, 1, 1, 2, 2, 3, 3, 4]);
  expect(pattern.colouring("columns").count).toBe(2);
  const expected = [...jacfwd(chain)(x).dataSync()];
  for (const jacobian of [sparseJacobian(chain), sparseJacfwd(chain), sparseJacrev(chain)]) {
    expect(dense(jacobian(pattern, x))).toEqual(expected.map((v) => expect.closeTo(v, 14)));
  }
});

test("Hessians", () => {
  const pattern = hessianSparsity(energy)(x);
  expect([...pattern.rowPointers]).toEqual([0, 2, 5, 8, 11, 13]);
  const expected = [...hessian(energy)(x).dataSync()];
  expect(dense(sparseHessian(energy)(pattern, x))).toEqual(
    expected.map((v) => expect.closeTo(v, 13)),
  );
});

test("products with many directions", () => {
  const rows = tensor([1, 0, 0, 0, 0, 0, 1, 0, 0, 1], [2, 5], "f64");
  const all = [...jacfwd(chain)(x).dataSync()];
  const products = jvps(chain)(rows, x);
  expect(products.shape).toEqual([2, 4]);
  expect([...products.dataSync()].slice(0, 4)).toEqual(
    [0, 5, 10, 15].map((k) => expect.closeTo(all[k]!, 14)),
  );
  const back = vjps(chain)(tensor([0, 0, 1, 0], [1, 4], "f64"), x);
  expect([...back.dataSync()]).toEqual(all.slice(10, 15).map((v) => expect.closeTo(v, 14)));
});

test("numbers need the compiler, and say so", () => {
  const square = (v: Float64Array) => v.map((a) => a * a);
  const numbers = Float64Array.of(1, 2);
  expect(() => sparsity(square)(numbers)).toThrow("`sparsity` needs the compiler here");
  expect(() => sparseJacobian(square)(sparsityOf([[0], [1]], 2), numbers)).toThrow(
    "`sparseJacobian` needs the compiler here",
  );
  expect(() => jvps(square)([numbers], numbers)).toThrow("`jvps` needs the compiler here");
});

test("an element that the values choose has no pattern", () => {
  const greatest = (v: Vector) => v.take(v.argmax(0).reshape([1]), 0) as Tensor<[1], "f64">;
  expect(() => sparsity(greatest)(x)).toThrow(
    "there is no one sparsity pattern: which element this is depends on the values",
  );
});
