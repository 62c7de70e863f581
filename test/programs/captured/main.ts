import { compile } from "fluxion";

let rate = 0.5;
const table = new Float64Array([1, 2, 3]);
const settings = { gain: 2, bias: { value: 1 } };

const make = (factor: number) =>
  compile((x: number) => (x * factor + rate) * settings.gain + table[1] + settings.bias.value);

export const main = () => {
  const f = make(3);
  const before = f(2);
  rate = 0.25;
  table[1] = 10;
  settings.gain = 4;
  const after = f(2);
  return [before, after, make(-1)(2)];
};
