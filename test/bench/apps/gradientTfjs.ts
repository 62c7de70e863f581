/** Prints the sum of a bias's gradient of a multilayer perceptron, with TensorFlow.js. */

import * as tf from "@tensorflow/tfjs-core";
import { batchOfGradient, digits, hot } from "./digits.ts";
import { loss, variables } from "./modelTfjs.ts";

const { images, labels } = digits(batchOfGradient, 0);
const x = tf.tensor2d(images, [batchOfGradient, 784]);
const y = tf.tensor2d(hot(labels), [batchOfGradient, 10]);
const { grads } = tf.variableGrads(() => loss(x, y), variables);
const slope = (await grads[variables[3].name].data()) as Float32Array;
console.log(slope.reduce((sum, value) => sum + value, 0));
