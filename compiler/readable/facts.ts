/** What the printer has to know of a function before it prints it. */

import { addDims, type Dim, sameDim } from "../ir/dim.ts";
import type { Block, Equation, Value } from "../ir/types.ts";
import { allEquations, freeValues, loopOf, movesOf } from "../ir/walk.ts";
import { mutatedValues } from "../passes/mutated.ts";

/** Ops whose first output is their first input, changed. */
const inPlace = new Set(["update", "add_at", "dynamic_update", "scatter_add", "push", "pop"]);

export class Facts {
  readonly definitions = new Map<Value, Equation>();
  readonly uses = new Map<Value, number>();
  /** Values that need no statement: what they say is said otherwise. */
  readonly silent = new Set<Value>();
  readonly mutated = new Set<Value>();
  /** The blocks in which a value is used. */
  private readonly places = new Map<Value, Set<Block>>();
  private readonly readers = new Map<Value, Equation[]>();
  private readonly arrays = new Versions(({ shape, stack }) => shape.length > 0 && !stack);
  private readonly stacks = new Versions(({ stack }) => stack);
  private readonly inline = new Set<Equation>();
  private readonly counters = new Set<Value>();
  private readonly loopCounters = new Set<Value>();
  private readonly isTensor: (value: Value) => boolean;

  constructor(bodies: readonly Block[], isTensor: (value: Value) => boolean) {
    this.isTensor = isTensor;
    const loops: Equation[] = [];
    for (const body of bodies) {
      for (const value of mutatedValues(body)) this.mutated.add(value);
      for (const equation of allEquations(body)) {
        for (const output of equation.outputs) this.definitions.set(output, equation);
        if (equation.op === "for") {
          const counter = loopOf(equation).body.parameters[0] as Value;
          this.counters.add(counter);
          this.loopCounters.add(counter);
        }
        if (equation.op === "for" || equation.op === "while") loops.push(equation);
      }
      this.count(body);
      this.arrays.follow(body);
      this.stacks.follow(body);
    }
    for (const loop of loops) this.findTurns(loop);
    const equations = bodies.flatMap((body) => [...allEquations(body)]);
    this.silenceIndices(equations.filter((equation) => this.exactIndex(equation) !== undefined));
    this.silenceLasts(loops.filter(({ op }) => op === "for"));
    for (const body of bodies) this.planInlines(body);
  }

  /** Read once, in its own block, and the same there: may be written where it is read. */
  isInline(equation: Equation): boolean {
    return this.inline.has(equation);
  }

  /**
   * From the end of a block to its start, so that it is known where the text of each equation
   * comes to stand: nothing that it reads may be written before.
   */
  private planInlines(block: Block): void {
    const { equations } = block;
    const place = new Map<Equation, number>();
    const written = equations.map((equation) => this.arrays.writtenBy(equation));
    for (const [k, equation] of [...equations.entries()].toReversed()) {
      place.set(equation, k);
      for (const region of equation.regions) this.planInlines(region);
      const [output] = equation.outputs;
      if (equation.outputs.length !== 1 || equation.regions.length > 0) continue;
      if (output === undefined || !this.isUsedOnceIn(output, block)) continue;
      if (!this.isExpression(equation, block)) continue;
      const reader = this.readersOf(output).find(
        (one) => !this.silent.has(one.outputs[0] as Value),
      );
      const at = reader === undefined ? equations.length : (place.get(reader) ?? k);
      const read = equation.inputs.map((input) => this.arrays.versionOf(input));
      const between = written.slice(k + 1, at);
      if (between.some((arrays) => read.some((array) => arrays.has(array)))) continue;
      this.inline.add(equation);
      place.set(equation, at);
    }
  }

  /** Used once, in this block and in no region of it. */
  isUsedOnceIn(value: Value, block: Block): boolean {
    return this.uses.get(value) === 1 && this.places.get(value)?.has(block) === true;
  }

  /** True where products sum over an extent with a name, which types cannot compare. */
  isSummedOverNamed(value: Value): boolean {
    return this.readersOf(value).some(({ op, inputs, parameters }) => {
      if (op !== "dot") return false;
      const axes = parameters[value === inputs[0] ? "lhsContract" : "rhsContract"];
      return (axes as readonly number[]).some((axis) => typeof value.type.shape[axis] !== "number");
    });
  }

  readersOf(value: Value): readonly Equation[] {
    return this.readers.get(value) ?? [];
  }

  /** What a value is a later version of, in the same variable: the first of its versions. */
  storageOf(value: Value): Value {
    const definition = this.definitions.get(value);
    if (definition === undefined) return value;
    const at = definition.outputs.indexOf(value);
    const { op, inputs } = definition;
    if (op === "for" || op === "while") {
      return this.isInPlace(definition, at)
        ? this.storageOf(loopOf(definition).initial[at] as Value)
        : value;
    }
    if (op === "if") {
      if (!this.isStored(value)) return value;
      const [a, b] = definition.regions.map(({ results }) => this.storageOf(results[at] as Value));
      return a === b ? (a as Value) : value;
    }
    if (op === "call") {
      const moved = this.movesInPlace(definition).find(([, output]) => output === value);
      return moved === undefined ? value : this.storageOf(moved[0]);
    }
    if (!inPlace.has(op) || at > 0 || !this.isStored(value)) return value;
    return this.storageOf(inputs[0] as Value);
  }

  /** True where a loop writes what it carries where it is, so that no variable is needed. */
  isInPlace(loop: Equation, at: number): boolean {
    const { carried, body } = loopOf(loop);
    const parameter = carried[at] as Value;
    if (!this.isStored(parameter)) return false;
    return this.storageOf(body.results[at] as Value) === parameter;
  }

  /** The arrays and stacks that a call writes where they are. */
  movesInPlace(call: Equation): readonly (readonly [input: Value, output: Value])[] {
    const arrays = movesOf(call).filter(([input]) => this.isStored(input));
    const stacks = call.outputs.filter(({ type }) => type.stack);
    const given = call.inputs.filter(({ type }) => type.stack);
    return [...arrays, ...stacks.map((output, k) => [given[k] as Value, output] as const)];
  }

  /** Arrays and stacks that are written where they are; tensors never are. */
  private isStored(value: Value): boolean {
    return value.type.stack || (value.type.shape.length > 0 && !this.isTensor(value));
  }

  /** `count - 1 - k`, where that is all that the body of a loop does with its counter k. */
  backwards(loop: Equation): Value | undefined {
    const [count] = loop.inputs as readonly [Value];
    const { body } = loopOf(loop);
    const counter = body.parameters[0] as Value;
    const uses = body.equations.filter((equation) => equation.inputs.includes(counter));
    const inner = body.equations.some((equation) =>
      equation.regions.some((region) => freeValues(region).includes(counter)),
    );
    const [only] = uses;
    if (inner || uses.length !== 1 || only?.op !== "sub" || only.inputs[1] !== counter)
      return undefined;
    return this.isLast(only.inputs[0] as Value, count) ? only.outputs[0] : undefined;
  }

  /** `c + k` with a known c, where that is all that a body does with its counter k. */
  shifted(counter: Value, body: Block): { readonly value: Value; readonly by: number } | undefined {
    const [reader] = this.readersOf(counter);
    const [value] = reader?.outputs ?? [];
    if (reader?.op !== "add" || value === undefined || this.uses.get(counter) !== 1)
      return undefined;
    const [by] = reader.inputs.flatMap((input) => this.constant(input) ?? []);
    const isHere = body.equations.includes(reader) && value.type.dtype === "i32";
    return isHere && by !== undefined && by > 0 ? { value, by } : undefined;
  }

  /** What the only value that is pushed onto a stack is called. */
  pushedName(stack: Value): string | undefined {
    const pushed = [...this.definitions.values()].filter(
      ({ op, inputs }) =>
        op === "push" && this.stacks.versionOf(inputs[0] as Value) === this.stacks.versionOf(stack),
    );
    const [only] = new Set(pushed.map(({ inputs }) => inputs[1] as Value));
    return pushed.length === 1 ? only?.name : undefined;
  }

  /** True for `count - 1`. */
  private isLast(value: Value, count: Value): boolean {
    const [known, total] = [this.lengthOf(value), this.lengthOf(count)];
    if (known !== undefined && total !== undefined) return sameDim(addDims(known, 1), total);
    const last = this.definitions.get(value);
    if (last?.op !== "sub" || last.inputs[0] !== count) return false;
    return this.constant(last.inputs[1] as Value) === 1;
  }

  /** True for what may be written without a name, and writes nothing itself. */
  private isExpression({ op, outputs: [output] }: Equation, block: Block): boolean {
    if (inPlace.has(op)) return false;
    if (op === "call" || op === "cast" || op === "select") return true;
    // A value that the reader named for want of a better name needs none.
    const { name } = output ?? {};
    return name === undefined || name === "value" || block.results.includes(output as Value);
  }

  /** A number or an extent, as a dimension. */
  private lengthOf(value: Value): Dim | undefined {
    const definition = this.definitions.get(value);
    if (definition?.op === "extent") return definition.parameters["dim"] as Dim;
    return this.constant(value);
  }

  /** The number that a value is known to be. */
  constant(value: Value): number | undefined {
    const definition = this.definitions.get(value);
    if (definition?.op !== "constant" || value.type.shape.length > 0) return undefined;
    return (definition.parameters["values"] as readonly number[])[0];
  }

  /** True for numbers that are whole: rounded ones, and counts that were kept as doubles. */
  isWhole(value: Value): boolean {
    const op = this.definitions.get(value)?.op;
    return op !== undefined && ["ceil", "floor", "round", "trunc", "pop"].includes(op);
  }

  /** What a value's array is called in one of its versions. */
  nameOf(value: Value): string | undefined {
    if (value.name !== undefined && value.name !== "array") return value.name;
    if (value.type.shape.length === 0 || value.type.stack) return value.name;
    return this.arrays.nameOf(value) ?? value.name;
  }

  /** True where the counter of a loop, which nothing assigns, and a known number are combined. */
  isPosition({ op, inputs }: Equation): boolean {
    if (op !== "add" && op !== "sub" && op !== "mul") return false;
    return (
      inputs.some((input) => this.loopCounters.has(input)) &&
      inputs.every((input) => this.loopCounters.has(input) || this.constant(input) !== undefined)
    );
  }

  /** True for counters of loops and of maps: whole numbers from 0 on. */
  isCounter(value: Value): boolean {
    return this.counters.has(value);
  }

  /** `select (x == trunc x) (trunc x) -1`: the index x. */
  exactIndex({ op, inputs }: Equation): Value | undefined {
    if (op !== "select") return undefined;
    const [test, chosen] = inputs as readonly [Value, Value];
    const comparison = this.definitions.get(test);
    const truncated = this.definitions.get(chosen);
    if (comparison?.op !== "eq" || truncated?.op !== "cast") return undefined;
    const [x] = truncated.inputs as readonly [Value];
    return comparison.inputs.includes(x) ? x : undefined;
  }

  /** What counts the turns of a loop from 0 on. */
  private findTurns(loop: Equation): void {
    const { initial, carried, body } = loopOf(loop);
    carried.forEach((parameter, k) => {
      const next = this.definitions.get(body.results[k] as Value);
      const counts =
        parameter.type.dtype === "i32" &&
        next?.op === "add" &&
        next.inputs.includes(parameter) &&
        next.inputs.some((input) => this.constant(input) === 1) &&
        this.constant(initial[k] as Value) === 0;
      if (counts) this.counters.add(parameter);
    });
  }

  private count(block: Block): void {
    const use = (value: Value): void => {
      this.uses.set(value, (this.uses.get(value) ?? 0) + 1);
      this.places.set(value, (this.places.get(value) ?? new Set()).add(block));
    };
    for (const equation of block.equations) {
      for (const input of equation.inputs) {
        use(input);
        this.readers.set(input, [...(this.readers.get(input) ?? []), equation]);
      }
      for (const region of equation.regions) this.count(region);
    }
    block.results.forEach(use);
  }

  /** Tests of indices, which an array access makes by itself: only the index is printed. */
  private silenceIndices(selects: readonly Equation[]): void {
    const silent = new Set<Equation>(selects);
    const silenceWhere = (value: Value, op: string): void => {
      const definition = this.definitions.get(value);
      if (definition?.op !== op) return;
      // A result of a block has more uses than readers.
      const readers = this.readersOf(value);
      if (readers.length !== this.uses.get(value)) return;
      if (!readers.every((reader) => silent.has(reader))) return;
      silent.add(definition);
      this.silent.add(value);
    };
    const tests = selects.map(({ inputs }) => inputs[0] as Value);
    for (const test of tests) silenceWhere(test, "eq");
    for (const test of tests) {
      for (const side of this.definitions.get(test)?.inputs ?? []) silenceWhere(side, "cast");
    }
    for (const { inputs } of selects) silenceWhere(inputs[1] as Value, "cast");
    const printed = new Map<Value, { readonly unread: number; readonly indices: number }>();
    for (const select of selects) {
      const x = this.exactIndex(select) as Value;
      const unread = new Set(this.readersOf(x).filter((reader) => silent.has(reader)));
      printed.set(x, { unread: unread.size, indices: (printed.get(x)?.indices ?? 0) + 1 });
    }
    for (const [x, { unread, indices }] of printed) {
      this.uses.set(x, (this.uses.get(x) ?? 0) - unread + indices);
    }
  }

  /** `n - 1`, where only the indices of backward loops are computed from it. */
  private silenceLasts(loops: readonly Equation[]): void {
    const indices = loops.flatMap((loop) => this.backwards(loop) ?? []);
    const lasts = indices.map((index) => this.definitions.get(index)?.inputs[0] as Value);
    for (const last of lasts) {
      const readers = this.readersOf(last);
      const isOnly = readers.every(({ outputs }) => indices.includes(outputs[0] as Value));
      if (isOnly && readers.length === this.uses.get(last)) this.silent.add(last);
    }
  }
}

/** All versions of an array or a stack, from the one it starts as to the last, as one. */
class Versions {
  private readonly isOf: (type: Value["type"]) => boolean;

  constructor(isOf: (type: Value["type"]) => boolean) {
    this.isOf = isOf;
  }

  private readonly parent = new Map<Value, Value>();

  follow(block: Block): void {
    for (const equation of block.equations) {
      const { op, inputs, outputs, regions } = equation;
      regions.forEach((region) => this.follow(region));
      if (op === "for" || op === "while") {
        const { initial, carried, body } = loopOf(equation);
        const tested = op === "while" ? (regions[0] as Block).parameters : [];
        outputs.forEach((output, k) => {
          for (const one of [initial[k], carried[k], tested[k], body.results[k]]) {
            if (one !== undefined) this.unite(one, output);
          }
        });
      } else if (op === "if") {
        outputs.forEach((output, k) => {
          for (const { results } of regions) this.unite(results[k] as Value, output);
        });
      } else if (op === "call") {
        for (const [input, output] of movesOf(equation)) this.unite(input, output);
        const given = inputs.filter(({ type }) => type.stack);
        const left = outputs.filter(({ type }) => type.stack);
        left.forEach((output, k) => this.unite(given[k] as Value, output));
      } else if (inPlace.has(op)) this.unite(inputs[0] as Value, outputs[0] as Value);
      // A row may be a view of its array.
      else if (op === "at") this.unite(inputs[0] as Value, outputs[0] as Value);
    }
  }

  versionOf(value: Value): Value {
    let root = value;
    for (let next = this.parent.get(root); next !== undefined; next = this.parent.get(root)) {
      root = next;
    }
    return root;
  }

  /** The first name that a version has, other than that of any array. */
  nameOf(value: Value): string | undefined {
    const root = this.versionOf(value);
    const named = (one: Value): boolean => one.name !== undefined && one.name !== "array";
    if (named(root)) return root.name;
    return [...this.parent.keys()].find((one) => named(one) && this.versionOf(one) === root)?.name;
  }

  /** The arrays that an equation writes, in its regions too. */
  writtenBy(equation: Equation): ReadonlySet<Value> {
    const own =
      equation.op === "call"
        ? movesOf(equation).map(([input]) => input)
        : inPlace.has(equation.op)
          ? [equation.inputs[0] as Value]
          : [];
    const inner = equation.regions.flatMap(({ equations }) =>
      equations.flatMap((one) => [...this.writtenBy(one)]),
    );
    return new Set([...own.map((value) => this.versionOf(value)), ...inner]);
  }

  private unite(a: Value, b: Value): void {
    if (!this.isOf(a.type) || !this.isOf(b.type)) return;
    const [x, y] = [this.versionOf(a), this.versionOf(b)];
    if (x !== y) this.parent.set(x, y);
  }
}
