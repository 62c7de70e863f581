import { compile, type Dim, type Tensor, tensor, valueAndGrad } from "fluxion";

interface Line<D extends Dim> {
  readonly slope: Tensor<[D]>;
  readonly offset: Tensor<[]>;
}

function loss<D extends Dim>(line: Line<D>, x: Tensor<[D]>) {
  return line.slope.mul(x).add(line.offset).square().sum();
}

/** A step whose parameters go in and come out in the same memory. */
const step = compile(
  <D extends Dim>(line: Line<D>, x: Tensor<[D]>) => {
    const [value, gradient] = valueAndGrad(loss)(line, x);
    const slope = line.slope.sub(gradient.slope.mul(0.01));
    return { value, line: { slope, offset: line.offset.sub(gradient.offset.mul(0.01)) } };
  },
  { donateArgnums: [0] },
);

export const main = () => {
  const x = tensor([1, 2, 3, 4, 5], [5], "f32");
  let line: Line<5> = { slope: tensor([1, 0, -1, 2, 0.5], [5]), offset: tensor([0.25], []) };
  const values = [];
  for (let k = 0; k < 5; k++) {
    const next = step(line, x);
    values.push(next.value);
    line = next.line;
  }
  return [values, line];
};
export const tolerance = 1e-5;
