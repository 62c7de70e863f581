/** The language as it runs without the compiler. */

import { describe, expect, test } from "vitest";
import {
  grad,
  hessian,
  hvp,
  jacfwd,
  jacrev,
  jvp,
  map,
  matmul,
  type Tensor,
  tensor,
  treeMap,
  valueAndGrad,
  vjp,
  vmap,
  where,
} from "../../lang/index.ts";
import { gelu, layerNorm, softmaxCrossEntropy } from "../../stdlib/nn.ts";
import { adam, initAdam, momentum, initMomentum, sgd } from "../../stdlib/optim.ts";
import { foldIn, key, normal, randint, split, uniform } from "../../stdlib/random.ts";

const x = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
const w = tensor([0.1, -0.2, 0.3, 0.4], [2, 2]);
const labels = tensor([0, 1, 1], [3], "i32");

function loss(p: { w: Tensor<[2, 2]> }, inputs: Tensor<[3, 2]>): Tensor<[]> {
  return softmaxCrossEntropy(gelu(inputs.matmul(p.w)), labels).mean();
}

function numbers(t: Tensor<any, any>): number[] {
  return Array.from(t.dataSync() as Float32Array);
}

describe("operations", () => {
  test("methods and functions say the same", () => {
    expect(numbers(matmul(x, w))).toEqual(numbers(x.matmul(w)));
    expect(numbers(x.matmul(w))).toEqual(
      [0.7, 0.6, 1.5, 1, 2.3, 1.4].map((v) => expect.closeTo(v, 6)),
    );
  });

  test("shapes combine as in NumPy", () => {
    const row = tensor([10, 20], [2]);
    expect(numbers(x.add(row))).toEqual([11, 22, 13, 24, 15, 26]);
    expect(numbers(x.mul(tensor([1, 0, -1], [3, 1])))).toEqual([1, 2, 0, 0, -5, -6]);
    expect(() => x.add(tensor([1, 2, 3], [3]))).toThrow("cannot combine shapes [3,2] and [3]");
  });

  test("reductions keep or drop axes", () => {
    expect(numbers(x.sum(0))).toEqual([9, 12]);
    expect(x.mean(-1, { keepDims: true }).shape).toEqual([3, 1]);
    expect(x.max().item()).toBe(6);
  });

  test("logSumExp of -∞ is -∞, and softmax of big numbers is finite", () => {
    expect(tensor([-Infinity, -Infinity], [2]).logSumExp().item()).toBe(-Infinity);
    expect(numbers(tensor([1000, 1000], [2]).softmax())).toEqual([0.5, 0.5]);
  });

  test("a wrong product says what does not match, and what to do", () => {
    expect(() => x.matmul(x as never)).toThrow(
      "`matmul` needs the columns of its 1st argument to match the rows of its 2nd: 2 and 3",
    );
  });

  test("map applies a function of numbers", () => {
    expect(numbers(map((a, b) => (a > 2 ? a * b : 0), x, x))).toEqual([0, 0, 9, 16, 25, 36]);
  });
});

describe("transforms", () => {
  test("the gradient is the slope", () => {
    const p = { w };
    const [value, gradient] = valueAndGrad(loss)(p, x);
    expect(value.item()).toBeCloseTo(loss(p, x).item(), 6);
    numbers(w).forEach((_, k) => {
      const at = (h: number) =>
        loss(
          {
            w: tensor(
              w.dataSync().map((v, j) => (j === k ? v + h : v)),
              [2, 2],
            ),
          },
          x,
        ).item();
      expect(numbers(gradient.w)[k]).toBeCloseTo((at(0.01) - at(-0.01)) / 0.02, 2);
    });
  });

  test("argnums and auxiliary results", () => {
    const f = (a: Tensor<[2]>, b: Tensor<[2]>) => a.mul(b).sum();
    const [a, b] = [tensor([1, 2], [2]), tensor([3, 4], [2])];
    expect(numbers(grad(f, { argnums: 1 })(a, b))).toEqual([1, 2]);
    expect(grad(f, { argnums: [1, 0] })(a, b).map(numbers)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const g = (c: Tensor<[2]>): readonly [Tensor<[]>, Tensor<[2]>] => [c.square().sum(), c.neg()];
    const [[value, aux], gradient] = valueAndGrad(g, { hasAux: true })(a);
    expect([value.item(), numbers(aux), numbers(gradient)]).toEqual([5, [-1, -2], [2, 4]]);
  });

  test("jvp, vjp, Jacobians and Hessians", () => {
    const f = (a: Tensor<[2]>) => a.mul(a).mul(a);
    const a = tensor([1, 2], [2]);
    expect(jvp(f, [a], [tensor([1, 1], [2])]).map(numbers)).toEqual([
      [1, 8],
      [3, 12],
    ]);
    const [y, pullback] = vjp(f, a);
    expect([numbers(y), numbers(pullback(tensor([1, 10], [2]))[0])]).toEqual([
      [1, 8],
      [3, 120],
    ]);
    expect(numbers(jacrev(f)(a))).toEqual([3, 0, 0, 12]);
    expect(numbers(jacfwd(f)(a))).toEqual([3, 0, 0, 12]);
    const sum = (b: Tensor<[2]>) => f(b).sum();
    expect(numbers(hessian(sum)(a))).toEqual([6, 0, 0, 12]);
    expect(numbers(hvp(sum)(a, tensor([1, 2], [2])))).toEqual([6, 24]);
  });

  test("gradients of gradients, and of batches", () => {
    const cube = (a: Tensor<[]>) => a.mul(a).mul(a);
    const third = grad((b: Tensor<[]>) => grad((c: Tensor<[]>) => grad(cube)(c))(b));
    expect(third(tensor(5, [])).item()).toBe(6);
    const norm = (row: Tensor<[2]>) => row.dot(row) as Tensor<[]>;
    expect(numbers(vmap(grad(norm))(x))).toEqual([2, 4, 6, 8, 10, 12]);
    const total = (m: Tensor<[3, 2]>) => (vmap(norm)(m) as Tensor<[3]>).sum();
    expect(numbers(grad(total)(x))).toEqual([2, 4, 6, 8, 10, 12]);
  });

  test("what cannot be followed is refused, never a zero", () => {
    expect(() => grad((a: number) => a * a)(3)).toThrow("needs the compiler");
    expect(() => grad((a: Tensor<[2]>) => tensor(a.sum().item(), []))(tensor([1, 2], [2]))).toThrow(
      "needs the compiler",
    );
    expect(() => grad((a: Tensor<[2]>) => map((v) => v * v, a).sum())(tensor([1, 2], [2]))).toThrow(
      "needs the compiler",
    );
    expect(() => grad((a: Tensor<[2]>) => a as unknown as Tensor<[]>)(tensor([1, 2], [2]))).toThrow(
      "needs a scalar",
    );
  });

  test("the gradient at a branch not taken is not NaN", () => {
    const f = (a: Tensor<[2]>) => where(a.greater(0), a.sqrt(), 0).sum();
    expect(numbers(grad(f)(tensor([4, 9], [2])))).toEqual([0.25, expect.closeTo(1 / 6, 6)]);
    expect(numbers(grad((a: Tensor<[2]>) => a.relu().sum())(tensor([0, -1], [2])))).toEqual([0, 0]);
  });
});

describe("the standard library", () => {
  test("keys split as in JAX", () => {
    // jax.random.split(jax.random.PRNGKey(42)) with the original Threefry layout
    const [a, b] = split(key(42));
    expect([numbers(a as never), numbers(b as never)]).toEqual([
      [2465931498, 3679230171],
      [255383827, 267815257],
    ]);
  });

  test("random numbers have their moments", () => {
    const u = uniform(key(1), [10_000]);
    expect(u.mean().item()).toBeCloseTo(0.5, 1);
    expect(u.min().item()).toBeGreaterThanOrEqual(0);
    expect(u.max().item()).toBeLessThan(1);
    const n = normal(key(2), [10_000]);
    expect(n.mean().item()).toBeCloseTo(0, 1);
    expect(n.variance().item()).toBeCloseTo(1, 1);
    const dice = numbers(randint(key(3), [600], 1, 7));
    expect([Math.min(...dice), Math.max(...dice)]).toEqual([1, 6]);
    expect(numbers(foldIn(key(1), 1))).not.toEqual(numbers(foldIn(key(1), 2)));
  });

  test("optimizers follow their formulas", () => {
    const p = { a: tensor([1, 2], [2]), b: { c: tensor([3], [1]) } };
    const g = treeMap((leaf) => leaf.mul(0.5), p);
    expect(numbers(sgd(p, g, { learningRate: 0.1 }).b.c)).toEqual([expect.closeTo(2.85, 6)]);
    const m = momentum(p, g, initMomentum(p), { learningRate: 0.1 });
    expect(numbers(m.params.a)).toEqual([0.95, 1.9].map((v) => expect.closeTo(v, 6)));
    // The first step of Adam is the learning rate times the sign of the gradient.
    const next = adam(p, g, initAdam(p), { learningRate: 0.1 });
    expect(numbers(next.params.a)).toEqual([0.9, 1.9].map((v) => expect.closeTo(v, 5)));
    expect(next.state.step.item()).toBe(1);
  });

  test("a normalised layer has mean 0 and variance 1", () => {
    const y = layerNorm({ scale: tensor([1, 1], [2]), offset: tensor([0, 0], [2]) }, x);
    expect(numbers(y.mean(-1))).toEqual([0, 0, 0].map((v) => expect.closeTo(v, 5)));
    expect(numbers(y.variance(-1))).toEqual([1, 1, 1].map((v) => expect.closeTo(v, 3)));
  });
});
