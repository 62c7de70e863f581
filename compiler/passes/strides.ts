/**
 * Indices as linear forms of the counters of several loops, with coefficients that the program
 * computes:
 *
 *   i*n + (j + 2)   →   offset 2, steps {i: n, j: 1}
 */

import { addDims, type Dim, multiplyDims, subtractDims, symbol } from "../ir/dim.ts";
import type { Equation, Value } from "../ir/types.ts";
import type { GraphBuilder } from "../ops/builder.ts";

type Integer = "i32" | "f64";
type Arithmetic = "add" | "sub" | "mul";

/** A number that does not change in the loops: what there is to compute before them. */
export type Coefficient =
  | number
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "extent"; readonly dim: Dim }
  | {
      readonly kind: "op";
      readonly op: Arithmetic;
      readonly x: Coefficient;
      readonly y: Coefficient;
      readonly dtype: Integer;
    }
  | { readonly kind: "cast"; readonly x: Coefficient; readonly to: Integer };

export interface LinearForm {
  readonly offset: Coefficient;
  readonly steps: ReadonlyMap<Value, Coefficient>;
}

/** What a nest of loops computes from its counters. */
export class Strides {
  private readonly counters: readonly Value[];
  private readonly inside: ReadonlySet<Value>;
  private readonly definitions: ReadonlyMap<Value, Equation>;

  /** `inside` are the values that the loops define; `definitions` may know others as well. */
  constructor(
    counters: readonly Value[],
    inside: ReadonlySet<Value>,
    definitions: ReadonlyMap<Value, Equation>,
  ) {
    this.counters = counters;
    this.inside = inside;
    this.definitions = definitions;
  }

  /** The form of an integer, or of a double that is whole where it matters. */
  formOf(value: Value): LinearForm | undefined {
    const { dtype, shape } = value.type;
    if (shape.length > 0 || (dtype !== "i32" && dtype !== "f64")) return undefined;
    if (this.counters.includes(value)) return { offset: 0, steps: new Map([[value, 1]]) };
    const definition = this.definitions.get(value);
    if (definition?.op === "constant") {
      return invariant((definition.parameters["values"] as readonly number[])[0] as number);
    }
    if (!this.inside.has(value)) return invariant({ kind: "value", value });
    switch (definition?.op) {
      case "add":
      case "sub":
        return this.sum(definition, definition.op, dtype);
      case "mul":
        return this.product(definition, dtype);
      case "cast":
        return this.cast(definition, dtype);
      default:
        return undefined;
    }
  }

  /** A number that is the same in all iterations. */
  invariantOf(value: Value): Coefficient | undefined {
    const form = this.formOf(value);
    return form?.steps.size === 0 ? form.offset : undefined;
  }

  private sum(equation: Equation, op: "add" | "sub", dtype: Integer): LinearForm | undefined {
    const [x, y] = equation.inputs.map((input) => this.formOf(input));
    return x && y && combined(op, x, y, dtype);
  }

  private product(equation: Equation, dtype: Integer): LinearForm | undefined {
    const [x, y] = equation.inputs.map((input) => this.formOf(input));
    if (x === undefined || y === undefined) return undefined;
    if (y.steps.size === 0) return scaled(x, y.offset, dtype);
    return x.steps.size === 0 ? scaled(y, x.offset, dtype) : undefined;
  }

  private cast(equation: Equation, to: Integer): LinearForm | undefined {
    const [x] = equation.inputs as readonly [Value];
    const form = this.formOf(x);
    // Rounding is linear only where there is nothing to round.
    const rounds = x.type.dtype !== "i32" && to === "i32";
    if (rounds && equation.parameters["whole"] !== true) return undefined;
    if (form === undefined || x.type.dtype === to) return form;
    return {
      offset: castTo(form.offset, to),
      steps: new Map([...form.steps].map(([counter, step]) => [counter, castTo(step, to)])),
    };
  }
}

/** The sum of `forms[k] · strides[k]`, in i32. */
export function flattened(
  forms: readonly LinearForm[],
  strides: readonly Coefficient[],
): LinearForm {
  return forms.reduce<LinearForm>(
    (sum, form, k) => combined("add", sum, scaled(form, strides[k] as Coefficient, "i32"), "i32"),
    invariant(0),
  );
}

/** The code of a coefficient, as i32. */
export function emitCoefficient(builder: GraphBuilder, coefficient: Coefficient): Value {
  const emit = (of: Coefficient, dtype: Integer): Value => {
    if (typeof of === "number") return builder.constant(dtype === "i32" ? of | 0 : of, dtype);
    switch (of.kind) {
      case "value":
        return builder.cast(of.value, dtype);
      case "extent":
        return builder.cast(builder.extent(of.dim), dtype);
      case "op":
        return builder.cast(
          builder.one(of.op, [emit(of.x, of.dtype), emit(of.y, of.dtype)]),
          dtype,
        );
      case "cast":
        return builder.cast(emit(of.x, of.to === "i32" ? "f64" : "i32"), dtype);
    }
  };
  return emit(coefficient, "i32");
}

/** Numbers as polynomials, with a symbol for each value that nothing more is known of. */
export class Magnitudes {
  private readonly definitions: ReadonlyMap<Value, Equation>;
  private readonly names = new Map<Value, string>();

  constructor(definitions: ReadonlyMap<Value, Equation>) {
    this.definitions = definitions;
  }

  of(coefficient: Coefficient): Dim {
    if (typeof coefficient === "number") return coefficient;
    switch (coefficient.kind) {
      case "value":
        return this.ofValue(coefficient.value);
      case "extent":
        return coefficient.dim;
      case "cast":
        return this.of(coefficient.x);
      case "op":
        return calculated(coefficient.op, this.of(coefficient.x), this.of(coefficient.y));
    }
  }

  /**
   * What the count of a loop was before it was rounded up. An index with a step of this size is
   * whole only where there was nothing to round, or where the step is never taken.
   */
  ofCount(count: Coefficient): Dim {
    if (typeof count === "number" || count.kind !== "value") return this.of(count);
    const cast = this.definitions.get(count.value);
    const rounded = cast?.op === "cast" && this.definitions.get(cast.inputs[0] as Value);
    if (!rounded || rounded.op !== "ceil") return this.of(count);
    return this.ofValue(rounded.inputs[0] as Value);
  }

  private ofValue(value: Value): Dim {
    const definition = this.definitions.get(value);
    switch (definition?.op) {
      case "constant": {
        const [number] = definition.parameters["values"] as readonly number[];
        return Number.isInteger(number) ? (number as number) : this.unknown(value);
      }
      case "extent":
        return definition.parameters["dim"] as Dim;
      case "cast": {
        const [x] = definition.inputs as readonly [Value];
        const rounds = x.type.dtype !== "i32" && value.type.dtype === "i32";
        const known = !rounds || definition.parameters["whole"] === true;
        return known ? this.ofValue(x) : this.unknown(value);
      }
      case "add":
      case "sub":
      case "mul": {
        const [x, y] = definition.inputs as readonly [Value, Value];
        return calculated(definition.op, this.ofValue(x), this.ofValue(y));
      }
      default:
        return this.unknown(value);
    }
  }

  private unknown(value: Value): Dim {
    const name = this.names.get(value) ?? `#${this.names.size}`;
    this.names.set(value, name);
    return symbol(name);
  }
}

function invariant(offset: Coefficient): LinearForm {
  return { offset, steps: new Map() };
}

function combined(op: "add" | "sub", x: LinearForm, y: LinearForm, dtype: Integer): LinearForm {
  const steps = new Map(x.steps);
  for (const [counter, step] of y.steps) {
    const sum = calculate(op, steps.get(counter) ?? 0, step, dtype);
    if (sum === 0) steps.delete(counter);
    else steps.set(counter, sum);
  }
  return { offset: calculate(op, x.offset, y.offset, dtype), steps };
}

function scaled(form: LinearForm, factor: Coefficient, dtype: Integer): LinearForm {
  if (factor === 0) return invariant(0);
  return {
    offset: calculate("mul", form.offset, factor, dtype),
    steps: new Map(
      [...form.steps].map(([counter, step]) => [counter, calculate("mul", step, factor, dtype)]),
    ),
  };
}

/** Known numbers are calculated, in the arithmetic of their type; 0 and 1 go where they can. */
function calculate(op: Arithmetic, x: Coefficient, y: Coefficient, dtype: Integer): Coefficient {
  if (typeof x === "number" && typeof y === "number") {
    const exact = op === "mul" ? x * y : op === "add" ? x + y : x - y;
    if (dtype === "f64") return exact;
    return op === "mul" ? Math.imul(x, y) : exact | 0;
  }
  if (op === "mul") {
    if (x === 0 || y === 0) return 0;
    if (x === 1) return y;
    if (y === 1) return x;
  } else {
    if (y === 0) return x;
    if (x === 0 && op === "add") return y;
  }
  return { kind: "op", op, x, y, dtype };
}

function castTo(x: Coefficient, to: Integer): Coefficient {
  if (typeof x === "number") return to === "i32" ? x | 0 : x;
  return { kind: "cast", x, to };
}

function calculated(op: Arithmetic, x: Dim, y: Dim): Dim {
  if (op === "mul") return multiplyDims(x, y);
  return op === "add" ? addDims(x, y) : subtractDims(x, y);
}
