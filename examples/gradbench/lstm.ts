/** GradBench `lstm`: the loss of a recurrent network that guesses the next character. */

import { compile, grad } from "fluxion";
import { flat, plain, type Prepare, type Runs, work } from "./problem.ts";

export interface Weights {
  /** For each layer a row of weights and a row of biases, each of its four gates. */
  readonly layers: Float64Array;
  /** Weights of the input, and weights and biases of the output. */
  readonly ends: Float64Array;
}

export interface Text {
  /** For each layer the hidden values and those of the cells, as they are at the start. */
  readonly state: Float64Array;
  /** Characters as rows of `width` bits. */
  readonly characters: Float64Array;
  readonly width: number;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export function loss(weights: Weights, text: Text): number {
  const { layers, ends } = weights;
  const { characters, width } = text;
  const count = characters.length / width;
  const state = text.state.slice();
  const input = new Float64Array(width);
  const output = new Float64Array(width);
  let total = 0;
  for (let t = 0; t + 1 < count; t++) {
    for (let i = 0; i < width; i++) input[i] = characters[t * width + i] * ends[i];
    for (let hidden = 0; hidden < state.length; hidden += 2 * width) {
      const cell = hidden + width;
      const weight = 4 * hidden;
      const bias = weight + 4 * width;
      for (let i = 0; i < width; i++) {
        const u = input[i];
        const h = state[hidden + i];
        const forget = sigmoid(u * layers[weight + i] + layers[bias + i]);
        const keep = sigmoid(h * layers[weight + width + i] + layers[bias + width + i]);
        const show = sigmoid(u * layers[weight + 2 * width + i] + layers[bias + 2 * width + i]);
        const change = Math.tanh(h * layers[weight + 3 * width + i] + layers[bias + 3 * width + i]);
        const c = state[cell + i] * forget + keep * change;
        state[cell + i] = c;
        state[hidden + i] = show * Math.tanh(c);
        input[i] = state[hidden + i];
      }
    }
    let sum = 2;
    for (let i = 0; i < width; i++) {
      output[i] = input[i] * ends[width + i] + ends[2 * width + i];
      sum += Math.exp(output[i]);
    }
    const normal = Math.log(sum);
    for (let i = 0; i < width; i++) {
      total -= characters[(t + 1) * width + i] * (output[i] - normal);
    }
  }
  return total / ((count - 1) * width);
}

export const value = compile(loss);
export const slope = grad(loss);

interface Input extends Runs {
  readonly main_params: readonly (readonly number[])[];
  readonly extra_params: readonly (readonly number[])[];
  readonly state: readonly (readonly number[])[];
  readonly sequence: readonly (readonly number[])[];
}

function read(input: Input): [Weights, Text] {
  return [
    { layers: flat(input.main_params), ends: flat(input.extra_params) },
    {
      state: flat(input.state),
      characters: flat(input.sequence),
      width: input.extra_params[0].length,
    },
  ];
}

export const objective: Prepare<Input> = (input) => {
  const [weights, text] = read(input);
  return work(() => value(weights, text), plain);
};

export const jacobian: Prepare<Input> = (input) => {
  const [weights, text] = read(input);
  return work(
    () => slope(weights, text),
    ({ layers, ends }) => [...layers, ...ends],
  );
};
