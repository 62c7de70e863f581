/**
 * Equations over the rows of arrays as one loop over the rows, where a reduction of each row meets
 * the row again:
 *
 *   m = reduce_max x [1]; e = exp (x - m); s = sum e [1]; y = e / s   →
 *   y = for r < rows { m = reduce_max x[r]; e = exp (x[r] - m); s = sum e; y[r] = e / s }
 *
 * A row stays in the nearest cache from its first use to its last, and what no one else reads needs
 * the memory of one row only. Sums over the rows grow in the same loop.
 */

import { type Dim, elementCount, sameDim, shapeText } from "../ir/dim.ts";
import {
  arrayType,
  type Block,
  type Equation,
  scalarType,
  type Value,
  type ValueType,
} from "../ir/types.ts";
import { freeValues, operandsOf } from "../ir/walk.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { newBuilder, ops } from "../ops/index.ts";

type Shape = readonly Dim[];

/** Measured with softmax and layer norm: below, arrays one after the other are as fast or faster. */
const shortestRow = 128;

/**
 * The block with such loops, or the very block where there are none. `shortest` is the length of
 * rows from which on they pay for the kernels that are called for each.
 */
export function fuseRows(block: Block, shortest = shortestRow): Block {
  const uses = usersIn(block);
  const equations: Equation[] = [];
  let segment: Equation[] = [];
  for (const equation of block.equations) {
    if (!staysInOrder(equation)) {
      segment.push(equation);
      continue;
    }
    const regions = equation.regions.map((region) => fuseRows(region, shortest));
    const isSame = regions.every((region, k) => region === equation.regions[k]);
    equations.push(...fused(segment, uses, shortest), isSame ? equation : { ...equation, regions });
    segment = [];
  }
  equations.push(...fused(segment, uses, shortest));
  const isSame = equations.every((equation, k) => equation === block.equations[k]);
  return isSame && equations.length === block.equations.length ? block : { ...block, equations };
}

/** What consumes an array must stay behind those that read it. */
function staysInOrder({ op, regions }: Equation): boolean {
  const laws = ops[op]?.laws;
  return regions.length > 0 || laws?.consumes !== undefined || laws?.effect === true;
}

/** Who reads each value of a block: equations, and the block itself for its results. */
type Users = ReadonlyMap<Value, readonly (Equation | Block)[]>;

function usersIn(block: Block): Users {
  const users = new Map<Value, (Equation | Block)[]>();
  const note = (value: Value, user: Equation | Block): void => {
    const known = users.get(value);
    if (known === undefined) users.set(value, [user]);
    else known.push(user);
  };
  for (const equation of block.equations) {
    for (const input of equation.inputs) note(input, equation);
    for (const region of equation.regions) {
      for (const value of freeValues(region)) note(value, region);
    }
  }
  for (const result of block.results) note(result, block);
  return users;
}

function fused(segment: readonly Equation[], users: Users, shortest: number): readonly Equation[] {
  let equations = segment;
  const tried = new Set<string>();
  for (const equation of segment) {
    const lead = leadOf(equation);
    if (lead === undefined || tried.has(shapeText(lead))) continue;
    tried.add(shapeText(lead));
    equations = fusedAlong(equations, lead, users, shortest);
  }
  return equations;
}

/** The axes that a reduction of trailing axes leaves. */
function leadOf({ op, inputs, parameters }: Equation): Shape | undefined {
  const { lower } = ops[op] ?? {};
  const [x] = inputs;
  if (lower?.kind !== "reduce" || x === undefined) return undefined;
  const axes = parameters["axes"] as readonly number[];
  const kept = x.type.shape.length - axes.length;
  if (kept === 0 || axes.length === 0 || axes.some((axis) => axis < kept)) return undefined;
  return x.type.shape.slice(0, kept);
}

function fusedAlong(
  equations: readonly Equation[],
  lead: Shape,
  users: Users,
  shortest: number,
): readonly Equation[] {
  const done: Equation[] = [];
  let rest = equations;
  for (;;) {
    const group = groupAlong(rest, lead, users, shortest);
    if (group === undefined) return [...done, ...rest];
    const { before, members, after } = group;
    done.push(...before, ...asLoop(members, lead, users));
    rest = after;
  }
}

interface Group {
  readonly before: readonly Equation[];
  readonly members: readonly Equation[];
  readonly after: readonly Equation[];
}

/** The first equations that are worth a loop, and what comes before and after it. */
function groupAlong(
  equations: readonly Equation[],
  lead: Shape,
  users: Users,
  shortest: number,
): Group | undefined {
  const open = new Set<Equation>();
  // What depends on a member but is none comes after the loop, and what depends on that.
  const later = new Set<Value>();
  const made = new Set<Value>();
  for (const equation of equations) {
    const operands = operandsOf(equation);
    const waits = operands.some((operand) => later.has(operand));
    const kind = waits ? undefined : kindOf(equation, lead);
    const target = kind === undefined || kind === "total" ? later : made;
    if (kind !== undefined) open.add(equation);
    else if (!waits && !operands.some((operand) => made.has(operand))) continue;
    for (const output of equation.outputs) target.add(output);
  }
  for (const part of connected([...open])) {
    const members = trimmed(part, lead, users);
    if (!meetsAgain(members, lead) || !hasLongRows(members, lead, shortest)) continue;
    return arranged(equations, new Set(members));
  }
  return undefined;
}

/**
 * `row`: computed from rows and from what is the same for all of them. `reduction`: of each row.
 * `total`: of all rows.
 */
type Kind = "row" | "reduction" | "total";

function kindOf(equation: Equation, lead: Shape): Kind | undefined {
  const { op, inputs, outputs, parameters } = equation;
  const [output] = outputs;
  const definition = ops[op];
  const [x] = inputs;
  if (definition === undefined || output === undefined || x === undefined) return undefined;
  const { lower, laws } = definition;
  if (lower.kind === "reduce") {
    if (!startsWith(x, lead)) return undefined;
    const axes = parameters["axes"] as readonly number[];
    const inLead = axes.filter((axis) => axis < lead.length).length;
    if (inLead === 0) return axes.length > 0 ? "reduction" : undefined;
    return inLead === lead.length && op === "sum" ? "total" : undefined;
  }
  if (!startsWith(output, lead)) return undefined;
  if (laws.elementwise === true) {
    return inputs.every((input) => startsWith(input, lead)) ? "row" : undefined;
  }
  if (op === "reshape") return startsWith(x, lead) ? "row" : undefined;
  if (op === "broadcast") return spreadOf(equation, lead) === undefined ? undefined : "row";
  return undefined;
}

function startsWith({ type: { shape, stack } }: Value, lead: Shape): boolean {
  return !stack && lead.every((dim, k) => shape[k] !== undefined && sameDim(shape[k], dim));
}

/** Whether a broadcast repeats something in each row, or one thing in all rows. */
function spreadOf({ parameters }: Equation, lead: Shape): "own" | "same" | undefined {
  const axes = parameters["axes"] as readonly number[];
  if (axes.every((axis) => axis >= lead.length)) return "same";
  const leading = axes.slice(0, lead.length);
  const isOwn = leading.length === lead.length && leading.every((axis, k) => axis === k);
  return isOwn && axes.slice(lead.length).every((axis) => axis >= lead.length) ? "own" : undefined;
}

/** Members that read one another's results, in their order. */
function connected(members: readonly Equation[]): readonly (readonly Equation[])[] {
  const makers = new Map<Value, Equation>();
  const parts = new Map<Equation, Equation[]>();
  for (const member of members) {
    const own = [member];
    parts.set(member, own);
    for (const input of member.inputs) {
      const maker = makers.get(input);
      const other = maker && parts.get(maker);
      if (other === undefined || other === parts.get(member)) continue;
      for (const joined of parts.get(member) ?? []) {
        other.push(joined);
        parts.set(joined, other);
      }
    }
    for (const output of member.outputs) makers.set(output, member);
  }
  const order = new Map(members.map((member, k) => [member, k] as const));
  const at = (member: Equation): number => order.get(member) ?? 0;
  return [...new Set(parts.values())].map((part) => part.toSorted((a, b) => at(a) - at(b)));
}

/** Without last members that their only reader computes anyway, and would read less for. */
function trimmed(part: readonly Equation[], lead: Shape, users: Users): readonly Equation[] {
  const members = new Set(part);
  for (const member of part.toReversed()) {
    if (kindOf(member, lead) !== "row") continue;
    const readers = member.outputs.flatMap((output) => users.get(output) ?? []);
    const [reader] = readers;
    if (readers.length === 0) members.delete(member);
    if (readers.length !== 1 || reader === undefined || !("op" in reader)) continue;
    const { laws, lower } = ops[reader.op] ?? {};
    const fuses =
      laws?.elementwise === true || lower?.kind === "reduce" || reader.op === "broadcast";
    if (fuses && !members.has(reader)) members.delete(member);
  }
  return part.filter((member) => members.has(member));
}

/** True where a reduction of a row reaches an array over the row. */
function meetsAgain(members: readonly Equation[], lead: Shape): boolean {
  const reduced = new Set<Value>();
  for (const member of members) {
    const { inputs, outputs } = member;
    const fromReduced = inputs.some((input) => reduced.has(input));
    const isRow = outputs.some(({ type }) => elementCount(type.shape.slice(lead.length)) !== 1);
    if (fromReduced && isRow && kindOf(member, lead) === "row") return true;
    if (fromReduced || kindOf(member, lead) === "reduction") {
      for (const output of outputs) reduced.add(output);
    }
  }
  return false;
}

function hasLongRows(members: readonly Equation[], lead: Shape, shortest: number): boolean {
  return members.some(({ outputs }) =>
    outputs.some(({ type }) => {
      const length = elementCount(type.shape.slice(lead.length));
      return startsWith({ type }, lead) && (typeof length !== "number" || length >= shortest);
    }),
  );
}

/** What members need comes before them; all else that stood behind the first of them after. */
function arranged(equations: readonly Equation[], members: ReadonlySet<Equation>): Group {
  const needed = new Set<Value>();
  for (const member of members) for (const input of member.inputs) needed.add(input);
  const first = equations.findIndex((equation) => members.has(equation));
  const before: Equation[] = [];
  const after: Equation[] = [];
  for (const equation of equations.slice(first).toReversed()) {
    if (members.has(equation)) continue;
    if (equation.outputs.some((output) => needed.has(output))) {
      before.unshift(equation);
      for (const operand of operandsOf(equation)) needed.add(operand);
    } else after.unshift(equation);
  }
  return {
    before: [...equations.slice(0, first), ...before],
    members: equations.filter((equation) => members.has(equation)),
    after,
  };
}

/** The loop, and its results in the shapes that they had. */
function asLoop(members: readonly Equation[], lead: Shape, users: Users): readonly Equation[] {
  const builder = newBuilder(members[0]?.span);
  const count = elementCount(lead);
  const inside = new Set<Equation | Block>(members);
  const isTotal = (member: Equation): boolean => kindOf(member, lead) === "total";
  const handedOut = members.filter((member) => {
    const isRead = (value: Value): boolean =>
      (users.get(value) ?? []).some((user) => !inside.has(user));
    return isTotal(member) || member.outputs.some(isRead);
  });
  const types = handedOut.map((member) => {
    const { type } = member.outputs[0] as Value;
    return arrayType(type.dtype, isTotal(member) ? type.shape : [count, ...rowShape(type, lead)]);
  });
  const flat = new Map<Value, Value>();
  const made = new Set(members.flatMap(({ outputs }) => outputs));
  for (const member of members) {
    const own = member.op !== "broadcast" || spreadOf(member, lead) === "own";
    for (const input of own ? member.inputs : []) {
      if (made.has(input)) continue;
      const shape = [count, ...rowShape(input.type, lead)];
      if (!flat.has(input)) flat.set(input, builder.reshape(input, shape));
    }
  }
  const initial = types.map((type) => builder.zerosOf(type));
  const body = builder.block([scalarType("i32"), ...types], (inner, [index, ...carried]) => {
    const rows = new Map<Value, Value>();
    const at = index as Value;
    const rowOf = (value: Value): Value => {
      const known = rows.get(value);
      if (known !== undefined) return known;
      const row = inner.one("at", [flat.get(value) as Value, at], { unchecked: true });
      rows.set(value, row);
      return row;
    };
    const next = new Map<Equation, Value>();
    for (const member of members) {
      const [output] = member.outputs as readonly [Value];
      inner.span = member.span;
      const row = rowEquation(inner, member, lead, rowOf);
      if (output.name !== undefined) inner.name(row, output.name);
      rows.set(output, row);
      const slot = handedOut.indexOf(member);
      if (slot < 0) continue;
      const old = carried[slot] as Value;
      const grown = isTotal(member)
        ? inner.one("add", [old, row], member.parameters["accumulate"] ? { accumulate: true } : {})
        : inner.one("update", [old, row, at], { unchecked: true });
      next.set(member, grown);
    }
    return handedOut.map((member) => next.get(member) as Value);
  });
  const results = builder.for(builder.extent(count), initial, body);
  handedOut.forEach((member, k) => {
    const [output] = member.outputs as readonly [Value];
    builder.put({
      op: "reshape",
      inputs: [results[k] as Value],
      parameters: { shape: output.type.shape },
      regions: [],
      outputs: [output],
      span: member.span,
    });
  });
  return builder.equations;
}

/** A row of one element is a number. */
function rowShape({ shape }: ValueType, lead: Shape): Shape {
  const row = shape.slice(lead.length);
  return row.every((dim) => dim === 1) ? [] : row;
}

/** What a member does in one row; of a total, what the row adds to it. */
function rowEquation(
  builder: GraphBuilder,
  member: Equation,
  lead: Shape,
  rowOf: (value: Value) => Value,
): Value {
  const { op, inputs, outputs, parameters } = member;
  const [input] = inputs as readonly [Value];
  const [output] = outputs as readonly [Value];
  const isTotal = kindOf(member, lead) === "total";
  const shape = isTotal ? output.type.shape : rowShape(output.type, lead);
  const within = (of: Value): readonly number[] => {
    const axes = parameters["axes"] as readonly number[];
    if (of.type.shape.length === 0) return [];
    return axes.filter((axis) => axis >= lead.length).map((axis) => axis - lead.length);
  };
  if (ops[op]?.lower.kind === "reduce") {
    const row = rowOf(input);
    return builder.reshape(builder.reduce(op, row, within(row)), shape);
  }
  if (op === "broadcast") {
    const x = spreadOf(member, lead) === "same" ? input : rowOf(input);
    if (shape.length === 0) return builder.reshape(x, []);
    return builder.broadcast(x, shape, within(x));
  }
  if (op === "reshape") return builder.reshape(rowOf(input), shape);
  return builder.one(op, inputs.map(rowOf), parameters);
}
