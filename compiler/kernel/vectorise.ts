/**
 * Straight-line code for one value of a loop counter → the same code for several at once.
 * `y[j] = x[j] * s` → `y[j..j+3] = x[j..j+3] * splat(s)`. Undefined where some part has no vector
 * form: a load that is not of neighbours, an op without lanes, a condition that changes in between.
 */

import type { DType } from "../ir/types.ts";
import { type Affine, coefficientOf } from "./affine.ts";
import { resultDtype, vectorLanes } from "./dtypes.ts";
import {
  type Expr,
  type Lanes,
  type Local,
  load,
  machine,
  op,
  read,
  splat,
  type Statement,
  store,
  temporary,
} from "./loop.ts";
import { operandsOf } from "./rewrite.ts";

const floatOps =
  "add sub mul div neg abs sqrt rsqrt floor ceil trunc max min sign eq ne lt le gt ge select " +
  "is_nan stop_gradient copy";
const singleOps = "exp log tanh expm1";
const doubleOps = "exp log tanh sin cos pow";
const integerOps =
  "add sub mul neg abs max min eq ne lt le gt ge select bit_and bit_or bit_xor bit_not " +
  "stop_gradient copy";

/** The elementwise ops that every target with vectors spells for lanes of a type. */
export const laneOps: Readonly<Record<DType, ReadonlySet<string>>> = {
  f64: names(`${floatOps} ${doubleOps}`),
  f32: names(`${floatOps} ${singleOps}`),
  i32: names(integerOps),
  u32: names(integerOps.replace("neg abs ", "")),
  u8: names(""),
  bool: names("and or xor not eq ne select stop_gradient copy"),
};

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(" ").filter((name) => name !== ""));
}

/** Conversions between lanes, as `from to`. */
const laneCasts: ReadonlySet<string> = new Set([
  ..."i32 f32|u32 f32|f32 i32|i32 u32|u32 i32|bool f32|bool i32|bool u32|bool f64".split("|"),
  ..."f32 bool|i32 bool|u32 bool|f64 bool|f32 f32|f64 f64|i32 i32".split("|"),
]);

export interface Vectorised {
  readonly lanes: Lanes;
  readonly body: readonly Statement[];
}

export function vectorise(body: readonly Statement[], counter: Local): Vectorised | undefined {
  for (const lanes of [4, 2] as const) {
    const vector = withLanes(body, counter, lanes);
    if (vector !== undefined) return { lanes, body: vector };
  }
  return undefined;
}

/** An expression for `lanes` values of the counter; undefined where it has none. */
export function vectorExpr(
  expr: Expr,
  dtype: DType,
  counter: Local,
  lanes: Lanes,
  renamed: ReadonlyMap<Local, Local> = new Map(),
): Expr | undefined {
  return new Vectoriser(counter, lanes, renamed).vector(expr, dtype);
}

function withLanes(
  body: readonly Statement[],
  counter: Local,
  lanes: Lanes,
): readonly Statement[] | undefined {
  const renamed = new Map<Local, Local>();
  return statements(body, new Vectoriser(counter, lanes, renamed), renamed, lanes);
}

function statements(
  body: readonly Statement[],
  vectoriser: Vectoriser,
  renamed: Map<Local, Local>,
  lanes: Lanes,
): readonly Statement[] | undefined {
  const result: Statement[] = [];
  for (const statement of body) {
    if (statement.kind === "if") {
      if (vectoriser.varies(statement.condition)) return undefined;
      const then = statements(statement.then, vectoriser, renamed, lanes);
      const otherwise = statements(statement.otherwise, vectoriser, renamed, lanes);
      if (then === undefined || otherwise === undefined) return undefined;
      result.push({ ...statement, then, otherwise });
    } else if (statement.kind === "set") {
      if (!vectoriser.varies(statement.value)) {
        result.push(statement);
        continue;
      }
      const dtype = dtypeOf(statement.value);
      const value = dtype && vectoriser.vector(statement.value, dtype);
      if (dtype === undefined || value === undefined) return undefined;
      const target = temporary(statement.local.name, machine(dtype, lanes));
      renamed.set(statement.local, target);
      result.push({ kind: "set", local: target, value });
    } else if (statement.kind === "store") {
      const { base, index, dtype } = statement;
      if (!vectoriser.fits(dtype) || (dtype === "bool" && lanes !== 4)) return undefined;
      if (vectoriser.varies(base) || vectoriser.step(index) !== 1) return undefined;
      const value = vectoriser.vector(statement.value, dtype);
      if (value === undefined) return undefined;
      result.push(store(base, index, dtype, value, lanes));
    } else return undefined;
  }
  return result;
}

class Vectoriser {
  private readonly counter: Local;
  private readonly lanes: Lanes;
  private readonly renamed: ReadonlyMap<Local, Local>;

  constructor(counter: Local, lanes: Lanes, renamed: ReadonlyMap<Local, Local>) {
    this.counter = counter;
    this.lanes = lanes;
    this.renamed = renamed;
  }

  fits(dtype: DType): boolean {
    return dtype === "bool" || vectorLanes(dtype) === this.lanes;
  }

  varies(expr: Expr): boolean {
    if (expr.kind === "local") return expr.local === this.counter || this.renamed.has(expr.local);
    if (expr.kind === "affine") {
      return expr.terms.some(({ local }) => local === this.counter || this.renamed.has(local));
    }
    return operandsOf(expr).some((operand) => this.varies(operand));
  }

  /** How far an index moves when the counter moves by one. */
  step(index: Expr): number | undefined {
    if (!this.varies(index)) return 0;
    const form = index.kind === "affine" ? (index as Affine) : undefined;
    if (index.kind === "local" && index.local === this.counter) return 1;
    if (form === undefined || form.terms.some(({ local }) => this.renamed.has(local))) {
      return undefined;
    }
    const step = coefficientOf(form, this.counter);
    return typeof step === "number" ? step : undefined;
  }

  vector(expr: Expr, dtype: DType): Expr | undefined {
    const { lanes } = this;
    if (!this.fits(dtype)) return undefined;
    if (!this.varies(expr)) return splat(expr, dtype, lanes);
    switch (expr.kind) {
      case "local": {
        const target = this.renamed.get(expr.local);
        return target && read(target);
      }
      case "load": {
        if (this.varies(expr.base) || this.step(expr.index) !== 1) return undefined;
        if (expr.dtype === "bool" && lanes !== 4) return undefined;
        return load(expr.base, expr.index, expr.dtype, lanes);
      }
      case "op": {
        if (!laneOps[expr.dtype].has(expr.op)) return undefined;
        const operands: Expr[] = [];
        for (const [k, operand] of expr.operands.entries()) {
          const wanted = expr.op === "select" && k === 0 ? "bool" : expr.dtype;
          const vector = this.vector(operand, wanted);
          if (vector === undefined) return undefined;
          operands.push(vector);
        }
        return op(expr.op, expr.dtype, operands, lanes);
      }
      case "cast": {
        if (!laneCasts.has(`${expr.from} ${expr.to}`)) return undefined;
        const value = this.vector(expr.value, expr.from);
        return value && this.fits(expr.to) ? { ...expr, lanes, value } : undefined;
      }
      case "madd": {
        const a = this.vector(expr.a, dtype);
        const b = this.vector(expr.b, dtype);
        const c = this.vector(expr.c, dtype);
        return a && b && c && { kind: "madd", dtype, lanes, a, b, c };
      }
      case "when": {
        if (this.varies(expr.condition)) return undefined;
        const then = this.vector(expr.then, dtype);
        const otherwise = this.vector(expr.otherwise, dtype);
        return then && otherwise && { ...expr, lanes, then, otherwise };
      }
      case "affine":
        return undefined;
      default:
        return undefined;
    }
  }
}

/** The element type of an expression; undefined for a local, which may be one of several. */
export function dtypeOf(expr: Expr): DType | undefined {
  switch (expr.kind) {
    case "local":
      return expr.local.type === "f32" || expr.local.type === "f64" ? expr.local.type : undefined;
    case "affine":
      return "i32";
    case "cast":
      return expr.to;
    case "op":
      return resultDtype(expr.op, expr.dtype);
    default:
      return expr.dtype;
  }
}
