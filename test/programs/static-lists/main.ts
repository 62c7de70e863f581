import { compile } from "fluxion";

const layers = [
  { width: 2, scale: 0.5 },
  { width: 3, scale: 0.25 },
] as const;
const coefficients = [1, -0.5, 0.125];
const names = ["sin", "cos"] as const;

const f = (x: number) => {
  let value = x;
  for (const { width, scale } of layers) value = value * scale + width;
  let horner = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) horner = horner * x + coefficients[i];
  let named = 0;
  for (const name of names) named += name === "sin" ? Math.sin(x) : Math.cos(x);
  const functions = [(v: number) => v + 1, (v: number) => v * 2];
  for (let i = 0; i < functions.length; i++) value = functions[i](value);
  const list: number[] = [];
  for (let i = 0; i < 3; i++) list.push(value * i);
  return { value, horner, named, list, label: `${names[0]}!`.length };
};
const compiled = compile(f);

export const main = () => [compiled(0.5), compiled(-3)];
export const tolerance = 1e-15;
