/** Walks along one axis that keep their order: positions of extremes, and prefix sums. */

import { type Dim, elementCount } from "../../ir/dim.ts";
import type { Equation, Value } from "../../ir/types.ts";
import { dimIndex, flatIndex, localIndex } from "../affine.ts";
import { ElementReader } from "../element.ts";
import {
  constant,
  type Expr,
  load,
  type Local,
  local,
  loop,
  machine,
  op,
  read,
  set,
  type Statement,
  store,
} from "../loop.ts";
import { costOf } from "../cost.ts";
import { type Axis, axesOf, nest, wrap, wrapShared } from "../nest.ts";
import { describe, type Program } from "../program.ts";

export function argmax(program: Program, equation: Equation): void {
  extreme(program, equation, "gt");
}

export function argmin(program: Program, equation: Equation): void {
  extreme(program, equation, "lt");
}

/** The first index whose element is better than all before it; the first NaN is best of all. */
function extreme(program: Program, equation: Equation, better: "gt" | "lt"): void {
  const x = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const { dtype, shape } = x.type;
  const reader = new ElementReader(program);
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  reader.identity = index;
  const element = reader.read(x, index);
  const along = axes[axis] as Axis;
  const kept = axes.filter((other) => other !== along);
  const [best, place, value] = [
    local("best", machine(dtype)),
    local("place", "i32"),
    local("value", machine(dtype)),
  ];
  const wins = op(better, dtype, [read(value), read(best)]);
  const floating = dtype === "f64" || dtype === "f32";
  const isNan = (of: Local): Expr => op("is_nan", dtype, [read(of)]);
  const firstNan = op("and", "bool", [isNan(value), op("not", "bool", [isNan(best)])]);
  const first = op("eq", "i32", [read(along.counter), constant(0)]);
  const test = floating ? op("or", "bool", [wins, firstNan]) : wins;
  const walk: readonly Statement[] = [
    set(place, constant(0)),
    set(best, constant(0, dtype)),
    loop(along.counter, dimIndex(along.extent), [
      ...reader.statements,
      set(value, element),
      {
        kind: "if",
        condition: op("or", "bool", [first, test]),
        then: [set(best, read(value)), set(place, read(along.counter))],
        otherwise: [],
      },
    ]),
  ];
  const name = `${equation.op} of ${describe(x)}`;
  reader.finish([]);
  if (kept.length === 0) {
    program.kernel(equation.op, name, walk, [place]);
    program.define(output, { kind: "scalar", expr: read(place) });
    return;
  }
  const buffer = program.fresh(output);
  const at = flatIndex(
    output.type.shape,
    kept.map(({ counter }) => localIndex(counter)),
  );
  const body = [...walk, store(read(buffer.pointer), at, "i32", read(place))];
  const work = { count: elementCount(shape), cost: 2 };
  program.sharedKernel(equation.op, name, work, (choose) => wrapShared(kept, body, choose));
  program.define(output, { kind: "array", buffer });
}

/** Along the last axis a running total; along others each row is the row before plus its own. */
export function cumsum(program: Program, equation: Equation): void {
  const x = equation.inputs[0] as Value;
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const { dtype, shape } = x.type;
  const reader = new ElementReader(program);
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const element = reader.read(x, index);
  const buffer = program.fresh(output);
  reader.finish([]);
  buffer.from = program.step;
  const base = read(buffer.pointer);
  const at = flatIndex(shape, index);
  const [outer, inner] = [axes.slice(0, axis), axes.slice(axis + 1)];
  const along = axes[axis] as Axis;
  const name = `cumsum of ${describe(x)}`;
  if (inner.length === 0 || program.options.grid === true) {
    const total = local("total", machine(dtype));
    const line: readonly Statement[] = [
      set(total, constant(0, dtype)),
      loop(along.counter, dimIndex(along.extent), [
        ...reader.statements,
        set(total, op("add", dtype, [read(total), element])),
        store(base, at, dtype, read(total)),
      ]),
    ];
    const work = { count: elementCount(shape), cost: costOf(line) };
    program.sharedKernel("cumsum", name, work, (choose) =>
      wrapShared([...outer, ...inner], line, choose),
    );
  } else {
    const { vectors } = program.options;
    const zero = index.map((i, a) => (a === axis ? constant(0) : i));
    const before = index.map((i, a) => (a === axis ? previous(along) : i));
    const firstRow = reader0(program, x, zero);
    const sum = op("add", dtype, [load(base, flatIndex(shape, before), dtype), element]);
    program.kernel(
      "cumsum",
      name,
      wrap(outer, [
        {
          kind: "if",
          condition: op("gt", "i32", [dimIndex(shape[axis] as Dim), constant(0)]),
          then: nest(inner, [store(base, flatIndex(shape, zero), dtype, firstRow)], vectors),
          otherwise: [],
        },
        loop(
          along.counter,
          dimIndex(along.extent),
          nest(inner, [...reader.statements, store(base, at, dtype, sum)], vectors),
          1,
          constant(1),
        ),
      ]),
    );
  }
  program.define(output, { kind: "array", buffer });
}

function previous({ counter }: Axis): Expr {
  return { kind: "affine", constant: -1, terms: [{ local: counter, coefficient: 1 }] };
}

function reader0(program: Program, x: Value, index: readonly Expr[]): Expr {
  const reader = new ElementReader(program);
  const element = reader.read(x, index);
  reader.finish([]);
  return element;
}
