/**
 * Random bits by the counter-based generator Threefry-2x32 with 20 rounds.
 * Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
 */

import { addDims, divideDim, elementCount } from "../../ir/dim.ts";
import type { Equation, Value } from "../../ir/types.ts";
import { dimIndex } from "../affine.ts";
import {
  add,
  constant,
  type Expr,
  less,
  load,
  type Local,
  local,
  loop,
  op,
  read,
  set,
  type Statement,
  store,
  subtract,
} from "../loop.ts";
import { costOf } from "../cost.ts";
import { type Axis, axesOf } from "../nest.ts";
import type { Program } from "../program.ts";

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

/** Block b encrypts (b, b + half): its first word is element b, its second element b + half. */
export function random_bits(program: Program, equation: Equation): void {
  const key = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const { shape } = output.type;
  const bits = program.buffer(key);
  const count = elementCount(shape);
  const half = divideDim(addDims(count, 1), 2);
  const [b, x, y] = [local("b", "i32"), local("x", "i32"), local("y", "i32")];
  const keys = [0, 1, 2].map((k) => local(`key${k}`, "i32"));
  const [k0, k1, k2] = keys as [Local, Local, Local];
  const word = (k: number): Expr => load(read(bits.pointer), constant(k), "u32");
  const prepare = [
    set(k0, word(0)),
    set(k1, word(1)),
    set(k2, op("bit_xor", "i32", [op("bit_xor", "i32", [read(k0), read(k1)]), constant(parity)])),
  ];
  const second = add(read(b), dimIndex(half));
  const encrypt = [
    set(x, add(read(b), read(k0))),
    set(y, add(second, read(k1))),
    ...rounds(x, y, keys),
  ];
  if (shape.length === 0) {
    program.kernel(
      "random_bits",
      "random bits",
      [...prepare, set(b, constant(0)), ...encrypt],
      [x],
    );
    program.setScalar(output, read(x));
    return;
  }
  const buffer = program.fresh(output);
  const base = read(buffer.pointer);
  program.define(output, { kind: "array", buffer });
  if (program.options.grid === true) {
    // A thread for each word: the other one of its block is another's.
    const axes = axesOf([count]);
    const [{ counter }] = axes as [Axis];
    const isFirst = less(read(counter), dimIndex(half));
    const before = op("select", "i32", [isFirst, constant(0), dimIndex(half)]);
    const word = op("select", "i32", [isFirst, read(x), read(y)]);
    program.nestKernel("random_bits", "random bits", axes, [
      ...prepare,
      set(b, subtract(read(counter), before)),
      ...encrypt,
      store(base, read(counter), "u32", word),
    ]);
    return;
  }
  const block: readonly Statement[] = [
    ...encrypt,
    store(base, read(b), "u32", read(x)),
    {
      kind: "if",
      condition: less(second, dimIndex(count)),
      then: [store(base, second, "u32", read(y))],
      otherwise: [],
    },
  ];
  const work = { count: half, cost: costOf(block) };
  program.sharedKernel("random_bits", "random bits", work, (choose) => {
    const { from, to } = choose(half, 1);
    return [...prepare, loop(b, to, block, 1, from)];
  });
}

function rounds(x: Local, y: Local, keys: readonly Local[]): readonly Statement[] {
  return Array.from({ length: 20 }, (_, round): readonly Statement[] => {
    const turn = rotations[round % 8] as number;
    const rotated = op("bit_or", "i32", [
      op("shift_left", "i32", [read(y), constant(turn)]),
      op("shift_right", "u32", [read(y), constant(32 - turn)]),
    ]);
    const step = [set(x, add(read(x), read(y))), set(y, op("bit_xor", "i32", [rotated, read(x)]))];
    if (round % 4 !== 3) return step;
    const injection = (round + 1) / 4;
    return [
      ...step,
      set(x, add(read(x), read(keys[injection % 3] as Local))),
      set(y, add(add(read(y), read(keys[(injection + 1) % 3] as Local)), constant(injection))),
    ];
  }).flat();
}
