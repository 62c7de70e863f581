/** What is no picture is refused before anything is done. */

import { asTexture, draw, type Tensor, tensor } from "fluxion";
import { expect, test } from "vitest";

const canvas = {} as OffscreenCanvas;
const zeros = (...shape: readonly number[]): Tensor<any> =>
  tensor(new Float32Array(shape.reduce((count, extent) => count * extent, 1)), shape);

test.each([[[]], [[4]], [[2, 2, 2]], [[2, 2, 5]], [[2, 2, 0]], [[1, 2, 2, 3]]])(
  "shape %j",
  (shape) => {
    expect(() => draw(zeros(...shape), canvas)).toThrow(RangeError);
    expect(() => draw(zeros(...shape), canvas)).toThrow(
      `draw: a tensor f32[${shape.join(", ")}] is no picture, which is [height, width], or [height,`,
    );
  },
);

test.each([[[0, 2]], [[2, 0, 3]]])("no pixels in %j", (shape) => {
  expect(() => draw(zeros(...shape), canvas)).toThrow("has no pixels");
});

test("elements that are no f32", () => {
  const bytes = tensor(new Uint8Array(4), [2, 2]) as Tensor<any, any>;
  expect(() => draw(bytes, canvas)).toThrow(TypeError);
  expect(() => draw(bytes, canvas)).toThrow(
    "draw: a tensor u8[2, 2] is no picture, whose elements",
  );
});

test("a tensor that is gone", () => {
  const one = zeros(2, 2);
  one[Symbol.dispose]();
  expect(() => draw(one, canvas)).toThrow("this tensor was disposed of");
});

test("textures of other shapes and formats", () => {
  expect(() => asTexture(zeros(2, 2, 2))).toThrow("asTexture: a tensor f32[2, 2, 2] is no picture");
  expect(() => asTexture(zeros(2, 2), { format: "r8unorm" as "rgba8unorm" })).toThrow(
    'asTexture: format: "r8unorm" is neither rgba8unorm nor rgba32float',
  );
});
