/**
 * Functions that call themselves, and the halves that differentiation makes of them.
 *
 * Arrays that a function takes over are written in place, and so are tapes; all else is returned.
 */

import type { Fn, Value } from "../ir/types.ts";
import { atom } from "./expressions.ts";
import { lengthAt, symbolOf } from "./border.ts";
import { handedOn, loops } from "./loops.ts";
import { type FunctionNames, Statements } from "./statements.ts";
import { storedText, type Writing } from "./writing.ts";

/** What a suffix of a name in the graph says, for people. */
const kinds: Readonly<Record<string, { readonly suffix: string; readonly comment: string }>> = {
  fwd: {
    suffix: "Forward",
    comment: "Forward half: computes it, and puts on the tape what the reverse half reads.",
  },
  rev: {
    suffix: "Reverse",
    comment: "Reverse half: takes from the tape, and leads derivatives back to the arguments.",
  },
  jvp: {
    suffix: "Tangent",
    comment: "Its value, and how that changes where the arguments change.",
  },
  vmap: { suffix: "Batch", comment: "Of all members of a batch at once." },
};

/** `power_1$rev__x` is `powerReverse`. */
export function functionNames(page: Writing, functions: readonly Fn[]): FunctionNames {
  return new Map(
    functions.map(({ name }) => {
      const [base = name, ...steps] = name.split("$");
      const suffixes = steps.map((step) => kinds[step.split("_")[0] as string]?.suffix ?? "");
      return [name, page.names.fresh(base.replace(/_\d+$/, "") + suffixes.join(""))];
    }),
  );
}

function commentOf({ name }: Fn): readonly string[] {
  const last = name.split("$").slice(1).at(-1);
  const kind = kinds[last?.split("_")[0] ?? ""];
  return kind === undefined ? [] : [`/** ${kind.comment} */`];
}

export function printFunction(page: Writing, fn: Fn, names: FunctionNames): void {
  const { parameters, results } = fn.body;
  const moves = (fn.moves ?? []).filter(([from]) => page.isArray(parameters[from] as Value));
  const stacks = parameters.filter(({ type }) => type.stack);
  const stackResults = results.flatMap(({ type }, k) => (type.stack ? [k] : []));
  const inPlace = new Map<number, Value>([
    ...moves.map(([from, to]) => [to, parameters[from] as Value] as const),
    ...stackResults.map((to, k) => [to, stacks[k] as Value] as const),
  ]);
  const returned = results.filter((_, k) => !inPlace.has(k));
  const types = returned.map((value) => page.typeOf(value));
  const type =
    types.length === 0 ? "void" : types.length === 1 ? types[0] : `[${types.join(", ")}]`;
  const symbols = parameters.flatMap(({ type }) =>
    type.shape.flatMap((dim) => symbolOf(dim) ?? []),
  );
  const seen = [...names.values(), ...page.extentVariables(symbols)];
  const { lines, result: list } = page.names.inFunction(seen, () =>
    page.apart(() => {
      const given = parameters.map((parameter) => {
        const name = page.names.fresh(parameter.name ?? unnamed(page, parameter));
        page.say(parameter, atom(name));
        return `${name}: ${page.typeOf(parameter)}`;
      });
      const own = parameters.flatMap((parameter) => lengthsOf(page, parameter));
      const statements = new Statements(page, names);
      page.withExtents(own, () => statements.body(fn.body, finish));
      return given;

      function finish(values: readonly Value[]): void {
        for (const [at, parameter] of inPlace) moveInto(page, parameter, values[at] as Value);
        const texts = values
          .filter((_, k) => !inPlace.has(k))
          .map((value) => (page.isArray(value) ? handedOn(page, value) : page.text(value)).text);
        if (texts.length === 1) page.line(`return ${texts[0]};`);
        if (texts.length > 1) page.line(`return [${texts.join(", ")}];`);
      }
    }),
  );
  const name = names.get(fn.name) as string;
  page.line(...commentOf(fn), `function ${name}(${list.join(", ")}): ${type} {`, ...lines, "}");
}

/** The extents that can be read from an array that is given. */
function lengthsOf(page: Writing, value: Value): readonly (readonly [string, string])[] {
  if (value.type.stack) return [];
  return value.type.shape.flatMap((dim, axis) => {
    const name = symbolOf(dim);
    const { text } = page.text(value);
    if (name === undefined) return [];
    const length = page.isTensor(value) ? `${text}.shape[${axis}]` : lengthAt(text, axis);
    return [[name, length] as const];
  });
}

function unnamed(page: Writing, value: Value): string {
  if (value.type.stack) return "tape";
  return page.isArray(value) ? "array" : "x";
}

/** The array that the caller gave holds the result, where that was made elsewhere. */
function moveInto(page: Writing, parameter: Value, result: Value): void {
  if (parameter.type.stack) {
    if (page.text(parameter).text !== page.text(result).text) {
      throw new Error("a tape is not the one that was given");
    }
    return;
  }
  const [to, from] = [page.text(parameter), handedOn(page, result)];
  if (to.text === from.text) return;
  loops(page, parameter.type.shape, (index) => {
    page.line(
      `${page.place(parameter, index)} = ${storedText(parameter.type.dtype, page.element(result, index))};`,
    );
  });
}
