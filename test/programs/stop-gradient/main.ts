import { grad, stopGradient } from "fluxion";

const f = (x: number) => x * stopGradient(x * x);

export const main = () => [grad(f)(3), grad((x: number) => f(x) + x)(2)];
export const expected = () => [9, 5];
export const tolerance = 1e-9;
