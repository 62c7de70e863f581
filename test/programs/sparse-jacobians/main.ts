import {
  type Dim,
  hessian,
  hessianSparsity,
  jacfwd,
  jvps,
  sparseHessian,
  sparseJacfwd,
  sparseJacobian,
  sparseJacrev,
  type SparseMatrix,
  type Sparsity,
  sparsity,
  sparsityOf,
  tensor,
  type Tensor,
} from "fluxion";

/** A line for each row, `x` where the pattern has an entry. */
const text = ({ shape: [rows, columns], rowPointers, columns: at }: Sparsity | SparseMatrix) =>
  Array.from({ length: rows }, (_, i) => {
    const line = at.subarray(rowPointers[i], rowPointers[i + 1]);
    return Array.from({ length: columns }, (__, j) => (line.includes(j) ? "x" : ".")).join("");
  });

/** The same matrix with its zeros. */
const dense = ({ shape: [rows, columns], rowPointers, columns: at, values }: SparseMatrix) =>
  Array.from({ length: rows }, (_, i) => {
    const row = new Float64Array(columns);
    for (let k = rowPointers[i]; k < rowPointers[i + 1]; k++) row[at[k]] = values[k];
    return row;
  });

/** The greatest difference of entries, relative to them. */
const distance = (a: readonly Float64Array[], b: readonly Float64Array[]) => {
  let worst = a.length === b.length ? 0 : Infinity;
  a.forEach((row, i) =>
    row.forEach((x, j) => {
      worst = Math.max(worst, Math.abs(x - b[i][j]) / Math.max(1e-3, Math.abs(b[i][j])));
    }),
  );
  return worst < 1e-12;
};

/** u'' + uⁿ on a line, with nothing at the ends. */
function stencil(u: Float64Array, h: number): Float64Array {
  const n = u.length;
  return u.map((v, i) => {
    const left = i > 0 ? u[i - 1] : 0;
    const right = i < n - 1 ? u[i + 1] : 0;
    return (left - 2 * v + right) / (h * h) + v ** 3;
  });
}

/** A difference against the wind, which the values decide. */
function upwind(u: Float64Array): Float64Array {
  const out = new Float64Array(u.length);
  for (let i = 1; i < u.length - 1; i++) {
    if (u[i] > 0) out[i] = u[i] * (u[i] - u[i - 1]);
    else out[i] = u[i] * (u[i + 1] - u[i]);
  }
  return out;
}

/** Sums over a band that is wider on one side. */
function banded(x: number[], lower: number, upper: number): number[] {
  const out = x.map(() => 0);
  for (let i = 0; i < x.length; i++) {
    for (let j = Math.max(0, i - lower); j < Math.min(x.length, i + upper + 1); j++) {
      out[i] += Math.sin(x[j] * (i + 1)) / (1 + j);
    }
  }
  return out;
}

/** Two residuals an observation, each of one camera and one point. */
function residuals(
  parameters: Float64Array,
  cameras: number,
  camera: Int32Array,
  point: Int32Array,
): Float64Array {
  const out = new Float64Array(2 * camera.length);
  for (let k = 0; k < camera.length; k++) {
    const c = 3 * camera[k];
    const p = 3 * cameras + 2 * point[k];
    const [focus, cx, cy] = [parameters[c], parameters[c + 1], parameters[c + 2]];
    const [x, y] = [parameters[p] - cx, parameters[p + 1] - cy];
    const scale = focus * Math.exp(-(x * x + y * y));
    out[2 * k] = scale * x;
    out[2 * k + 1] = scale * y + Math.max(x, 0);
  }
  return out;
}

/** The first number is coupled with all others. */
function arrow(x: Float64Array): number {
  let sum = x[0] ** 4;
  for (let i = 1; i < x.length; i++) sum += x[0] * Math.sin(x[i]) + x[i] ** 2;
  return sum;
}

function rosenbrock(x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length - 1; i++) {
    sum += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2;
  }
  return sum;
}

/** Huber's loss of neighbours, whose branch the values decide. */
function huber(x: Float64Array, delta: number): number {
  let sum = 0;
  for (let i = 1; i < x.length; i++) {
    const d = x[i] - x[i - 1];
    if (Math.abs(d) < delta) sum += d * d * d;
    else sum += delta * (2 * Math.abs(d) - delta);
  }
  return sum;
}

const product = <N extends Dim>(a: Tensor<[N, 3], "f64">, x: Tensor<[3], "f64">) =>
  a.matmul(x).tanh();
const rowwise = <N extends Dim>(x: Tensor<[N, 3], "f64">) => x.square().sum(1);
const norm = (x: Float64Array) => x.reduce((s, v) => s + v * v, 0);
const twice = (x: number) => Float64Array.of(x, 2 * x, 3);
const singles = (x: Float32Array) => x.map((v) => v * v);
const grid = (x: number[][]) => x.map((row) => row.map((v) => v * row[0]));

/** Its length is a number. */
const firsts = (x: Float64Array, n: number) => {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = x[i] * x[i];
  return out;
};

const wave = (n: number, phase = 0) =>
  Float64Array.from({ length: n }, (_, k) => Math.sin(1.7 * k + phase));

const stencilPattern = sparsity(stencil);
const stencilJacobian = sparseJacobian(stencil);
const stencilForward = sparseJacfwd(stencil);
const stencilReverse = sparseJacrev(stencil);
const stencilDense = jacfwd(stencil);
const upwindPattern = sparsity(upwind);
const upwindJacobian = sparseJacobian(upwind);
const upwindDense = jacfwd(upwind);
const bandedPattern = sparsity(banded);
const bandedJacobian = sparseJacobian(banded);
const bandedDense = jacfwd(banded);
const bundlePattern = sparsity(residuals);
const bundleJacobian = sparseJacobian(residuals);
const bundleDense = jacfwd(residuals);
const productPattern = sparsity(product, { argnums: 1 });
const productJacobian = sparseJacobian(product, { argnums: 1 });
const matrixPattern = sparsity(product);
const rowPattern = sparsity(rowwise);
const rowJacobian = sparseJacobian(rowwise);
const normPattern = sparsity(norm);
const normJacobian = sparseJacobian(norm);
const twicePattern = sparsity(twice);
const twiceJacobian = sparseJacobian(twice);
const singlesJacobian = sparseJacobian(singles);
const gridPattern = sparsity(grid);
const gridJacobian = sparseJacobian(grid);
const firstsPattern = sparsity(firsts);
const firstsJacobian = sparseJacobian(firsts);
const firstsForward = jvps(firsts);
const arrowPattern = hessianSparsity(arrow);
const arrowHessian = sparseHessian(arrow);
const arrowDense = hessian(arrow);
const rosenbrockPattern = hessianSparsity(rosenbrock);
const rosenbrockHessian = sparseHessian(rosenbrock);
const rosenbrockDense = hessian(rosenbrock);
const huberPattern = hessianSparsity(huber);
const huberHessian = sparseHessian(huber);
const huberDense = hessian(huber);

export const main = () => {
  const u = wave(7);
  const s = stencilPattern(u, 0.5);
  const [camera, point] = [Int32Array.of(0, 1, 1, 0), Int32Array.of(0, 0, 2, 1)];
  const b = bundlePattern(wave(12), 2, camera, point);
  const band = bandedPattern([...wave(6)], 2, 1);
  const a = tensor(wave(12), [4, 3], "f64");
  const x = tensor(wave(3, 1), [3], "f64");
  const up = upwindPattern(u);
  const hand = sparsityOf([[0], [2, 1], [2]], 3);
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  return {
    stencil: [text(s), s.colouring("columns").count, s.cheapest()],
    jacobians: [stencilJacobian, stencilForward, stencilReverse].map((jacobian) =>
      distance(dense(jacobian(s, u, 0.5)), stencilDense(u, 0.5)),
    ),
    upwind: [text(up), text(upwindPattern(wave(7, 2))).join() === text(up).join()],
    windy: [u, wave(7, 2)].map((at) => distance(dense(upwindJacobian(up, at)), upwindDense(at))),
    banded: [
      text(band),
      distance(
        dense(bandedJacobian(band, [...wave(6)], 2, 1)),
        bandedDense([...wave(6)], 2, 1).map((row) => Float64Array.from(row)),
      ),
    ],
    bundle: [
      text(b),
      b.colouring("columns").count,
      distance(
        dense(bundleJacobian(b, wave(12), 2, camera, point)),
        bundleDense(wave(12), 2, camera, point),
      ),
    ],
    product: [text(productPattern(a, x)), productPattern(a, x).cheapest()],
    columns: [...productJacobian(productPattern(a, x), a, x).values].length,
    matrix: text(matrixPattern(a, x)),
    rowwise: [text(rowPattern(a)), dense(rowJacobian(rowPattern(a), a))[1]],
    norm: [text(normPattern(u)), normPattern(u).cheapest()],
    gradient: [...normJacobian(normPattern(u), u).values].map((v, k) => v === 2 * u[k]),
    twice: [text(twicePattern(1)), [...twiceJacobian(twicePattern(1), 1).values]],
    singles: [...singlesJacobian(sparsityOf([[0], [1]], 2), Float32Array.of(0.5, 3)).values],
    grid: [text(gridPattern(rows)), [...gridJacobian(gridPattern(rows), rows).values]],
    arrow: [text(arrowPattern(u)), arrowPattern(u).colouring("symmetric").count],
    rosenbrock: [text(rosenbrockPattern(u)), rosenbrockPattern(u).colouring("symmetric").count],
    huber: text(huberPattern(u, 0.5)),
    hessians: [
      distance(dense(arrowHessian(arrowPattern(u), u)), arrowDense(u)),
      distance(dense(rosenbrockHessian(rosenbrockPattern(u), u)), rosenbrockDense(u)),
      distance(dense(huberHessian(huberPattern(u, 0.9), u, 0.9)), huberDense(u, 0.9)),
    ],
    firsts: [text(firstsPattern(u, 2)), [...firstsJacobian(firstsPattern(u, 2), u, 2).values]],
    firstsForward: firstsForward([u, u], u, 2),
    hand: [text(hand), hand.shape],
    empty: [text(stencilPattern(wave(0), 1)), text(stencilPattern(wave(1), 1))],
  };
};

const tridiagonal = ["xx.....", "xxx....", ".xxx...", "..xxx..", "...xxx.", "....xxx", ".....xx"];

export const expected = () => ({
  stencil: [tridiagonal, 3, "columns"],
  jacobians: [true, true, true],
  upwind: [[".......", ...tridiagonal.slice(1, -1), "......."], true],
  windy: [true, true],
  banded: [["xx....", "xxx...", "xxxx..", ".xxxx.", "..xxxx", "...xxx"], true],
  bundle: [
    [
      ...["xxx...xx....", "xxx...xx....", "...xxxxx....", "...xxxxx...."],
      ...["...xxx....xx", "...xxx....xx", "xxx.....xx..", "xxx.....xx.."],
    ],
    5,
    true,
  ],
  product: [["xxx", "xxx", "xxx", "xxx"], "columns"],
  columns: 12,
  matrix: ["xxx.........", "...xxx......", "......xxx...", ".........xxx"],
  rowwise: [
    ["xxx.........", "...xxx......", "......xxx...", ".........xxx"],
    Float64Array.from({ length: 12 }, (_, k) => (k >= 3 && k < 6 ? 2 * wave(12)[k] : 0)),
  ],
  norm: [["xxxxxxx"], "rows"],
  gradient: Array.from({ length: 7 }, () => true),
  twice: [
    ["x", "x", "."],
    [1, 2],
  ],
  singles: [1, 6],
  grid: [
    ["x.....", "xx....", "x.x...", "...x..", "...xx.", "...x.x"],
    [2, 2, 1, 3, 1, 8, 5, 4, 6, 4],
  ],
  arrow: [["xxxxxxx", "xx.....", "x.x....", "x..x...", "x...x..", "x....x.", "x.....x"], 2],
  rosenbrock: [tridiagonal, 3],
  huber: tridiagonal,
  hessians: [true, true, true],
  firsts: [
    ["x......", ".x....."],
    [2 * wave(2)[0], 2 * wave(2)[1]],
  ],
  firstsForward: [wave(2).map((v) => 2 * v * v), wave(2).map((v) => 2 * v * v)],
  hand: [
    ["x..", ".xx", "..x"],
    [3, 3],
  ],
  empty: [[], ["x"]],
});
export const tolerance = 1e-15;
