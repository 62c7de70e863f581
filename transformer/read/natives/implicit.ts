/**
 * The derivative of a solution that an equation defines:
 *
 *   r(x, p) = 0   →   ẋ = −(∂r/∂x)⁻¹ (∂r/∂p) ṗ
 *
 * As a rule of forward mode. Its own call of the solution is that of the function itself, so that
 * it can be differentiated again.
 */

import type ts from "typescript";
import { type Callee, type CustomCallee, encodeCallee } from "../../../compiler/autodiff/callee.ts";
import { addDims, type Dim, elementCount } from "../../../compiler/ir/dim.ts";
import {
  arrayType,
  type DType,
  isFloat,
  scalarType,
  type Value,
  type ValueType,
} from "../../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../../compiler/ops/builder.ts";
import type { Reader } from "../reader.ts";
import { closeBody, liftOpen, type OpenBody } from "./lift.ts";
import { emitCall } from "./transforms.ts";

interface Equation {
  readonly name: string;
  readonly solve: OpenBody;
  /** Of the solution, then of the arguments. */
  readonly residual: OpenBody;
  readonly inputs: readonly Value[];
  readonly results: readonly ValueType[];
  readonly node: ts.Node;
}

/** Emits the solution; its leaves. */
export function implicitRule(reader: Reader, equation: Equation): readonly Value[] {
  const { name, solve, residual, results, node } = equation;
  const captured = [...new Set([...solve.captured, ...residual.captured])];
  const inputs = [...equation.inputs, ...captured];
  const smooth = inputs.map(({ type }) => isFloat(type.dtype));
  const rule = reader.freshName(`${name}_tangent`);
  const callee: CustomCallee = {
    kind: "custom",
    name,
    primal: closeBody(reader, name, solve, captured),
    smooth,
    captured: captured.length,
    jvp: { kind: "function", name: rule },
  };
  const equations = closeBody(reader, "residual", residual, captured);
  const parameters = inputs.map(({ type }): Value => ({ type }));
  const tangents = inputs.filter((_, k) => smooth[k]).map(({ type }): Value => ({ type }));
  const open = liftOpen(
    reader,
    { name, transform: "implicit" },
    [...parameters, ...tangents],
    node,
    () => {
      const builder = reader.at(node);
      const x = emitCall(reader, callee, parameters, results, node);
      const all = [...x, ...parameters];
      const along: Callee = {
        kind: "jvp",
        of: equations,
        active: [...x.map(() => false), ...smooth],
      };
      const moved = emitCall(reader, along, [...all, ...tangents], [...results, ...results], node);
      const change = moved.slice(results.length).map((value) => builder.neg(value));
      return { leaves: [...x, ...solveFor(reader, equations, x, parameters, change, node)] };
    },
  );
  reader.functions.set(rule, { name: rule, body: open.block });
  return emitCall(reader, callee, inputs, results, node);
}

/** The direction of the solution along which the residual changes by `change`. */
function solveFor(
  reader: Reader,
  equations: Callee,
  x: readonly Value[],
  parameters: readonly Value[],
  change: readonly Value[],
  node: ts.Node,
): readonly Value[] {
  const builder = reader.at(node);
  const types = x.map(({ type }) => type);
  const active = [...x.map(() => true), ...parameters.map(() => false)];
  const along: Callee = { kind: "jvp", of: equations, active };
  const [only] = types;
  if (types.length === 1 && only?.shape.length === 0) {
    const inputs = [...x, ...parameters, builder.constant(1, only.dtype)];
    const slope = emitCall(reader, along, inputs, [only, only], node)[1] as Value;
    return [reader.at(node).div(change[0] as Value, slope)];
  }
  const dtype = only?.dtype ?? "f64";
  const sizes = types.map((type) => elementCount(type.shape));
  const n = sizes.reduce<Dim>((sum, size) => addDims(sum, size), 0);
  // Row k of the basis moves the k-th unknown.
  const unit = builder.cast(
    builder.binary("eq", builder.iota([n, n], 0), builder.iota([n, n], 1)),
    dtype,
  );
  const directions = split(builder, unit, sizes, 1).map((part, k) =>
    builder.reshape(part, [n, ...(types[k]?.shape ?? [])]),
  );
  const batched = [...[...x, ...parameters].map(() => false), ...directions.map(() => true)];
  const spread = [...types, ...types].map((type) => arrayType(type.dtype, [n, ...type.shape]));
  const outputs = reader
    .at(node)
    .append(
      "call",
      [...x, ...parameters, ...directions],
      { callee: encodeCallee({ kind: "vmap", of: along, batched, size: n }) },
      [],
      spread,
    );
  const columns = outputs
    .slice(types.length)
    .map((value, k) => builder.reshape(value, [n, sizes[k] as Dim]));
  const matrix = builder.transpose(builder.concat(columns, 1), [1, 0]);
  const flat = change.map((value, k) => builder.reshape(value, [sizes[k] as Dim]));
  const solution = solveDense(builder, matrix, builder.concat(flat, 0), n, dtype);
  return split(builder, solution, sizes, 0).map((part, k) =>
    builder.reshape(part, types[k]?.shape ?? []),
  );
}

/** Parts of an array along an axis. */
function split(
  builder: GraphBuilder,
  array: Value,
  sizes: readonly Dim[],
  axis: number,
): readonly Value[] {
  let from: Dim = 0;
  return sizes.map((size) => {
    const to = addDims(from, size);
    const low = array.type.shape.map((_, k): Dim => (k === axis ? from : 0));
    const high = array.type.shape.map((dim, k) => (k === axis ? to : dim));
    from = to;
    return builder.slice(array, low, high);
  });
}

/** x with A x = b, by elimination with the largest pivot of each column. */
function solveDense(
  builder: GraphBuilder,
  matrix: Value,
  right: Value,
  n: Dim,
  dtype: DType,
): Value {
  const i32 = scalarType("i32");
  const count = builder.extent(n);
  const types = [matrix.type, right.type];
  const eliminate = builder.block([i32, ...types], (column, [k, a, b]) => {
    const step = k as Value;
    const search = column.block([i32, scalarType(dtype), i32], (row, [i, best, at]) => {
      const size = row.unary("abs", row.at(a as Value, [i as Value, step]));
      const below = row.binary("ge", i as Value, step);
      const better = row.binary("and", below, row.binary("gt", size, best as Value));
      return [row.select(better, size, best as Value), row.select(better, i as Value, at as Value)];
    });
    const [, pivot] = column.for(count, [column.constant(-1, dtype), step], search);
    const [swappedA, swappedB] = [a as Value, b as Value].map((array) => {
      const [top, other] = [column.at(array, [step]), column.at(array, [pivot as Value])];
      const lower = column.update(array, top, [pivot as Value]);
      return column.update(lower, other, [step]);
    }) as [Value, Value];
    const pivotRow = column.at(swappedA, [step]);
    const pivotValue = column.at(pivotRow, [step]);
    const pivotRight = column.at(swappedB, [step]);
    const clear = column.block([i32, ...types], (row, [i, c, d]) => {
      const index = i as Value;
      const own = row.at(c as Value, [index]);
      const isPivot = row.binary("eq", index, step);
      const ratio = row.div(row.at(own, [step]), pivotValue);
      const factor = row.select(isPivot, row.constant(0, dtype), ratio);
      const scaled = row.mul(row.broadcastTo(factor, pivotRow.type.shape), pivotRow);
      const value = row.sub(row.at(d as Value, [index]), row.mul(factor, pivotRight));
      return [
        row.update(c as Value, row.sub(own, scaled), [index]),
        row.update(d as Value, value, [index]),
      ];
    });
    return column.for(count, [swappedA, swappedB], clear);
  });
  const [diagonal, reduced] = builder.for(count, [matrix, right], eliminate) as [Value, Value];
  const divide = builder.block([i32, right.type], (row, [i, x]) => {
    const index = i as Value;
    const value = row.div(row.at(x as Value, [index]), row.at(diagonal, [index, index]));
    return [row.update(x as Value, value, [index])];
  });
  return builder.for(count, [reduced], divide)[0] as Value;
}
