/** Prints the sum of a bias's gradient of a multilayer perceptron. */

import { grad, tensor } from "fluxion";
import { batchOfGradient, digits, extents, initialWeights } from "./digits.ts";
import { loss } from "./modelFluxion.ts";

const gradient = grad(loss);

const [first, second, last] = initialWeights().map(([w, b], k) => ({
  w: tensor(w, [extents[k], extents[k + 1]]),
  b: tensor(b),
}));
const { images, labels } = digits(batchOfGradient, 0);
const slopes = gradient(
  { first, second, last },
  tensor(images, [batchOfGradient, 784]),
  tensor(labels, [batchOfGradient], "i32"),
);
console.log((await slopes.second.b.data()).reduce((sum, value) => sum + value, 0));
