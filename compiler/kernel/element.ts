/** One element of an array as an expression: loads where it is in memory, inlined where not. */

import type { DType, Equation, Value } from "../ir/types.ts";
import type { Element, ElementWriter } from "../ops/define.ts";
import { addIndex, dimIndex, flatIndex, scaleIndex, toAffine } from "./affine.ts";
import { type Buffer, rootsOf, touch } from "./buffer.ts";
import { resultDtype } from "./dtypes.ts";
import {
  constant,
  divide,
  type Expr,
  isConstant,
  load,
  machine,
  op,
  read,
  remainder,
  set,
  type Statement,
  subtract,
  temporary,
} from "./loop.ts";
import type { Program, ReadProduct } from "./program.ts";

/** Reads elements for one kernel, and notes what the kernel reads. */
export class ElementReader {
  /** Assignments of what is used more than once, to stand in front of the kernel's stores. */
  readonly statements: Statement[] = [];
  /** The index of the element that the kernel is at. */
  identity: readonly Expr[] = [];
  /** A product that the kernel may be put into: its own element is there when it is read. */
  product: ReadProduct | undefined;
  private readonly program: Program;
  private readonly kept = new Map<Value, Expr>();
  private readonly inside = new Map<Value, Set<string>>();
  /** Whether each buffer is read at the kernel's own index only. */
  private readonly buffers = new Map<Buffer, boolean>();
  private consumer: { readonly equation: Equation; readonly counts: boolean } | undefined;

  constructor(program: Program) {
    this.program = program;
  }

  /** Element `index` of an array, or a scalar. */
  read(value: Value, index: readonly Expr[]): Expr {
    const place = this.program.placeOf(value);
    switch (place.kind) {
      case "scalar":
        return place.expr;
      case "stack":
        throw new Error("a stack has no elements to read");
      case "member": {
        const kept = this.kept.get(value);
        if (kept !== undefined && index === this.identity) return kept;
        this.program.buffer(value);
        return this.read(value, index);
      }
      case "lazy":
        this.program.computes(this.program.definition(value)?.span);
        return place.element(this, index);
      case "pending": {
        const { dtype, shape } = value.type;
        if (index === this.identity && value === this.product?.value) {
          return load(read(this.product.pointer), flatIndex(shape, index), dtype);
        }
        this.program.buffer(value);
        return this.read(value, index);
      }
      case "array": {
        const { buffer } = place;
        this.note(buffer, index === this.identity);
        return load(read(buffer.pointer), flatIndex(value.type.shape, index), value.type.dtype);
      }
    }
  }

  /** Element `index` of the output of an elementwise or element equation. */
  equation(equation: Equation, index: readonly Expr[], dtype: DType): Expr {
    const { lower } = this.program.op(equation.op);
    this.program.computes(equation.span);
    const outer = this.consumer;
    const [output] = equation.outputs;
    // A scalar is computed where it stands, once for all its uses.
    const single =
      output !== undefined &&
      (output.type.shape.length === 0 || this.program.uses.count(output) === 1);
    const once = outer?.counts !== false && (single || this.isMember(output));
    this.consumer = { equation, counts: once };
    const result = this.lowered(equation, index, dtype, lower);
    this.consumer = outer;
    return result;
  }

  /** Assigns a member's element to a local, for later members of the same kernel. */
  keep(value: Value, expr: Expr): Expr {
    const target = temporary(value.name ?? "v", machine(value.type.dtype));
    this.statements.push(set(target, expr));
    const kept = read(target);
    this.kept.set(value, kept);
    return kept;
  }

  /** How many uses of a value are in this kernel. */
  readsInside(value: Value): number {
    return this.inside.get(value)?.size ?? 0;
  }

  /** Notes a read that is not through `read`. */
  note(buffer: Buffer, atIdentity: boolean): void {
    this.buffers.set(buffer, (this.buffers.get(buffer) ?? true) && atIdentity);
    touch(buffer, this.program.step);
  }

  /** The kernel is about to be emitted: its inputs live until now, its outputs from now on. */
  finish(outputs: readonly Buffer[]): void {
    const { step } = this.program;
    // Memory may be read under several names, at the kernel's own index under one of them only.
    const roots = new Map<Buffer, boolean>();
    for (const [buffer, atIdentity] of this.buffers) {
      touch(buffer, step);
      for (const root of rootsOf(buffer)) {
        roots.set(root, (roots.get(root) ?? true) && atIdentity);
      }
    }
    for (const output of outputs) {
      for (const [root, atIdentity] of roots) if (atIdentity) output.overlays.add(root);
      output.from = step;
      output.to = step;
    }
  }

  private isMember(value: Value | undefined): boolean {
    return value !== undefined && this.program.placeOf(value).kind === "member";
  }

  private lowered(
    equation: Equation,
    index: readonly Expr[],
    dtype: DType,
    lower: ReturnType<Program["op"]>["lower"],
  ): Expr {
    const { inputs } = equation;
    const operand = (k: number, at: readonly Expr[]): Expr => {
      const input = inputs[k] as Value;
      const { consumer } = this;
      const isNoted = this.kept.has(input) || input === this.product?.value;
      if (consumer?.counts === true && isNoted) {
        const seen = this.inside.get(input) ?? new Set<string>();
        seen.add(`${this.numberOf(consumer.equation)}:${k}`);
        this.inside.set(input, seen);
      }
      const result = this.read(input, at);
      this.consumer = consumer;
      return result;
    };
    if (lower.kind === "elementwise") {
      const operands = inputs.map((_, k) => operand(k, index));
      return elementwise(
        equation.op,
        inputs.map((input) => input.type.dtype),
        operands,
        dtype,
      );
    }
    if (lower.kind === "element") {
      const reader = (k: number, at: readonly Element[]): Element =>
        element(operand(k, this.sameIndex(at.map(expression))));
      return expression(lower.element(writer, equation, index.map(element), reader));
    }
    throw new Error(`\`${equation.op}\` is not computed element by element`);
  }

  /** An index that is the kernel's own is that very list. */
  private sameIndex(index: readonly Expr[]): readonly Expr[] {
    const { identity } = this;
    const same = index.length === identity.length && index.every((i, k) => i === identity[k]);
    return same ? identity : index;
  }

  private readonly numbers = new Map<Equation, number>();
  private numberOf(equation: Equation): number {
    let number = this.numbers.get(equation);
    if (number === undefined) this.numbers.set(equation, (number = this.numbers.size));
    return number;
  }
}

/** An elementwise op on single elements. `dtypes` are those of the operands. */
export function elementwise(
  name: string,
  dtypes: readonly DType[],
  operands: readonly Expr[],
  result: DType,
): Expr {
  const [first] = operands as [Expr];
  if (name === "cast") return cast(first, dtypes[0] as DType, result);
  if (name === "stop_gradient" || name === "copy") return first;
  const dtype = (name === "select" ? dtypes[1] : dtypes[0]) as DType;
  return op(name, dtype, operands);
}

export function cast(value: Expr, from: DType, to: DType): Expr {
  return from === to ? value : { kind: "cast", from, to, lanes: 1, value };
}

/** Element code written by the op table, as expressions of the loop IR. */
export const writer: ElementWriter = {
  constant: (value, dtype) => element(constant(value, dtype)),
  dim: (dim) => element(dimIndex(dim)),
  apply: (name, dtype, ...operands) => {
    const exprs = operands.map(expression);
    if (dtype === "i32") {
      const index = indexArithmetic(name, exprs);
      if (index !== undefined) return element(index);
    }
    return element(
      elementwise(
        name,
        exprs.map(() => dtype),
        exprs,
        resultDtype(name, dtype),
      ),
    );
  },
  cast: (value, from, to) => element(cast(expression(value), from, to)),
  when: (condition, dtype, then, otherwise) => {
    const test = expression(condition);
    if (isConstant(test)) return test.value !== 0 ? then() : otherwise();
    return element({
      kind: "when",
      dtype,
      lanes: 1,
      condition: test,
      then: expression(then()),
      otherwise: expression(otherwise()),
    });
  },
};

/** Sums and multiples of indices stay affine, so that strides remain visible. */
function indexArithmetic(name: string, operands: readonly Expr[]): Expr | undefined {
  const [a, b] = operands;
  if (a === undefined || b === undefined) return undefined;
  switch (name) {
    case "add":
      return addIndex(a, b);
    case "sub": {
      const negative = toAffine(b);
      return negative === undefined ? subtract(a, b) : addIndex(a, scaleIndex(b, -1));
    }
    case "mul": {
      const factor = toAffine(b);
      if (factor?.terms.length === 0) return scaleIndex(a, factor.constant);
      const other = toAffine(a);
      if (other?.terms.length === 0) return scaleIndex(b, other.constant);
      return undefined;
    }
    case "div":
      return divide(a, b);
    case "rem":
      return remainder(a, b);
    default:
      return undefined;
  }
}

/** What the op table sees as an opaque element. */
interface Wrapped extends Element {
  readonly expr: Expr;
}

export function element(expr: Expr): Element {
  const wrapped: Wrapped = { element: "element", expr };
  return wrapped;
}

export function expression(of: Element): Expr {
  if (!("expr" in of)) throw new Error("an element that this lowering did not make");
  return (of as Wrapped).expr;
}
