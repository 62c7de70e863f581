/** Sorting is differentiable where no two numbers are equal: the gradient finds its way back. */

/** Batcher's odd-even merge sort, for any length: exchanges that do not depend on the data. */
export function sorted(values: Float64Array): Float64Array {
  const n = values.length;
  const out = values.slice();
  for (let p = 1; p < n; p *= 2) {
    for (let k = p; k >= 1; k = Math.floor(k / 2)) {
      for (let j = k % p; j + k < n; j += 2 * k) {
        for (let i = 0; i < Math.min(k, n - j - k); i++) {
          if (Math.floor((i + j) / (2 * p)) === Math.floor((i + j + k) / (2 * p))) {
            const low = Math.min(out[i + j], out[i + j + k]);
            const high = Math.max(out[i + j], out[i + j + k]);
            out[i + j] = low;
            out[i + j + k] = high;
          }
        }
      }
    }
  }
  return out;
}

/** The mean of the middle half: outliers have no say. */
export function trimmedMean(values: Float64Array): number {
  const n = values.length;
  const inOrder = sorted(values);
  const cut = Math.floor(n / 4);
  let total = 0;
  for (let k = cut; k < n - cut; k++) total += inOrder[k];
  return total / (n - 2 * cut);
}

/** A line's loss that outliers do not bend: the trimmed mean of squared errors. */
export function robustLoss(line: Float64Array, xs: Float64Array, ys: Float64Array): number {
  const errors = new Float64Array(xs.length);
  for (let k = 0; k < xs.length; k++) errors[k] = (line[0] * xs[k] + line[1] - ys[k]) ** 2;
  return trimmedMean(errors);
}
