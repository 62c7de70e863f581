/** Sums and maxima over windows of images: each window's elements as one expression. */

import type { Dim } from "../../ir/dim.ts";
import type { DType, Equation, Value, ValueType } from "../../ir/types.ts";
import { addIndex, dimIndex, flatIndex, localIndex, scaleIndex } from "../affine.ts";
import {
  constant,
  divide,
  type Expr,
  isConstant,
  less,
  load,
  machine,
  op,
  read,
  remainder,
  set,
  type Statement,
  store,
  temporary,
} from "../loop.ts";
import { axesOf, nest } from "../nest.ts";
import { describe, type Program } from "../program.ts";

interface Windows {
  readonly window: readonly number[];
  readonly stride: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** One element of a window: its index in x, and whether it is inside; undefined: it always is. */
interface Tap {
  readonly index: readonly Expr[];
  readonly inside: Expr | undefined;
}

export function window_sum(program: Program, equation: Equation): void {
  reduceWindows(program, equation, "add", 0);
}

export function window_max(program: Program, equation: Equation): void {
  reduceWindows(program, equation, "max", -Infinity);
}

function reduceWindows(program: Program, equation: Equation, name: string, none: number): void {
  const x = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = x.type;
  const source = program.buffer(x);
  const target = program.fresh(output);
  const axes = axesOf(output.type.shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const elements = tapsOf(equation, shape, index).map((tap) =>
    guarded(tap, load(read(source.pointer), flatIndex(shape, tap.index), dtype), none, dtype),
  );
  // -∞ is no identity of what may be NaN only in name: max(-∞, x) is x.
  const combined = elements.reduce((a, b) => op(name, dtype, [a, b]));
  const at = flatIndex(output.type.shape, index);
  const body = [store(read(target.pointer), at, dtype, combined)];
  program.nestKernel("windows", `${equation.op} of ${describe(x)}`, axes, body);
  program.define(output, { kind: "array", buffer: target });
}

/** Element p of x gets from every window o with p = o·stride + q - low for some q. */
export function window_sum_input(program: Program, equation: Equation): void {
  const y = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const { window, stride, low } = windowsOf(equation);
  const { dtype, shape } = y.type;
  const source = program.buffer(y);
  const target = program.fresh(output);
  const axes = axesOf(output.type.shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const terms = offsetsOf(window).map((offset) => {
    const place = [...index];
    const tests: Expr[] = [];
    offset.forEach((q, a) => {
      const step = stride[a] as number;
      const shifted = addIndex(index[a + 1] as Expr, constant((low[a] as number) - q));
      const whole = step === 1 ? shifted : op("div", "i32", [shifted, constant(step)]);
      place[a + 1] = whole;
      const inside = op("lt", "u32", [whole, dimIndex(shape[a + 1] as Dim)]);
      const notBefore = op("ge", "i32", [shifted, constant(0)]);
      tests.push(op("and", "bool", [inside, notBefore]));
      if (step > 1) {
        const rest = op("rem", "i32", [shifted, constant(step)]);
        tests.push(op("eq", "i32", [rest, constant(0)]));
      }
    });
    const inside = tests.reduce((a, b) => op("and", "bool", [a, b]));
    const value = load(read(source.pointer), flatIndex(shape, place), dtype);
    return guarded({ index: place, inside }, value, 0, dtype);
  });
  const sum = terms.reduce((a, b) => op("add", dtype, [a, b]));
  const body = [store(read(target.pointer), flatIndex(output.type.shape, index), dtype, sum)];
  program.nestKernel("windows", `${equation.op} of ${describe(y)}`, axes, body);
  program.define(output, { kind: "array", buffer: target });
}

/** `w` of each window goes to the first greatest element of the window. */
export function window_max_grad(program: Program, equation: Equation): void {
  if (program.options.grid === true) {
    gradOnGrid(program, equation);
    return;
  }
  const [x, w] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = x.type;
  const [source, weights] = [program.buffer(x), program.buffer(w)];
  const target = program.fresh(output);
  const axes = axesOf(w.type.shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const weight = temporary("w", machine(dtype));
  const body: Statement[] = [
    set(weight, load(read(weights.pointer), flatIndex(w.type.shape, index), dtype)),
  ];
  const tiled = tilesExactly(equation, shape, w.type.shape);
  const stores: Statement[] = [];
  for (const { tap, hit } of firstGreatest(
    equation,
    read(source.pointer),
    shape,
    dtype,
    index,
    body,
  )) {
    const at = flatIndex(shape, tap.index);
    const part = op("select", dtype, [hit, read(weight), constant(0, dtype)]);
    const base = read(target.pointer);
    const value = tiled ? part : op("add", dtype, [load(base, at, dtype), part]);
    const statement = store(base, at, dtype, value);
    stores.push(
      tap.inside === undefined
        ? statement
        : { kind: "if", condition: tap.inside, then: [statement], otherwise: [] },
    );
  }
  const name = `${equation.op} of ${describe(x)}`;
  const loops = [...body, ...stores];
  if (tiled) program.nestKernel("windows", name, axes, loops);
  else {
    // Windows that have elements in common come one after the other.
    program.kernel("windows", name, [
      { kind: "clear", to: read(target.pointer), bytes: dimIndex(program.bytesOf(output.type)) },
      ...nest(axes, loops, program.options.vectors),
    ]);
  }
  program.define(output, { kind: "array", buffer: target });
}

/**
 * As `window_max_grad`, a thread for each element: which one of its window gets `w` is found first, by
 * a thread for each window, and each element then asks the windows that it is in, first windows first.
 */
function gradOnGrid(program: Program, equation: Equation): void {
  const [x, w] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = x.type;
  const [source, weights] = [program.buffer(x), program.buffer(w)];
  const name = `${equation.op} of ${describe(x)}`;
  const windowed = w.type.shape;
  const chosenType: ValueType = { dtype: "i32", shape: windowed, stack: false };
  const chosen = program.allocate("greatest", program.bytesOf(chosenType));
  const windows = axesOf(windowed);
  const at = windows.map(({ counter }) => localIndex(counter));
  const body: Statement[] = [];
  const taps = firstGreatest(equation, read(source.pointer), shape, dtype, at, body);
  const number = taps.reduceRight<Expr>(
    (others, { hit }, k) => op("select", "i32", [hit, constant(k), others]),
    constant(taps.length),
  );
  body.push(store(read(chosen.pointer), flatIndex(windowed, at), "i32", number));
  program.nestKernel("windows", `the greatest of each window, for ${name}`, windows, body);

  const target = program.fresh(output);
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const gradient: Statement[] = [];
  const parts = windowsAround(equation, shape, windowed, index, gradient).map((around) => {
    const place = flatIndex(windowed, around.index);
    const isChosen = op("eq", "i32", [load(read(chosen.pointer), place, "i32"), around.number]);
    const weight = load(read(weights.pointer), place, dtype);
    return guarded(around, guarded({ index, inside: isChosen }, weight, 0, dtype), 0, dtype);
  });
  const sum = parts.reduce((a, b) => op("add", dtype, [a, b]), constant(0, dtype));
  gradient.push(store(read(target.pointer), flatIndex(shape, index), dtype, sum));
  program.nestKernel("windows", name, axes, gradient);
  program.define(output, { kind: "array", buffer: target });
}

/** A window that an element of x is in: its index, and the number of the element in it. */
interface Around extends Tap {
  readonly number: Expr;
}

/**
 * The windows that element p may be in, first ones first: `p + low = o·stride + q` for window o, of
 * which it is element q. `body` gets what they are computed from.
 */
function windowsAround(
  equation: Equation,
  shape: readonly Dim[],
  windowed: readonly Dim[],
  index: readonly Expr[],
  body: Statement[],
): readonly Around[] {
  const { window, stride, low } = windowsOf(equation);
  const axes = window.map((extent, a) => {
    const [step, before] = [stride[a] as number, low[a] as number];
    const [size, count] = [shape[a + 1] as Dim, windowed[a + 1] as Dim];
    const shifted = addIndex(index[a + 1] as Expr, constant(before));
    const [last, rest] = [temporary("o", "i32"), temporary("q", "i32")];
    body.push(set(last, divide(shifted, constant(step))));
    body.push(set(rest, remainder(shifted, constant(step))));
    return Array.from({ length: Math.ceil(extent / step) }, (_, back) => {
      const o = addIndex(localIndex(last), constant(-back));
      const q = addIndex(localIndex(rest), constant(back * step));
      const tests: Expr[] = [];
      if ((back + 1) * step > extent) tests.push(less(q, constant(extent)));
      const isKnown = typeof size === "number" && typeof count === "number";
      const [from, to] = [before, before + Number(size) - 1].map(
        (p) => Math.floor(p / step) - back,
      ) as [number, number];
      if (!isKnown || from < 0 || to >= count) tests.push(op("lt", "u32", [o, dimIndex(count)]));
      return { o, q, tests };
    }).toReversed();
  });
  const choices = axes.reduce<readonly (typeof axes)[number][]>(
    (lists, axis) => lists.flatMap((list) => axis.map((each) => [...list, each])),
    [[]],
  );
  return choices.map((choice): Around => {
    const [first, ...others] = choice.flatMap(({ tests }) => tests);
    const place = choice.map(({ o }) => o);
    return {
      index: [index[0] as Expr, ...place, index.at(-1) as Expr],
      number: flatIndex(
        window,
        choice.map(({ q }) => q),
      ),
      inside: first && others.reduce((a, b) => op("and", "bool", [a, b]), first),
    };
  });
}

/** The element of `t` where x has the first greatest element of each window. */
export function window_max_take(program: Program, equation: Equation): void {
  const [x, t] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const { dtype, shape } = x.type;
  const [source, taken] = [program.buffer(x), program.buffer(t)];
  const target = program.fresh(output);
  const axes = axesOf(output.type.shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const body: Statement[] = [];
  const taps = firstGreatest(equation, read(source.pointer), shape, dtype, index, body);
  const chosen = taps.reduce<Expr>(
    (others, { tap, hit }) => {
      const value = load(read(taken.pointer), flatIndex(shape, tap.index), dtype);
      return op("select", dtype, [hit, guarded(tap, value, 0, dtype), others]);
    },
    constant(0, dtype),
  );
  body.push(store(read(target.pointer), flatIndex(output.type.shape, index), dtype, chosen));
  program.nestKernel("windows", `${equation.op} of ${describe(x)}`, axes, body);
  program.define(output, { kind: "array", buffer: target });
}

/** For each element of a window, whether it is the first greatest one; NaN counts as greatest. */
function firstGreatest(
  equation: Equation,
  base: Expr,
  shape: readonly Dim[],
  dtype: DType,
  index: readonly Expr[],
  body: Statement[],
): readonly { readonly tap: Tap; readonly hit: Expr }[] {
  const taps = tapsOf(equation, shape, index);
  const values = taps.map((tap) => {
    const kept = temporary("x", machine(dtype));
    const value = load(base, flatIndex(shape, tap.index), dtype);
    body.push(set(kept, guarded(tap, value, -Infinity, dtype)));
    return read(kept);
  });
  const greatest = temporary("greatest", machine(dtype));
  body.push(
    set(
      greatest,
      values.reduce((a, b) => op("max", dtype, [a, b])),
    ),
  );
  let found: Expr | undefined;
  return taps.map((tap, k) => {
    const value = values[k] as Expr;
    const equal = op("or", "bool", [
      op("eq", dtype, [value, read(greatest)]),
      op("is_nan", dtype, [value]),
    ]);
    const here = tap.inside === undefined ? equal : op("and", "bool", [equal, tap.inside]);
    const hit = temporary("hit", "i32");
    body.push(
      set(hit, found === undefined ? here : op("and", "bool", [here, op("not", "bool", [found])])),
    );
    if (found === undefined) found = read(hit);
    else {
      const next = temporary("found", "i32");
      body.push(set(next, op("or", "bool", [found, read(hit)])));
      found = read(next);
    }
    return { tap, hit: read(hit) };
  });
}

function tapsOf(equation: Equation, shape: readonly Dim[], index: readonly Expr[]): readonly Tap[] {
  const { window, stride, low, high } = windowsOf(equation);
  return offsetsOf(window).map((offset): Tap => {
    const place = [...index];
    const tests: Expr[] = [];
    offset.forEach((q, a) => {
      const before = low[a] as number;
      const scaled = scaleIndex(index[a + 1] as Expr, stride[a] as number);
      const p = addIndex(scaled, constant(q - before));
      place[a + 1] = p;
      if (before > 0 || (high[a] as number) > 0) {
        tests.push(op("lt", "u32", [p, dimIndex(shape[a + 1] as Dim)]));
      }
    });
    const [first, ...others] = tests;
    const inside = first && others.reduce((a, b) => op("and", "bool", [a, b]), first);
    return { index: place, inside };
  });
}

function guarded({ inside }: Tap, value: Expr, none: number, dtype: DType): Expr {
  if (inside === undefined || (isConstant(inside) && inside.value === 1)) return value;
  const otherwise = constant(none, dtype);
  return { kind: "when", dtype, lanes: 1, condition: inside, then: value, otherwise };
}

/** True when every element of x is in exactly one window. */
function tilesExactly(equation: Equation, x: readonly Dim[], windowed: readonly Dim[]): boolean {
  const { window, stride, low, high } = windowsOf(equation);
  return window.every((extent, a) => {
    const [from, count] = [x[a + 1], windowed[a + 1]];
    return (
      stride[a] === extent &&
      low[a] === 0 &&
      high[a] === 0 &&
      typeof from === "number" &&
      typeof count === "number" &&
      from === count * extent
    );
  });
}

function offsetsOf(window: readonly number[]): readonly (readonly number[])[] {
  return window.reduce<readonly (readonly number[])[]>(
    (offsets, extent) =>
      offsets.flatMap((offset) => Array.from({ length: extent }, (_, q) => [...offset, q])),
    [[]],
  );
}

function windowsOf(equation: Equation): Windows {
  return equation.parameters as unknown as Windows;
}
