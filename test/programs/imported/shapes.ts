/** A module of its own. */

export interface Shape {
  readonly width: number;
  readonly height: number;
}
export const unit = 0.125;
export const area = ({ width, height }: Shape) => width * height;
export function perimeter(shape: Shape) {
  return twice(shape.width + shape.height);
}
function twice(x: number) {
  return 2 * x;
}
