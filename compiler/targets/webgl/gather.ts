/**
 * Which entries a fragment program can do. Its threads write to places that are fixed beforehand,
 * and what they write is seen by nobody before all of them are done:
 *
 *   - each store is done at most once by a thread: it stands in no loop;
 *   - nothing is read that the thread itself has stored, but for an element that is known to be
 *     there: its value is still at hand.
 *
 * A store at `base + thread` is _direct_: fragments are its elements.
 */

import { type Dim, multiplyDims, subtractDims } from "../../ir/dim.ts";
import {
  constant,
  type Expr,
  type Local,
  local,
  type LoopFunction,
  machine,
  read,
  set,
  type Statement,
  store,
} from "../../kernel/loop.ts";
import { assignedIn, mapOperands, visitExpression, visitStatements } from "../../kernel/rewrite.ts";
import { type Functions, withWriters } from "../gpu/inline.ts";
import { constantSets } from "../gpu/shaderText.ts";
import type { Entry } from "../gpu/split.ts";
import { Indices } from "./indices.ts";

type Store = Extract<Statement, { readonly kind: "store" }>;

/** A store of a gathering entry. */
export interface Site {
  readonly statement: Store;
  /** Of a direct one, the address of the first thread's element, from parameters of the entry. */
  readonly first: Expr | undefined;
  /** True where every thread stores. */
  readonly isCertain: boolean;
}

export interface Gathering {
  readonly body: readonly Statement[];
  readonly sites: readonly Site[];
  /** True where fragments are elements: all sites are direct, and none is in the place of another. */
  readonly isDirect: boolean;
  readonly mayFail: boolean;
}

/** An entry as a fragment program; undefined where it is none. `cells`: the address of the cells. */
export function gatheringOf(
  entry: Entry,
  functions: Functions,
  cells: { readonly base: Local; readonly numbers: ReadonlyMap<Local, number> },
): Gathering | undefined {
  const left = entry.stores.map((of) => {
    const dtype = of.type === "i32" ? "i32" : "f32";
    return store(read(cells.base), constant(cells.numbers.get(of) as number), dtype, read(of));
  });
  // Of a grid it would be one thread that leaves them, nobody knows which.
  if (entry.part !== undefined && left.length > 0) return undefined;
  const body = [...withWriters(entry.body, functions), ...left];
  const reader = new Reader(entry, functions, cells.base, body);
  try {
    const rewritten = reader.list(body, true, false);
    const { sites, mayFail, hasOverlaps } = reader;
    const isDirect = !hasOverlaps && sites.every(({ first }) => first !== undefined);
    return { body: rewritten, sites, isDirect, mayFail };
  } catch (error) {
    if (error instanceof NotGathering) return undefined;
    throw error;
  }
}

class NotGathering extends Error {}

interface Stored {
  readonly roots: ReadonlySet<Local>;
  readonly address: Dim;
  readonly value: Local;
  readonly isCertain: boolean;
}

class Reader {
  readonly sites: Site[] = [];
  mayFail = false;
  /** True where a store may be in the place of an earlier one. */
  hasOverlaps = false;
  private readonly entry: Entry;
  private readonly functions: Functions;
  private readonly constants: ReadonlyMap<Local, Statement>;
  private readonly indices: Indices;
  private readonly stored: Stored[] = [];

  constructor(entry: Entry, functions: Functions, cells: Local, body: readonly Statement[]) {
    this.entry = entry;
    this.functions = functions;
    const assigned = assignedIn(body);
    const fixed = new Set([...entry.parameters, cells].filter((of) => !assigned.has(of)));
    this.constants = constantSets(body);
    this.indices = new Indices(fixed, entry.part, this.constants);
  }

  list(body: readonly Statement[], isCertain: boolean, isLoop: boolean): readonly Statement[] {
    return body.flatMap((statement) => this.statement(statement, isCertain, isLoop));
  }

  private statement(
    statement: Statement,
    isCertain: boolean,
    isLoop: boolean,
  ): readonly Statement[] {
    const expr = (each: Expr): Expr => this.expr(each);
    switch (statement.kind) {
      case "set": {
        const value = expr(statement.value);
        this.indices.set(statement, value);
        return [{ ...statement, value }];
      }
      case "store": {
        if (isLoop) throw new NotGathering();
        return this.store(statement, isCertain);
      }
      case "for":
        return [
          {
            ...statement,
            from: expr(statement.from),
            to: expr(statement.to),
            body: this.list(statement.body, false, true),
          },
        ];
      case "while":
        return [
          {
            ...statement,
            before: this.list(statement.before, false, true),
            condition: expr(statement.condition),
            body: this.list(statement.body, false, true),
          },
        ];
      case "if": {
        const condition = expr(statement.condition);
        const then = this.list(statement.then, false, isLoop);
        const otherwise = this.list(statement.otherwise, false, isLoop);
        return [{ ...statement, condition, then, otherwise }];
      }
      case "call": {
        this.call(statement.callee);
        return [{ ...statement, operands: statement.operands.map(expr) }];
      }
      case "copy":
      case "clear":
        throw new NotGathering();
      case "fault":
        this.mayFail = true;
        return [{ ...statement, index: expr(statement.index), extent: expr(statement.extent) }];
    }
  }

  /** What is called reads anything, and writes nothing. */
  private call(callee: string): void {
    const fn = this.functions.get(callee);
    if (fn === undefined) return;
    if (this.stored.length > 0 && reads(fn, this.functions)) throw new NotGathering();
    if (fails(fn, this.functions)) this.mayFail = true;
  }

  private store(statement: Store, isCertain: boolean): readonly Statement[] {
    const { dtype } = statement;
    const [base, index] = [this.expr(statement.base), this.expr(statement.index)];
    // Read before it is stored.
    const computed = this.expr(statement.value);
    const value = local("stored", machine(dtype));
    const address = this.indices.address(base, index);
    const kept: Store = { ...statement, base, index, value: read(value) };
    const roots = this.roots(base);
    this.hasOverlaps ||= this.stored.some((other) => mayMeet(other, roots, address));
    this.sites.push({ statement: kept, first: this.first(address), isCertain });
    this.stored.push({ roots, address, value, isCertain });
    return [set(value, computed), kept];
  }

  /** With what it reads of its own stores replaced by what was stored. */
  private expr(expr: Expr): Expr {
    const mapped = mapOperands(expr, (operand) => this.expr(operand));
    if (mapped.kind !== "load") return mapped;
    const { base, index, dtype } = mapped;
    const roots = this.roots(base);
    const address = this.indices.address(base, index);
    for (const stored of this.stored.toReversed()) {
      if (!mayMeet(stored, roots, address)) continue;
      const { value, isCertain } = stored;
      const isThere = isCertain && subtractDims(address, stored.address) === 0;
      if (!isThere || value.type !== machine(dtype)) throw new NotGathering();
      return read(value);
    }
    return mapped;
  }

  /** The address of the first thread's element, if those of the others follow it. */
  private first(address: Dim): Expr | undefined {
    const { indices } = this;
    const { part } = this.entry;
    const thread = part === undefined ? 0 : indices.dim(read(part));
    return indices.fixedOf(subtractDims(address, multiplyDims(4, thread)));
  }

  /** The pointers that an address comes from: those of two arrays differ. */
  private roots(base: Expr): ReadonlySet<Local> {
    const found = new Set<Local>();
    const visit = (expr: Expr): void =>
      visitExpression(expr, (inner) => {
        if (inner.kind !== "local") return;
        const definition = this.constants.get(inner.local);
        if (definition?.kind === "set") visit(definition.value);
        else found.add(inner.local.root ?? inner.local);
      });
    visit(base);
    return found;
  }
}

/** True where an address may be that of an earlier store. */
function mayMeet(stored: Stored, roots: ReadonlySet<Local>, address: Dim): boolean {
  if (![...roots].some((root) => stored.roots.has(root))) return false;
  const distance = subtractDims(address, stored.address);
  return typeof distance !== "number" || distance === 0;
}

function reads({ body, results }: LoopFunction, functions: Functions): boolean {
  let found = false;
  const visit = (expr: Expr): void =>
    visitExpression(expr, (inner) => {
      if (inner.kind === "load") found = true;
    });
  for (const result of results) visit(result);
  visitCalled(body, functions, (statement) => {
    if (statement.kind === "set") visit(statement.value);
    if (statement.kind === "for") for (const each of [statement.from, statement.to]) visit(each);
    if (statement.kind === "if" || statement.kind === "while") visit(statement.condition);
    if (statement.kind === "call") statement.operands.forEach(visit);
    if (statement.kind === "fault")
      for (const each of [statement.index, statement.extent]) visit(each);
  });
  return found;
}

function fails({ body }: LoopFunction, functions: Functions): boolean {
  let found = false;
  visitCalled(body, functions, ({ kind }) => {
    if (kind === "fault") found = true;
  });
  return found;
}

function visitCalled(
  body: readonly Statement[],
  functions: Functions,
  visit: (statement: Statement) => void,
): void {
  visitStatements(body, (statement) => {
    visit(statement);
    const fn = statement.kind === "call" ? functions.get(statement.callee) : undefined;
    if (fn !== undefined) visitCalled(fn.body, functions, visit);
  });
}
