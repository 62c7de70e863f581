import { compile as build } from "fluxion";
import { area, type Shape } from "./shapes.ts";
import * as shapes from "./shapes.ts";

const f = (shape: Shape) => area(shape) + shapes.perimeter(shape) + shapes.unit;
const compiled = build(f);

export const main = () => [compiled({ width: 2, height: 3 }), compiled({ width: 0.5, height: 4 })];
