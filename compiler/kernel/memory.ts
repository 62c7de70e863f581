/**
 * The memory plan: every array gets bytes of one arena that no other array needs at the same time.
 * Sizes are polynomials in symbolic extents; those that cannot be compared do not share a place.
 */

import {
  addDims,
  type Dim,
  dimText,
  evaluateDim,
  sameDim,
  subtractDims,
  symbolsOf,
} from "../ir/dim.ts";
import { add, constant, type Expr, type Local, op, read, set, type Statement } from "./loop.ts";
import { type Buffer, endsBefore } from "./buffer.ts";

export interface MemoryPlan {
  /** For each slot the sizes of which it must hold the largest. */
  readonly slots: readonly (readonly Dim[])[];
  /** Assigns the address of every planned buffer, given that of the arena. */
  readonly prologue: readonly Statement[];
  /** The bytes of all slots together. */
  readonly size: Expr;
  readonly text: string;
}

interface Slot {
  readonly sizes: Dim[];
  readonly buffers: Buffer[];
}

/** The extent that sizes are compared at when they mention symbols. */
const typicalExtent = 64;

export function planMemory(
  buffers: readonly Buffer[],
  arena: Local,
  frameBytes: number,
  dim: (dim: Dim) => Expr,
): MemoryPlan {
  const planned = buffers
    .filter(({ kind }) => kind === "arena")
    .sort((a, b) => typicalSize(b.bytes) - typicalSize(a.bytes) || a.from - b.from);
  const slots: Slot[] = [{ sizes: [frameBytes], buffers: [] }];
  const slotOf = new Map<Buffer, Slot>();
  for (const buffer of planned) {
    const slot = slots.slice(1).find((candidate) => fits(candidate, buffer));
    const chosen = slot ?? { sizes: [], buffers: [] };
    if (slot === undefined) slots.push(chosen);
    chosen.buffers.push(buffer);
    if (!chosen.sizes.some((size) => sameDim(size, buffer.bytes))) chosen.sizes.push(buffer.bytes);
    slotOf.set(buffer, chosen);
  }
  const sizes = slots.map((slot) => dropSmaller(slot.sizes));
  return {
    slots: sizes,
    prologue: prologueOf(slots, sizes, arena, dim),
    size: sizes.reduce<Expr>((sum, slot) => add(sum, slotSize(slot, dim)), constant(0)),
    text: planText(slots, sizes),
  };
}

/** Two buffers may share bytes when one ends before the other starts, or right there in place. */
function fits(slot: Slot, buffer: Buffer): boolean {
  const sizes = [...slot.sizes, buffer.bytes];
  const numeric = sizes.every((size) => typeof size === "number");
  if (!numeric && !slot.sizes.some((size) => comparable(size, buffer.bytes))) return false;
  return slot.buffers.every((other) => {
    return endsBefore(other, buffer) || endsBefore(buffer, other);
  });
}

/** Sizes that grow alike: the same symbols in them. */
function comparable(a: Dim, b: Dim): boolean {
  return symbolsOf(a).join() === symbolsOf(b).join();
}

function typicalSize(bytes: Dim): number {
  const extents = new Map(symbolsOf(bytes).map((name) => [name, typicalExtent] as const));
  return evaluateDim(bytes, extents);
}

/** Sizes that no other one is at least as large as, whatever the extents are; the number first. */
function dropSmaller(sizes: readonly Dim[]): readonly Dim[] {
  const largest = sizes.filter(
    (size, k) => !sizes.some((other, at) => at !== k && isBelow(size, other)),
  );
  return largest.sort((a, b) => Number(typeof a !== "number") - Number(typeof b !== "number"));
}

function isBelow(size: Dim, other: Dim): boolean {
  return isNeverNegative(subtractDims(other, size));
}

/** No extent is below 0, so a polynomial without negative coefficients is not either. */
function isNeverNegative(dim: Dim): boolean {
  if (typeof dim === "number") return dim >= 0;
  return dim.terms.every(
    ({ coefficient, factors }) =>
      coefficient >= 0 &&
      factors.every((factor) => typeof factor === "string" || isNeverNegative(factor.dividend)),
  );
}

function prologueOf(
  slots: readonly Slot[],
  sizes: readonly (readonly Dim[])[],
  arena: Local,
  dim: (dim: Dim) => Expr,
): readonly Statement[] {
  const statements: Statement[] = [];
  let at: Expr = read(arena);
  let fixed = 0;
  slots.forEach((slot, k) => {
    for (const buffer of slot.buffers) {
      statements.push(set(buffer.home, add(at, constant(fixed))));
    }
    if (k === slots.length - 1) return;
    const [first, ...others] = sizes[k] as readonly Dim[];
    if (others.length === 0 && typeof first === "number") {
      fixed += Math.ceil(first / 16) * 16;
      return;
    }
    const rounded = slotSize(sizes[k] as readonly Dim[], dim);
    const [previous] = slot.buffers;
    const base = previous === undefined ? add(at, constant(fixed)) : read(previous.home);
    const next: Local = { name: "slot", type: "i32" };
    statements.push(set(next, add(base, rounded)));
    at = read(next);
    fixed = 0;
  });
  return statements;
}

/** The largest of the sizes, rounded up to a multiple of 16. */
function slotSize([first, ...others]: readonly Dim[], dim: (dim: Dim) => Expr): Expr {
  if (others.length === 0 && typeof first === "number") return constant(Math.ceil(first / 16) * 16);
  const largest = others.reduce<Expr>(
    (most, size) => op("max", "i32", [most, dim(size)]),
    dim(first ?? 0),
  );
  if ([first, ...others].every(isAligned)) return largest;
  return op("bit_and", "i32", [add(largest, constant(15)), constant(-16)]);
}

/** A multiple of 16, whatever the extents are. */
function isAligned(size: Dim = 0): boolean {
  if (typeof size === "number") return size % 16 === 0;
  return size.terms.every(({ coefficient }) => coefficient % 16 === 0);
}

function planText(slots: readonly Slot[], sizes: readonly (readonly Dim[])[]): string {
  const lines = slots.map((slot, k) => {
    const size = (sizes[k] as readonly Dim[]).map(dimText).join(", ");
    const bytes = (sizes[k] as readonly Dim[]).length > 1 ? `max(${size})` : size;
    const names = slot.buffers.map(({ name, from, to }) => `${name} [${from}..${to}]`);
    return `slot ${k}: ${bytes} bytes${k === 0 ? ", scalar results" : ""}  ${names.join(" ")}`;
  });
  const total = sizes.reduce<Dim>((sum, slot) => addDims(sum, slot[0] ?? 0), 0);
  return `arena of ${dimText(total)} bytes\n${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
