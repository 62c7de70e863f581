/** Sums and products over axes of plain arrays, as loops. */

import type { Dim } from "../ir/dim.ts";
import type { Equation, Value } from "../ir/types.ts";
import { applied, into, sum } from "./elements.ts";
import { atom, choice, numberText, scalarText, type Text } from "./expressions.ts";
import { filled, fillNew, loops, placeIn } from "./loops.ts";
import { plainType, type Writing } from "./writing.ts";

/** `sum`, `prod`, `max`, … over axes. */
export function reduce(page: Writing, equation: Equation, combine: string, identity: number): void {
  const [x] = equation.inputs as readonly [Value];
  const [output] = equation.outputs as readonly [Value];
  const axes = equation.parameters["axes"] as readonly number[];
  const { dtype } = output.type;
  const start =
    dtype === "bool"
      ? atom(String(identity === 1))
      : numberText(Math.abs(identity) === 0 ? 0 : identity);
  if (output.type.shape.length === 0 && combine === "add" && x.type.shape.length === 1) {
    if (page.hasVariable(x) && dtype === "f64") {
      page.introduce(output, `${page.text(x).text}.reduce((sum, v) => sum + v, 0)`);
      return;
    }
  }
  const name = page.names.fresh(output.name ?? combine.replace("add", "sum"));
  page.line(
    output.type.shape.length === 0
      ? `let ${name} = ${start.text};`
      : `const ${name}${annotation(output)} = ${filled(page, output.type.shape, dtype, start)};`,
  );
  loops(page, x.type.shape, (index) => {
    const place = placeIn(
      name,
      index.filter((_, axis) => !axes.includes(axis)),
    );
    into(page, place, combine, dtype, page.element(x, index));
  });
  page.say(output, atom(name));
}

/** Rows of typed arrays may stand on any buffer. */
function annotation({ type }: Value): string {
  return type.shape.length > 1 ? `: ${plainType(type.dtype, type.shape.length)}` : "";
}

/** Sums of products over contracted axes; batch axes, then those of x, then those of y. */
export function contract(page: Writing, equation: Equation): void {
  const [x, y] = equation.inputs as readonly [Value, Value];
  const [output] = equation.outputs as readonly [Value];
  const axes = equation.parameters as unknown as Readonly<Record<string, readonly number[]>>;
  const at = (name: string): readonly number[] => axes[name] ?? [];
  const name = page.names.fresh(output.name ?? (output.type.shape.length > 0 ? "array" : "sum"));
  const { shape, dtype } = output.type;
  page.line(
    shape.length === 0
      ? `let ${name} = 0;`
      : `const ${name}${annotation(output)} = ${filled(page, shape, dtype, atom("0"))};`,
  );
  const free = (value: Value, taken: readonly number[]): readonly number[] =>
    value.type.shape.map((_, axis) => axis).filter((axis) => !taken.includes(axis));
  const lhsFree = free(x, [...at("lhsBatch"), ...at("lhsContract")]);
  const rhsFree = free(y, [...at("rhsBatch"), ...at("rhsContract")]);
  const inner = at("lhsContract").map((axis) => x.type.shape[axis] as Dim);
  loops(page, [...shape, ...inner], (index) => {
    const [outer, summed] = [index.slice(0, shape.length), index.slice(shape.length)];
    const batch = at("lhsBatch").length;
    const pick = (
      rank: number,
      parts: readonly (readonly [readonly number[], readonly Text[]])[],
    ) =>
      Array.from({ length: rank }, (_, axis) => {
        const [list, texts] = parts.find(([taken]) => taken.includes(axis)) as (typeof parts)[0];
        return texts[list.indexOf(axis)] as Text;
      });
    const left = page.element(
      x,
      pick(x.type.shape.length, [
        [at("lhsBatch"), outer.slice(0, batch)],
        [lhsFree, outer.slice(batch, batch + lhsFree.length)],
        [at("lhsContract"), summed],
      ]),
    );
    const right = page.element(
      y,
      pick(y.type.shape.length, [
        [at("rhsBatch"), outer.slice(0, batch)],
        [rhsFree, outer.slice(batch + lhsFree.length)],
        [at("rhsContract"), summed],
      ]),
    );
    const product = applied("mul", dtype, [left, right]) as Text;
    into(page, placeIn(name, outer), "add", dtype, product);
  });
  page.say(output, atom(name));
}

/** The sums up to each place along an axis. */
export function accumulate(page: Writing, equation: Equation): void {
  const [x] = equation.inputs as readonly [Value];
  const [output] = equation.outputs as readonly [Value];
  const axis = equation.parameters["axis"] as number;
  const { dtype } = output.type;
  const name = fillNew(page, output, (index) => {
    const before = index.map((at, k) => (k === axis ? sum(at, atom("-1")) : at));
    const [at] = index.slice(axis) as [Text];
    const earlier = { text: `${placeIn(name, before)}!`, binds: 18 };
    const first = scalarText("gt", "f64", [at, atom("0")]) as Text;
    const sumSoFar = applied("add", dtype, [earlier, page.element(x, index)]) as Text;
    return choice(first, sumSoFar, page.element(x, index));
  });
  page.say(output, atom(name));
}
