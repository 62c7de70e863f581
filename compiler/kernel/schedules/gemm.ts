/**
 * Products of matrices at strided places, summed in the order of loops. Where the columns of c are
 * neighbours and its rows do not overlap: in packed panels and register tiles if the sizes pay, row
 * by row if they do not, as for a matrix and a vector. Else as the loops that they were. All of
 * that is known when the program runs.
 */

import type { Equation, Value } from "../../ir/types.ts";
import { type Gemm, gemmOf, type GemmOrder, orderOf, type Walk } from "../../ops/gemm.ts";
import { hoist } from "../hoist.ts";
import {
  add,
  constant,
  divide,
  type Expr,
  isConstant,
  type Lanes,
  less,
  load,
  local,
  type Local,
  loop,
  type LoopFunction,
  machine,
  multiply,
  op,
  read,
  remainder,
  set,
  splat,
  type Statement,
  store,
} from "../loop.ts";
import { rounds } from "../nest.ts";
import { describe, type Program } from "../program.ts";
import { wholeRange } from "../tasks.ts";
import { blockedProduct, fewRows } from "./blocked.ts";
import { range, tileColumns } from "./tile.ts";

const bytes = 8;
/** With fewer rows, columns or products in a sum, packing does not pay. */
const fewest = { rows: 2, columns: 4, products: 8 };

export function gemm(program: Program, equation: Equation): void {
  const inputs = gemmOf(equation.inputs);
  const { parameters } = equation;
  const subtract = parameters["subtract"] === true;
  const [a, b] = [program.buffer(inputs.a), program.buffer(inputs.b)];
  const c = program.ownApart(inputs.c, [a, b]);
  const of = (value: Value): Expr => program.scalar(value);
  const walk = (values: Walk<Value>): Walk<Expr> => [of(values[0]), of(values[1]), of(values[2])];
  const product: Gemm<Expr> = {
    c: read(c.pointer),
    a: read(a.pointer),
    b: read(b.pointer),
    extents: [of(inputs.extents[0]), of(inputs.extents[1]), of(inputs.extents[2])],
    atC: walk(inputs.atC),
    atA: walk(inputs.atA),
    atB: walk(inputs.atB),
  };
  if (program.options.grid === true) {
    onGrid(program, equation, product, subtract);
    program.define(equation.outputs[0] as Value, { kind: "array", buffer: c });
    return;
  }
  const plain = asLoops(program, product, orderOf(parameters), subtract);
  const blocked = inBlocks(program, product, subtract, plain);
  const [x, y] = [describe(inputs.a), describe(inputs.b)];
  // Places are in range where there is a product to add.
  const some = product.extents
    .map((extent) => op("gt", "i32", [extent, constant(0)]))
    .reduce((all, one) => both(all, one));
  program.kernel("gemm", `product of ${x} and ${y}, from loops`, [
    { kind: "if", condition: some, then: blocked, otherwise: [] },
  ]);
  program.define(equation.outputs[0] as Value, { kind: "array", buffer: c });
}

/**
 * An element of c for each thread of a grid, where no two are at one place: where rows, or columns,
 * are further apart than they are long. Else one thread adds all products.
 */
function onGrid(
  program: Program,
  { inputs }: Equation,
  { c, a, b, extents, atC, atA, atB }: Gemm<Expr>,
  subtract: boolean,
): void {
  const { dtype } = gemmOf(inputs).c.type;
  const [m, n, count] = extents.map((extent) => op("max", "i32", [extent, constant(0)])) as [
    Expr,
    Expr,
    Expr,
  ];
  const [i, j, k, sum] = [
    local("i", "i32"),
    local("j", "i32"),
    local("k", "i32"),
    local("sum", machine(dtype)),
  ];
  const place = placeOf(atC, read(i), read(j));
  const x = load(a, placeOf(atA, read(i), read(k)), dtype);
  const y = load(b, placeOf(atB, read(k), read(j)), dtype);
  const product = op("mul", dtype, [x, y]);
  const element = [
    set(sum, load(c, place, dtype)),
    loop(k, count, [set(sum, op(subtract ? "sub" : "add", dtype, [read(sum), product]))]),
    store(c, place, dtype, read(sum)),
  ];
  const name = `product of ${describe(inputs[1] as Value)} and ${describe(inputs[2] as Value)}`;
  const size = (step: Expr): Expr => op("abs", "i32", [step]);
  const [, ci, cj] = atC;
  const isWider = (step: Expr, length: Expr, inner: Expr): Expr =>
    both(
      op("ge", "i32", [size(step), multiply(length, size(inner))]),
      op("ne", "i32", [inner, constant(0)]),
    );
  const apart = op("or", "bool", [isWider(ci, n, cj), isWider(cj, m, ci)]);
  const threads = program.collect(() => {
    const round = local("round", "i32");
    const range = program.range(multiply(m, n), 1, constant(0, "f64"));
    const body = [set(i, divide(read(round), n)), set(j, remainder(read(round), n)), ...element];
    program.kernel("gemm", name, rounds(round, range, body), [], range);
  });
  const alone = program.collect(() =>
    program.kernel("gemm", `${name}, one by one`, [loop(i, m, [loop(j, n, element)])]),
  );
  program.emit({ kind: "if", condition: apart, then: threads, otherwise: alone });
}

/** Element (i, j) of an operand. */
function placeOf([start, outer, inner]: Walk<Expr>, i: Expr, j: Expr): Expr {
  return add(add(start, multiply(i, outer)), multiply(j, inner));
}

/** The loops in their order. The two inner ones are a function, which is called for each round. */
function asLoops(
  program: Program,
  product: Gemm<Expr>,
  order: GemmOrder,
  subtract: boolean,
): readonly Statement[] {
  const rounds = roundsFunction(order, subtract);
  program.parts.library(rounds);
  const counter = local(order.slice(0, 1), "i32");
  const extent = product.extents["ijk".indexOf(order.slice(0, 1))] as Expr;
  const { c, a, b, extents, atC, atA, atB } = product;
  const operands = [read(counter), c, a, b, ...extents, ...atC, ...atA, ...atB];
  return [loop(counter, extent, [{ kind: "call", callee: rounds.name, operands, results: [] }])];
}

/** A round of the outermost loop. Sums stay in a local where k is innermost. */
function roundsFunction(order: GemmOrder, subtract: boolean): LoopFunction {
  const names = ["c", "a", "b", "m", "n", "count"];
  const steps = ["c0", "ci", "cj", "a0", "ai", "ak", "b0", "bk", "bj"];
  const all = [...names, ...steps].map((name) => local(name, "i32"));
  const { c, a, b, extents, atC, atA, atB } = gemmOf(all.map(read));
  const counters = { i: local("i", "i32"), j: local("j", "i32"), k: local("k", "i32") };
  const [i, j, k] = [read(counters.i), read(counters.j), read(counters.k)];
  const [outer, middle, inner] = [...order] as [Name, Name, Name];
  const x = load(a, placeOf(atA, i, k), "f64");
  const y = load(b, placeOf(atB, k, j), "f64");
  const grown = (sum: Expr, left: Expr, right: Expr): Expr =>
    grownBy(sum, left, right, subtract, 1);
  const place = placeOf(atC, i, j);
  const [sum, same] = [local("sum", "f64"), local("same", "f64")];
  const over = (name: Name, body: readonly Statement[]): Statement =>
    loop(counters[name], extents["ijk".indexOf(name)] as Expr, body);
  // One factor does not change in the innermost loop, unless that is over k.
  const grow = (left: Expr, right: Expr): Statement =>
    store(c, place, "f64", grown(load(c, place, "f64"), left, right));
  const bodies: Readonly<Record<Name, readonly Statement[]>> = {
    i: [set(same, y), over("i", [grow(x, read(same))])],
    j: [set(same, x), over("j", [grow(read(same), y)])],
    k: [
      set(sum, load(c, place, "f64")),
      over("k", [set(sum, grown(read(sum), x, y))]),
      store(c, place, "f64", read(sum)),
    ],
  };
  return {
    name: `rounds_${order}${subtract ? "_minus" : ""}`,
    comment: `a round of the loops ${order} of a product`,
    parameters: [counters[outer], ...all],
    body: hoist([over(middle, bodies[inner])]),
    results: [],
    resultTypes: [],
  };
}

type Name = "i" | "j" | "k";

/**
 * In blocks where the columns of c are neighbours (or its rows are: then the product is transposed)
 * and its rows do not overlap.
 */
function inBlocks(
  program: Program,
  product: Gemm<Expr>,
  subtract: boolean,
  plain: readonly Statement[],
): readonly Statement[] {
  const { c, a, b, extents, atC, atA, atB } = product;
  const [m, n, count] = extents;
  const [c0, ci, cj] = atC;
  const [a0, ai, ak] = atA;
  const [b0, bk, bj] = atB;
  const direct = { rows: m, columns: n, step: ci, x: a, xr: ai, xk: ak, y: b, yk: bk, yc: bj };
  const across = { rows: n, columns: m, step: cj, x: b, xr: bj, xk: bk, y: a, yk: ak, yc: ai };
  const turned = both(isOne(ci), op("ne", "i32", [cj, constant(1)]));
  const chosen = new Map<string, Local>();
  const choose = (which: Readonly<Record<string, Expr>>): readonly Statement[] =>
    Object.entries(which).map(([name, value]) => {
      const target = chosen.get(name) ?? local(name, "i32");
      chosen.set(name, target);
      return set(target, value);
    });
  const start = (base: Expr, offset: Expr): Expr => add(base, multiply(offset, constant(bytes)));
  const addresses = { c: start(c, c0), a: start(a, a0), b: start(b, b0) };
  const straight = choose({ ...direct, x: addresses.a, y: addresses.b, z: addresses.c });
  const swapped = choose({ ...across, x: addresses.b, y: addresses.a, z: addresses.c });
  const the = (name: string): Local => chosen.get(name) as Local;
  const [rows, columns, step] = [read(the("rows")), read(the("columns")), read(the("step"))];
  const either = (x: Expr, y: Expr): Expr => op("or", "bool", [x, y]);
  const aside = either(
    op("le", "i32", [rows, constant(1)]),
    either(op("ge", "i32", [step, columns]), op("le", "i32", [step, op("neg", "i32", [columns])])),
  );
  const pays = both(
    op("ge", "i32", [rows, constant(fewest.rows)]),
    both(
      op("ge", "i32", [columns, constant(fewest.columns)]),
      op("ge", "i32", [count, constant(fewest.products)]),
    ),
  );
  const neighbours = either(isOne(ci), isOne(cj));
  const width = tileColumns("f64");
  const yc = read(the("yc"));
  const wholeTiles = op("eq", "i32", [remainder(columns, constant(width)), constant(0)]);
  const square = isConstant(m) && isConstant(n) && m.value === n.value;
  const blocks = (): readonly Statement[] =>
    blockedProduct(program, {
      dtype: "f64",
      rounding: "exact",
      // Known numbers make small blocks; a transposed product has them the other way round.
      m: square ? m : rows,
      n: square ? n : columns,
      k: count,
      rows: wholeRange(rows),
      columns: wholeRange(columns),
      split: undefined,
      a: { start: the("x"), rowStride: read(the("xr")), columnStride: read(the("xk")) },
      b: { start: the("y"), rowStride: read(the("yk")), columnStride: yc },
      c: { start: the("z"), rowStride: step },
      readB: both(both(isOne(yc), wholeTiles), less(rows, constant(fewRows))),
      adds: () => constant(1),
      negateA: subtract,
    });
  const { vectors } = program.options;
  const [along, dots] = [alongFunction(subtract, vectors), dotsFunction(subtract)];
  program.parts.library(along);
  program.parts.library(dots);
  const row = local("row", "i32");
  const from = (name: string, stride: Expr): Expr =>
    add(read(the(name)), multiply(multiply(read(row), stride), constant(bytes)));
  const ofRow = [from("z", step), from("x", read(the("xr"))), read(the("xk")), read(the("y"))];
  const steps = [read(the("yk")), yc, columns, count];
  const call = (fn: LoopFunction): readonly Statement[] => [
    { kind: "call", callee: fn.name, operands: [...ofRow, ...steps], results: [] },
  ];
  const thin = loop(row, rows, [
    { kind: "if", condition: isOne(yc), then: call(along), otherwise: call(dots) },
  ]);
  return [
    { kind: "if", condition: turned, then: swapped, otherwise: straight },
    {
      kind: "if",
      condition: both(neighbours, aside),
      then: vectors ? [{ kind: "if", condition: pays, then: blocks(), otherwise: [thin] }] : [thin],
      otherwise: plain,
    },
  ];
}

/** Products that are added to a vector at once, and sums that are taken at once. */
const together = 4;

function rowParameters() {
  const names = ["c", "x", "xk", "y", "yk", "yc", "columns", "count"] as const;
  return names.map((name) => local(name, "i32")) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
}

function grownBy(sum: Expr, x: Expr, y: Expr, subtract: boolean, lanes: Lanes): Expr {
  const product = op("mul", "f64", [x, y], lanes);
  return op(subtract ? "sub" : "add", "f64", [sum, product], lanes);
}

/**
 * `c[j] += Σ_k x[k·xk] · y[k·yk + j]`, in vectors of j where there are any; a few k at a time, in
 * their order.
 */
function alongFunction(subtract: boolean, vectors: boolean): LoopFunction {
  const parameters = rowParameters();
  const [c, x, xk, y, yk, , columns, count] = parameters;
  const [k, j, whole, wide] = ["k", "j", "whole", "wide"].map((name) => local(name, "i32")) as [
    Local,
    Local,
    Local,
    Local,
  ];
  const some = (most: number): readonly Statement[] => {
    const each = range(most);
    const factors = each.map((p) => local(`x${p}`, "f64"));
    const rows = each.map((p) => local(`y${p}`, "i32"));
    const rowAt = (p: number): Expr => add(read(k), constant(p));
    const grown = (lanes: Lanes): Statement =>
      store(
        read(c),
        read(j),
        "f64",
        each.reduce<Expr>(
          (sum, p) => {
            const factor = splat(read(factors[p] as Local), "f64", lanes);
            const element = load(read(rows[p] as Local), read(j), "f64", lanes);
            return grownBy(sum, factor, element, subtract, lanes);
          },
          load(read(c), read(j), "f64", lanes),
        ),
        lanes,
      );
    return [
      ...each.flatMap((p) => [
        set(factors[p] as Local, load(read(x), multiply(rowAt(p), read(xk)), "f64")),
        set(
          rows[p] as Local,
          add(read(y), multiply(multiply(rowAt(p), read(yk)), constant(bytes))),
        ),
      ]),
      ...(vectors ? [loop(j, read(wide), [grown(2)], 2)] : []),
      loop(j, read(columns), [grown(1)], 1, op("max", "i32", [read(wide), constant(0)])),
    ];
  };
  return {
    name: `row_along${subtract ? "_minus" : ""}`,
    comment: "a row of a product, from rows of the right operand",
    parameters,
    body: [
      set(whole, op("bit_and", "i32", [read(count), constant(-together)])),
      set(wide, vectors ? op("bit_and", "i32", [read(columns), constant(-2)]) : constant(0)),
      loop(k, read(whole), some(together), together),
      loop(k, read(count), some(1), 1, op("max", "i32", [read(whole), constant(0)])),
    ],
    results: [],
    resultTypes: [],
  };
}

/** `c[j] += Σ_k x[k·xk] · y[k·yk + j·yc]`, a few j at a time. */
function dotsFunction(subtract: boolean): LoopFunction {
  const parameters = rowParameters();
  const [c, x, xk, y, yk, yc, columns, count] = parameters;
  const [k, j, whole] = ["k", "j", "whole"].map((name) => local(name, "i32")) as [
    Local,
    Local,
    Local,
  ];
  const some = (most: number): readonly Statement[] => {
    const each = range(most);
    const sums = each.map((p) => local(`sum${p}`, "f64"));
    const columnsAt = each.map((p) => local(`y${p}`, "i32"));
    const factor = local("factor", "f64");
    const place = (p: number): Expr => add(read(j), constant(p));
    return [
      ...each.flatMap((p) => [
        set(sums[p] as Local, load(read(c), place(p), "f64")),
        set(
          columnsAt[p] as Local,
          add(read(y), multiply(multiply(place(p), read(yc)), constant(bytes))),
        ),
      ]),
      loop(k, read(count), [
        set(factor, load(read(x), multiply(read(k), read(xk)), "f64")),
        ...each.map((p) => {
          const element = load(read(columnsAt[p] as Local), multiply(read(k), read(yk)), "f64");
          const sum = sums[p] as Local;
          return set(sum, grownBy(read(sum), read(factor), element, subtract, 1));
        }),
      ]),
      ...each.map((p) => store(read(c), place(p), "f64", read(sums[p] as Local))),
    ];
  };
  return {
    name: `row_dots${subtract ? "_minus" : ""}`,
    comment: "a row of a product, from columns of the right operand",
    parameters,
    body: [
      set(whole, op("bit_and", "i32", [read(columns), constant(-together)])),
      loop(j, read(whole), some(together), together),
      loop(j, read(columns), some(1), 1, op("max", "i32", [read(whole), constant(0)])),
    ],
    results: [],
    resultTypes: [],
  };
}

function isOne(value: Expr): Expr {
  return op("eq", "i32", [value, constant(1)]);
}

function both(x: Expr, y: Expr): Expr {
  return op("and", "bool", [x, y]);
}
