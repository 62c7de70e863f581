/** What stands for MNIST in the programs that are started as processes: cheap to make, no files. */

export const extents = [784, 256, 128, 10];

/** Numbers in ±scale that look irregular. */
export function pattern(size: number, seed: number, scale: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(size);
  let state = seed * 7919 + 1;
  for (let k = 0; k < size; k++) {
    state = (state * 137 + 71) % 10007;
    out[k] = (state / 5003.5 - 1) * scale;
  }
  return out;
}

/** Weights and biases of each layer. */
export function initialWeights(): readonly (readonly [w: Float32Array, b: Float32Array])[] {
  return [0, 1, 2].map((k) => {
    const [inputs = 0, outputs = 0] = extents.slice(k, k + 2);
    return [
      pattern(inputs * outputs, k, Math.sqrt(2 / inputs)),
      pattern(outputs, 10 + k, 0.05),
    ] as const;
  });
}

/** Images, 784 pixels each, and what they show. */
export function digits(count: number, seed: number) {
  const images = pattern(count * 784, 100 + seed, 0.5).map((value) => value + 0.5);
  const labels = Int32Array.from({ length: count }, (_, k) => k % 10);
  return { images, labels };
}

/** The labels as rows that are 1 at the label. */
export function hot(labels: Int32Array): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(labels.length * 10);
  labels.forEach((label, k) => (rows[k * 10 + label] = 1));
  return rows;
}

/** Of the training programs: steps on batches in turn. */
export const training = { batch: 128, batches: 8, steps: 100 };
/** Of the programs that print one gradient. */
export const batchOfGradient = 32;
