import { compile } from "fluxion";

/** A record of an array and numbers, replaced in each turn. */
const f = (x: Float64Array, n: number) => {
  let state = { values: x.slice(), best: -1, count: 0 };
  for (let t = 0; t < n; t++) {
    const values = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) values[i] = state.values[i] * 0.5 + t;
    if (values[0] > 1.5) state = { values, best: values[0], count: state.count + 1 };
    else state = { ...state, values };
  }
  return state;
};
const compiled = compile(f);

export const main = () => [
  compiled(new Float64Array([1, 8]), 4),
  compiled(new Float64Array([2]), 0),
];
