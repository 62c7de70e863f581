/**
 * Elements along an axis at many indices from memory, and additions there.
 *
 *   gather        y[…a, …k, …b] = x[…a, indices[…k], …b]
 *   scatter_add   x[…a, indices[…k], …b] += updates[…a, …k, …b]
 *
 * On a grid each thread finds one element of the result, and writes that alone. A row of x gets what
 * is for it in the order of k:
 *
 *   x[…a, r, …b] += Σ_k { updates[…a, k, …b] : indices[k] = r }
 *
 * Indices are checked by threads of their own, which may run before, at the same time or after. So
 * what reads an element asks again whether it is there.
 */

import { type Dim, elementCount, multiplyDims } from "../../ir/dim.ts";
import type { Equation, Value } from "../../ir/types.ts";
import { addIndex, dimIndex, flatIndex, localIndex } from "../affine.ts";
import { ElementReader } from "../element.ts";
import {
  add,
  constant,
  type Expr,
  less,
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
  sum,
} from "../loop.ts";
import { type Axis, axesOf, nest, wrap } from "../nest.ts";
import { elementBytes } from "../options.ts";
import { describe, type Program } from "../program.ts";

export function gather(program: Program, equation: Equation): void {
  const [x, indices] = equation.inputs as readonly [Value, Value];
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const source = program.buffer(x);
  const list = program.scalarOrBuffer(indices);
  const { dtype, shape } = x.type;
  const axes = axesOf(output.type.shape);
  const rank = indices.type.shape.length;
  const index = axes.map(({ counter }) => localIndex(counter));
  const listed = index.slice(axis, axis + rank);
  const row = local("row", "i32");
  const place = [...index.slice(0, axis), localIndex(row), ...index.slice(axis + rank)];
  const value = load(read(source.pointer), flatIndex(shape, place), dtype);
  const name = `gather from ${describe(x)}`;
  if (axes.length === 0) {
    const result = local("v", machine(dtype));
    const found = [set(row, list([])), ...faultUnless(program, equation, read(row))];
    program.kernel("gather", name, [...found, set(result, value)], [result]);
    program.define(output, { kind: "scalar", expr: read(result) });
    return;
  }
  const onGrid = program.options.grid === true;
  if (onGrid) checkIndices(program, equation);
  const target = program.fresh(output);
  const at = flatIndex(output.type.shape, index);
  const put = (element: Expr): Statement => store(read(target.pointer), at, dtype, element);
  if (onGrid) {
    const body = [set(row, list(listed)), put(whereInside(equation, read(row), value))];
    program.nestKernel("gather", name, axes, body);
  } else {
    program.kernel(
      "gather",
      name,
      wrap(axes.slice(0, axis + rank), [
        set(row, list(listed)),
        ...faultUnless(program, equation, read(row)),
        ...nest(axes.slice(axis + rank), [put(value)], program.options.vectors),
      ]),
    );
  }
  program.define(output, { kind: "array", buffer: target });
}

/** In the memory of x. */
export function scatter_add(program: Program, equation: Equation): void {
  const [x, indices, updates] = equation.inputs as readonly [Value, Value, Value];
  const output = equation.outputs[0] as Value;
  const axis = equation.parameters["axis"] as number;
  const { dtype, shape } = x.type;
  const arrays = [indices, updates].filter(({ type }) => type.shape.length > 0);
  const buffers = arrays.map((value) => program.buffer(value));
  const buffer = program.ownApart(x, buffers);
  const base = read(buffer.pointer);
  const name = `scatter_add into ${describe(x)}`;
  if (program.options.grid === true) {
    checkIndices(program, equation);
    scatterOnGrid(program, equation, base, name);
    program.define(output, { kind: "array", buffer });
    return;
  }
  const axes = axesOf(updates.type.shape);
  const rank = indices.type.shape.length;
  const index = axes.map(({ counter }) => localIndex(counter));
  const row = local("row", "i32");
  const list = program.scalarOrBuffer(indices);
  const place = [...index.slice(0, axis), localIndex(row), ...index.slice(axis + rank)];
  const reader = new ElementReader(program);
  const element = reader.read(updates, index);
  reader.finish([]);
  const at = flatIndex(shape, place);
  const total = sum(dtype, load(base, at, dtype), element);
  program.kernel(
    "scatter_add",
    name,
    wrap(axes.slice(0, axis + rank), [
      set(row, list(index.slice(axis, axis + rank))),
      ...faultUnless(program, equation, read(row)),
      ...nest(
        axes.slice(axis + rank),
        [...reader.statements, store(base, at, dtype, total)],
        program.options.vectors,
      ),
    ]),
  );
  program.define(output, { kind: "array", buffer });
}

function scatterOnGrid(program: Program, equation: Equation, base: Expr, name: string): void {
  const [x, indices] = equation.inputs as readonly [Value, Value];
  const { dtype, shape } = x.type;
  const axes = axesOf(shape);
  const index = axes.map(({ counter }) => localIndex(counter));
  const total = local("total", machine(dtype));
  const added = (update: Expr): Statement => set(total, sum(dtype, read(total), update));
  const isOne = indices.type.shape.length === 0;
  const walk = isOne
    ? oneUpdate(program, equation, index, added)
    : updatesOf(program, equation, index, added);
  const at = flatIndex(shape, index);
  program.nestKernel("scatter_add", name, axes, [
    set(total, load(base, at, dtype)),
    ...walk,
    store(base, at, dtype, read(total)),
  ]);
}

/** What is added to an element of x where there is one index. */
function oneUpdate(
  program: Program,
  { inputs, parameters }: Equation,
  index: readonly Expr[],
  added: (update: Expr) => Statement,
): readonly Statement[] {
  const [, only, updates] = inputs as readonly [Value, Value, Value];
  const axis = parameters["axis"] as number;
  const condition = op("eq", "i32", [program.scalar(only), index[axis] as Expr]);
  const update = program.scalarOrBuffer(updates)(index.toSpliced(axis, 1));
  return [{ kind: "if", condition, then: [added(update)], otherwise: [] }];
}

/** With fewer steps than that in all, each element of x walks through all indices. */
const fewSteps = 2 ** 18;

/** What is added to an element of x. */
function updatesOf(
  program: Program,
  equation: Equation,
  index: readonly Expr[],
  added: (update: Expr) => Statement,
): readonly Statement[] {
  const [x, indices, updates] = equation.inputs as readonly [Value, Value, Value];
  const axis = equation.parameters["axis"] as number;
  const { dtype, shape } = x.type;
  const row = index[axis] as Expr;
  // All indices are one axis.
  const count = elementCount(indices.type.shape);
  const k = local("k", "i32");
  const source = read(program.buffer(updates).pointer);
  const place = flatIndex(shape.with(axis, count), index.with(axis, localIndex(k)));
  const addition = added(load(source, place, dtype));
  const isAlone = elementCount(shape.toSpliced(axis, 1)) === 1;
  const steps = multiplyDims(elementCount(shape), count);
  if (isAlone || (typeof steps === "number" && steps <= fewSteps)) {
    const list = read(program.buffer(indices).pointer);
    const condition = op("eq", "i32", [load(list, localIndex(k), "i32"), row]);
    return [loop(k, dimIndex(count), [{ kind: "if", condition, then: [addition], otherwise: [] }])];
  }
  const { first, next } = placesOf(program, equation, count);
  const forward = set(k, load(next, localIndex(k), "i32"));
  return [
    set(k, load(first, row, "i32")),
    {
      kind: "while",
      before: [],
      condition: less(read(k), dimIndex(count)),
      body: [addition, forward],
    },
  ];
}

/**
 * Where rows have many elements, which would all look for the same indices, they are found before:
 * `first[r]` is the first k with `indices[k] = r`, and `next[k]` the next one with the index of k;
 * their number where there is none.
 */
function placesOf(
  program: Program,
  { inputs, parameters }: Equation,
  count: Dim,
): { readonly first: Expr; readonly next: Expr } {
  const [x, indices] = inputs as readonly [Value, Value];
  const list = read(program.buffer(indices).pointer);
  const indexAt = (place: Expr): Expr => load(list, place, "i32");
  const [k, wanted] = [local("k", "i32"), local("wanted", "i32")];
  const isOther = op("ne", "i32", [indexAt(localIndex(k)), read(wanted)]);
  const search: Statement = {
    kind: "while",
    before: [],
    condition: whereSo(less(read(k), dimIndex(count)), isOther),
    body: [set(k, add(read(k), constant(1)))],
  };
  const found = (name: string, extent: Dim, start: (at: Expr) => readonly Statement[]): Expr => {
    const bytes = multiplyDims(extent, elementBytes("i32", program.options));
    const target = read(program.allocate(name, bytes).pointer);
    const axes = axesOf([extent]);
    const at = localIndex((axes[0] as Axis).counter);
    const body = [...start(at), search, store(target, at, "i32", read(k))];
    program.nestKernel("find_updates", `updates of ${describe(x)}`, axes, body);
    return target;
  };
  const rows = x.type.shape[parameters["axis"] as number] as Dim;
  const first = found("first", rows, (row) => [set(wanted, row), set(k, constant(0))]);
  const next = found("next", count, (at) => [
    set(wanted, indexAt(at)),
    set(k, addIndex(at, constant(1))),
  ]);
  return { first, next };
}

// Indices that must be in range

function extentOf({ inputs, parameters }: Equation): Expr {
  const [x] = inputs as readonly [Value];
  return dimIndex(x.type.shape[parameters["axis"] as number] as Dim);
}

function isOutside(equation: Equation, index: Expr): Expr {
  return op("ge", "u32", [index, extentOf(equation)]);
}

function whereInside(equation: Equation, index: Expr, value: Expr): Expr {
  const { dtype } = (equation.inputs[0] as Value).type;
  const condition = op("lt", "u32", [index, extentOf(equation)]);
  const otherwise = constant(0, dtype);
  return { kind: "when", dtype, lanes: 1, condition, then: value, otherwise };
}

function faultUnless(program: Program, equation: Equation, index: Expr): readonly Statement[] {
  const x = equation.inputs[0] as Value;
  const site = program.site("index", equation.op, equation.span, x.name);
  const fault: Statement = { kind: "fault", site, index, extent: extentOf(equation) };
  return [{ kind: "if", condition: isOutside(equation, index), then: [fault], otherwise: [] }];
}

/**
 * A thread for each index, which writes nothing. Of indices out of range the first one is the fault,
 * as in a loop: a thread that has found one looks at those before it.
 */
function checkIndices(program: Program, equation: Equation): void {
  const [x, indices] = equation.inputs as readonly [Value, Value];
  const axis = equation.parameters["axis"] as number;
  // Of no lines, no element is read.
  const lines = elementCount(x.type.shape.slice(0, axis));
  if (lines === 0) return;
  const whereRead = (faults: readonly Statement[]): readonly Statement[] => {
    if (typeof lines === "number") return faults;
    const condition = less(constant(0), dimIndex(lines));
    return [{ kind: "if", condition, then: faults, otherwise: [] }];
  };
  if (indices.type.shape.length === 0) {
    program.emit(...whereRead(faultUnless(program, equation, program.scalar(indices))));
    return;
  }
  const list = read(program.buffer(indices).pointer);
  const axes = axesOf([elementCount(indices.type.shape)], "k");
  const [{ counter: k }] = axes as [Axis];
  const at = (place: Local): Expr => load(list, localIndex(place), "i32");
  const before = local("before", "i32");
  const isInside = op("not", "bool", [isOutside(equation, at(before))]);
  const first: readonly Statement[] = [
    set(before, constant(0)),
    {
      kind: "while",
      before: [],
      condition: whereSo(less(read(before), read(k)), isInside),
      body: [set(before, add(read(before), constant(1)))],
    },
    {
      kind: "if",
      condition: op("eq", "i32", [read(before), read(k)]),
      then: whereRead(faultUnless(program, equation, at(k))),
      otherwise: [],
    },
  ];
  const name = `indices into ${describe(x)}`;
  program.nestKernel("check_indices", name, axes, [
    { kind: "if", condition: isOutside(equation, at(k)), then: [...first], otherwise: [] },
  ]);
}

/** `a && b`, with b asked where a is so. */
function whereSo(a: Expr, b: Expr): Expr {
  const otherwise = constant(0, "bool");
  return { kind: "when", dtype: "bool", lanes: 1, condition: a, then: b, otherwise };
}
