/** Two paths read from one state, and what stands where they meet. */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Block, sameType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { newGroup } from "./alias.ts";
import type { Changes, Place } from "./heap.ts";
import { flatten, join, leafTypes, rebuild, type Template, templateOf } from "./join.ts";
import { rename, stackItems } from "./objects.ts";
import { stackOf, type StackState } from "./stacks.ts";
import { type Exit, NoResult, normal, type Reader } from "./reader.ts";
import type { ArrayState, Group, ReaderValue } from "./values.ts";
import { undefinedValue } from "./values.ts";

export interface Path {
  readonly exit: Exit;
  /** What an expression gives on this path. */
  readonly value?: ReaderValue | undefined;
}

interface Arm {
  readonly builder: GraphBuilder;
  readonly changes: Changes;
  readonly path: Path;
}

/** Reads both paths and the meeting. The condition is an unknown bool. */
export function branch(
  reader: Reader,
  condition: Value,
  then: () => Path,
  otherwise: () => Path,
  node: ts.Node,
): Path {
  const [first, second] = [attemptArm(reader, then), attemptArm(reader, otherwise)];
  if (first instanceof NoResult || second instanceof NoResult) {
    return onlyArm(reader, first instanceof NoResult ? second : first);
  }
  const arms = [first, second] as const;
  if (madeStacks(reader, arms, node)) return branch(reader, condition, then, otherwise, node);
  const meeting = new Meeting(reader, arms, node);
  const places = new Set([...arms[0].changes.keys(), ...arms[1].changes.keys()]);
  for (const place of places) meeting.place(place);
  const exit = meeting.exit();
  const value =
    arms[0].path.value === undefined || arms[1].path.value === undefined
      ? undefined
      : meeting.value(arms[0].path.value, arms[1].path.value, "the value");
  return meeting.finish(condition, exit, value);
}

/** Lists that an arm pushes onto are stacks before the branch; true where there are any. */
function madeStacks(reader: Reader, arms: Sides<Arm>, node: ts.Node): boolean {
  let made = false;
  for (const { changes } of arms) {
    for (const [place, { after }] of changes) {
      const { content } = place;
      if (!isArrayState(after) || after.form !== "stack") continue;
      if (!isArrayState(content) || content.form !== "list") continue;
      const { item } = after;
      const value = stackOf(reader, content, after.value.type, node);
      reader.heap.write(place, { form: "stack", value, item });
      made = true;
    }
  }
  return made;
}

export const plain = (value: ReaderValue): Path => ({ exit: normal, value });

type Sides<T> = readonly [T, T];
type Later<T> = (outputs: Iterator<Value>) => T;

class Meeting {
  private readonly reader: Reader;
  private readonly arms: Sides<Arm>;
  private readonly node: ts.Node;
  private readonly group: Group = newGroup();
  private readonly results: Sides<Value[]> = [[], []];
  private readonly writes: Later<void>[] = [];

  constructor(reader: Reader, arms: Sides<Arm>, node: ts.Node) {
    this.reader = reader;
    this.arms = arms;
    this.node = node;
  }

  place(place: Place<unknown>): void {
    const { reader } = this;
    const sides = this.arms.map(({ changes }) => {
      const change = changes.get(place);
      return change === undefined ? place.content : change.after;
    }) as unknown as Sides<unknown>;
    const [a, b] = sides;
    if (isFields(a) && isFields(b)) return this.fields(place as Place<Fields>, [a, b]);
    if (isArrayState(a) && isArrayState(b)) return this.array(place as Place<ArrayState>, [a, b]);
    if (isReaderValue(a) && isReaderValue(b)) {
      const later = this.value(a, b, place.name);
      this.writes.push((outputs) => reader.heap.write(place, later(outputs)));
      return;
    }
    // What is left says where an object was written under another name, or a row replaced.
    this.writes.push(() => reader.heap.write(place, a === place.content ? b : a));
  }

  value(a: ReaderValue, b: ReaderValue, name: string): Later<ReaderValue> {
    const { reader, node } = this;
    const templates = [a, b].map((value, side) =>
      this.inArm(side as 0 | 1, () => templateOf(reader, value)),
    ) as unknown as Sides<Template>;
    const template = this.settle(join(templates[0], templates[1]));
    for (const side of [0, 1] as const) {
      const leaves = this.inArm(side, () => flatten(reader, template, side === 0 ? a : b, node));
      this.results[side].push(...leaves);
    }
    return (outputs) => rebuild(reader, template, outputs, name, this.group);
  }

  exit(): Later<Exit> {
    const [a, b] = [this.arms[0].path.exit, this.arms[1].path.exit];
    if (a.kind === "normal" && b.kind === "normal") return () => normal;
    if (a.kind === "abrupt" && b.kind === "abrupt" && a.target === b.target) return () => a;
    for (const side of [0, 1] as const) {
      const exit = this.arms[side].path.exit;
      const code = this.inArm(side, () => exitCode(this.reader, exit, this.node));
      this.results[side].push(code);
    }
    const targets = new Set([...targetsOf(a), ...targetsOf(b)]);
    return (outputs) => ({ kind: "mixed", code: outputs.next().value as Value, targets });
  }

  /** Emits the equation and writes what the paths have changed. */
  finish(condition: Value, exit: Later<Exit>, value: Later<ReaderValue> | undefined): Path {
    const { reader, node } = this;
    const [then, otherwise] = this.arms.map(({ builder }, side): Block => ({
      parameters: [],
      equations: builder.equations,
      results: this.results[side as 0 | 1],
    })) as unknown as Sides<Block>;
    const builder = reader.at(node);
    const idle = then.equations.length === 0 && otherwise.equations.length === 0;
    const outputs = (
      isCheap(then) && isCheap(otherwise)
        ? choose(builder, condition, then, otherwise)
        : idle && then.results.length === 0
          ? []
          : builder.if(condition, then, otherwise)
    ).values();
    for (const write of this.writes) write(outputs);
    const meeting = exit(outputs);
    return { exit: meeting, value: value?.(outputs) };
  }

  /** A list that one path indexes by an unknown number is a dense array on both. */
  private array(place: Place<ArrayState>, states: Sides<ArrayState>): void {
    const { reader, node } = this;
    const [a, b] = states;
    if (a.form === "stack" && b.form === "stack") return this.stack(place, [a, b]);
    const others = states.some(({ form }) => form === "table" || form === "stack");
    if (others || (states[0].form === "list" && states[1].form === "list")) {
      reader.needsLength(place.name, node);
    }
    const values = states.map((state, side) => {
      if (state.form === "dense") return state.value;
      if (state.form !== "list") throw new Error(`a ${state.form} does not meet an array`);
      return this.inArm(side as 0 | 1, () =>
        stackItems(
          reader,
          state.items.map((item) => reader.heap.read(item)),
          node,
        ),
      );
    }) as unknown as Sides<Value>;
    if (!sameType(values[0].type, values[1].type)) {
      reader.needsLength(place.name, node);
    }
    this.results[0].push(values[0]);
    this.results[1].push(values[1]);
    this.writes.push((outputs) => {
      const value = outputs.next().value as Value;
      rename(value, place.name);
      reader.heap.write(place, { form: "dense", value });
    });
  }

  /** What one path pushes onto was a stack before. */
  private stack(place: Place<ArrayState>, states: Sides<StackState>): void {
    const { reader, node } = this;
    const { item, value: one } = states[0];
    for (const side of [0, 1] as const) {
      const { value } = states[side];
      if (!sameType(value.type, one.type)) reader.needsLength(place.name, node);
      this.results[side].push(value);
    }
    this.writes.push((outputs) => {
      const value = outputs.next().value as Value;
      rename(value, place.name);
      reader.heap.write(place, { form: "stack", value, item });
    });
  }

  /** Fields that only one path adds are undefined on the other. */
  private fields(place: Place<Fields>, maps: Sides<Fields>): void {
    const { reader } = this;
    const names = new Set([...maps[0].keys(), ...maps[1].keys()]);
    const laters = [...names].map((name): [string, Place<ReaderValue> | Later<ReaderValue>] => {
      const [a, b] = [maps[0].get(name), maps[1].get(name)];
      if (a !== undefined && a === b) return [name, a];
      return [name, this.value(a?.content ?? undefinedValue, b?.content ?? undefinedValue, name)];
    });
    this.writes.push((outputs) => {
      const fields = laters.map(([name, field]) => {
        const value = typeof field === "function" ? field(outputs) : undefined;
        const kept = value === undefined ? field : reader.heap.place(value, name);
        return [name, kept as Place<ReaderValue>] as const;
      });
      reader.heap.write(place, new Map(fields));
    });
  }

  /** Nothing of a length that is computed inside a path can leave it. */
  private settle(template: Template): Template {
    if (!leafTypes(template).some((type) => this.reader.escapes(type))) return template;
    return { kind: "conflict", problem: (name, span) => messages.lengthEscapes({ name }, span) };
  }

  private inArm<T>(side: 0 | 1, body: () => T): T {
    const { reader } = this;
    const arm = this.arms[side];
    return reader.inBuilder(
      arm.builder,
      () =>
        reader.heap.record(() => {
          reader.heap.apply(arm.changes);
          return body();
        }).result,
    );
  }
}

type Fields = ReadonlyMap<string, Place<ReaderValue>>;

export function isFields(content: unknown): content is Fields {
  return content instanceof Map;
}

export function isArrayState(content: unknown): content is ArrayState {
  return typeof content === "object" && content !== null && "form" in content;
}

export function isReaderValue(content: unknown): content is ReaderValue {
  return typeof content === "object" && content !== null && "kind" in content;
}

export function targetsOf(exit: Exit): ReadonlySet<number> {
  if (exit.kind === "normal") return new Set();
  return exit.kind === "abrupt" ? new Set([exit.target]) : exit.targets;
}

export function exitCode(reader: Reader, exit: Exit, node: ts.Node): Value {
  if (exit.kind === "mixed") return exit.code;
  return reader.at(node).constant(exit.kind === "normal" ? 0 : exit.target, "i32");
}

function readArm(reader: Reader, body: () => Path): Arm {
  const { result, changes } = reader.heap.record(() => reader.inBlock(body));
  return { builder: result.builder, changes, path: result.result };
}

/** An arm, unless it needs the result of a function that is only being found out. */
function attemptArm(reader: Reader, body: () => Path): Arm | NoResult {
  try {
    return readArm(reader, body);
  } catch (error) {
    if (error instanceof NoResult) return error;
    throw error;
  }
}

/** What the arm that is known tells of the result: what is read here is read once more. */
function onlyArm(reader: Reader, arm: Arm | NoResult): Path {
  if (arm instanceof NoResult) throw arm;
  for (const equation of arm.builder.equations) reader.builder.put(equation);
  reader.heap.apply(arm.changes);
  return arm.path;
}

/** Nothing but constants to compute, and only scalars to choose from. */
function isCheap(block: Block): boolean {
  return (
    block.equations.every(
      ({ op, outputs }) => op === "constant" && outputs[0]?.type.shape.length === 0,
    ) && block.results.every(({ type }) => type.shape.length === 0 && !type.stack)
  );
}

function choose(
  builder: GraphBuilder,
  condition: Value,
  then: Block,
  otherwise: Block,
): readonly Value[] {
  for (const equation of [...then.equations, ...otherwise.equations]) builder.put(equation);
  return then.results.map((result, k) => {
    const other = otherwise.results[k] as Value;
    return result === other ? result : builder.select(condition, result, other);
  });
}
