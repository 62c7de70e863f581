import { grad } from "fluxion";

const cube = (x: number) => x ** 3;
export const slopeOfCube = grad(cube);
