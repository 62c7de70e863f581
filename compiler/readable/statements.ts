/** Blocks as statements: branches, loops, tapes and calls. */

import { calledName } from "../autodiff/functions.ts";
import type { Block, Equation, Value } from "../ir/types.ts";
import { loopOf } from "../ir/walk.ts";
import { opOf } from "../ops/of.ts";
import { arrayStatement, elementsOf, mapStatement } from "./arrays.ts";
import { atom, choice, negated, type Text, within } from "./expressions.ts";
import { filled, handedOn, zeroOf } from "./loops.ts";
import { scalarExpression } from "./scalars.ts";
import { tensorExpression, uniform } from "./tensors.ts";
import { assignedInPlace, mentions, shortAssignment, withoutUnread } from "./versions.ts";
import type { Writing } from "./writing.ts";

/** What functions of the graph are called on the page. */
export type FunctionNames = ReadonlyMap<string, string>;

export class Statements {
  private readonly page: Writing;
  private readonly functions: FunctionNames;
  /** The variables of values that loops leave, for who goes on with them. */
  private readonly variables = new Map<Value, { readonly name: string; readonly block: Block }>();

  constructor(page: Writing, functions: FunctionNames) {
    this.page = page;
    this.functions = functions;
  }

  /** Writes the statements of a block; its results, which have texts now. */
  block(block: Block, except: readonly (Value | undefined)[] = []): readonly Value[] {
    for (const equation of block.equations) this.equation(equation, block, except);
    return block.results;
  }

  /**
   * Writes the body of a function and what it returns. A branch at its end returns from its arms.
   */
  body(block: Block, finish: (results: readonly Value[]) => void): void {
    const last = block.equations.at(-1);
    const ends =
      last?.op === "if" &&
      last.outputs.every((output) => this.page.facts.isUsedOnceIn(output, block)) &&
      last.outputs.every((output) => block.results.includes(output));
    const halves = halvesOf(block);
    for (const equation of ends ? block.equations.slice(0, -1) : block.equations) {
      if (equation === halves?.forward) this.page.line(`// ${halfComments.forward}`);
      this.equation(equation, block);
      if (equation === halves?.lastPush) this.page.line("", `// ${halfComments.reverse}`);
    }
    if (!ends) return finish(block.results);
    const [then, otherwise] = last.regions as readonly [Block, Block];
    const arm = (region: Block) =>
      this.page.apart(() =>
        this.body(region, (results) =>
          finish(
            block.results.map((result) => {
              const at = last.outputs.indexOf(result);
              return at < 0 ? result : (results[at] as Value);
            }),
          ),
        ),
      ).lines;
    const test = this.page.text(last.inputs[0] as Value);
    const [yes, no] = [arm(then), arm(otherwise)];
    const [a, b] = [onlyReturn(yes), onlyReturn(no)];
    if (a !== undefined && b !== undefined && !b.includes(" ? ")) {
      const text = `${within(test, 3)} ? ${enclosed(a)} : ${enclosed(b)}`;
      return this.page.line(`return ${text};`);
    }
    if (yes.length === 0) return this.page.line(`if (${negated(test).text}) {`, ...no, "}");
    this.page.line(`if (${test.text}) {`, ...yes, ...(returns(yes) ? ["}"] : ["} else {"]), ...no);
    if (!returns(yes)) this.page.line("}");
  }

  private equation(
    equation: Equation,
    block: Block,
    except: readonly (Value | undefined)[] = [],
  ): void {
    const { page } = this;
    const { outputs } = equation;
    const silent = outputs.every((value) => except.includes(value) || page.facts.silent.has(value));
    if (silent && outputs.length > 0) return;
    const [output] = outputs;
    switch (equation.op) {
      case "if":
        return this.branch(equation, block);
      case "for":
        return this.counted(equation, block);
      case "while":
        return this.loop(equation, block);
      case "map":
        // The language's `map` has one result: one for each.
        if (outputs.some((value) => page.isTensor(value))) {
          return outputs.forEach((value, k) => {
            if ((page.facts.uses.get(value) ?? 0) === 0) return;
            page.introduce(value, this.tensorMap(equation, k));
          });
        }
        return mapStatement(page, equation, (body) => this.block(body));
      case "call":
        return this.call(equation);
      case "bind":
        return this.bind(equation);
      case "stack_new": {
        const kept = page.facts.pushedName(output as Value);
        const name = page.names.fresh(kept === undefined ? "tape" : `${kept}Tape`);
        page.line(`const ${name}: ${page.typeOf(output as Value)} = [];`);
        return page.say(output as Value, atom(name));
      }
      case "push":
        return this.push(equation);
      case "pop": {
        const [stack] = equation.inputs as readonly [Value];
        const [rest, value] = outputs as readonly [Value, Value];
        page.alias(rest, stack);
        if ((page.facts.uses.get(value) ?? 0) === 0) {
          return page.line(`${page.text(stack).text}.pop();`);
        }
        const name = page.names.fresh(value.name ?? "kept");
        const popped = `${page.text(stack).text}.pop()`;
        if (equation.parameters["orZero"] === true) {
          page.line(`const ${name} = ${popped} ?? ${zerosText(page, value)};`);
          return page.say(value, atom(name));
        }
        // A row that is written is one of its own, whoever else holds what was pushed.
        const own = page.isArray(value) && page.facts.mutated.has(value) ? ".slice()" : "";
        page.line(`const ${name} = ${popped}!${own};`);
        return page.say(value, atom(name));
      }
    }
    if (output === undefined) return;
    const isTensor = [...equation.inputs, output].some((value) => page.isTensor(value));
    if (!isTensor && [...equation.inputs, output].some((value) => page.isArray(value))) {
      if (page.isPlain(output) && isOfElements(equation)) return this.expression(equation);
      return arrayStatement(page, equation);
    }
    this.expression(equation);
  }

  /** An equation that is one expression: written where it is used, or given a variable. */
  private expression(equation: Equation): void {
    const { page } = this;
    const [output] = equation.outputs as readonly [Value];
    const text = this.textOf(equation);
    if (this.isInline(output, equation, text)) page.say(output, text);
    else page.introduce(output, text.text);
  }

  private textOf(equation: Equation): Text {
    const { page } = this;
    const [output] = equation.outputs as readonly [Value];
    if ([...equation.inputs, output].some((value) => page.isTensor(value))) {
      return tensorExpression(page, equation);
    }
    if (equation.op === "at") {
      const [array, ...indices] = equation.inputs as readonly [Value, ...Value[]];
      return page.element(
        array,
        indices.map((index) => page.text(index)),
      );
    }
    return equation.inputs.some((input) => page.isArray(input))
      ? elementsOf(page, equation)([])
      : scalarExpression(page, equation);
  }

  /** Used once, near by, and the same wherever it stands: written where it is used. */
  private isInline(output: Value, equation: Equation, text: Text): boolean {
    const { facts } = this.page;
    const { op } = equation;
    const isSingle = output.type.shape.length === 0;
    if (isSingle && text.binds >= 20) return true;
    if (isSingle && (op === "constant" || op === "extent")) return true;
    const repeats = (op === "broadcast" || op === "cast") && this.page.isTensor(output);
    if (repeats && uniform(this.page, output) !== undefined) return true;
    if (this.page.isTensor(output) && facts.isSummedOverNamed(output)) return false;
    return facts.isInline(equation) || facts.isPosition(equation);
  }

  /** `map((x, y) => …, xs, ys)` */
  private tensorMap(equation: Equation, at: number): string {
    const { page } = this;
    const [body] = equation.regions as readonly [Block];
    page.imports.add("map");
    const inputs = equation.inputs.map((input) => page.text(input).text);
    const wasInElements = page.inElements;
    page.inElements = true;
    const { lines, result } = page.apart(() => {
      const parameters = body.parameters.map((parameter) => {
        const name = page.names.fresh(parameter.name ?? "x");
        page.say(parameter, atom(name));
        return name;
      });
      const value = this.block(body)[at] as Value;
      return { parameters, text: page.text(value).text };
    });
    page.inElements = wasInElements;
    const read = withoutUnread(lines, result.text);
    const code = read.length === 0 ? result.text : `{ ${read.join("\n")} return ${result.text}; }`;
    return `map((${result.parameters.join(", ")}) => ${code}, ${inputs.join(", ")})`;
  }

  private bind({ inputs, parameters }: Equation): void {
    const { page } = this;
    const symbol = String(parameters["symbol"]);
    const text = page.text(inputs[0] as Value);
    if (text.binds >= 20) return page.bindExtent(symbol, text.text);
    const name = page.names.fresh(symbol);
    page.line(`const ${name} = ${text.text};`);
    page.bindExtent(symbol, name);
  }

  private push({ inputs, outputs }: Equation): void {
    const { page } = this;
    const [stack, value] = inputs as readonly [Value, Value];
    const isArray = page.isArray(value);
    const text = (isArray ? handedOn(page, value) : page.text(value)).text;
    const kept = isArray && !page.isUnmade(value) ? `${text}.slice()` : text;
    page.line(`${page.text(stack).text}.push(${kept});`);
    page.alias(outputs[0] as Value, stack);
  }

  /** A call of a function that calls itself: arrays and tapes that it writes come back in place. */
  private call(equation: Equation): void {
    const { page } = this;
    const name = this.functions.get(calledName(equation));
    if (name === undefined) throw new Error("a function is called that is not printed");
    const moved = page.facts.movesInPlace(equation);
    const given = equation.inputs.map((input) =>
      page.isArray(input) ? handedOn(page, input) : page.text(input),
    );
    const text = `${name}(${given.map((one) => one.text).join(", ")})`;
    for (const [input, output] of moved) page.alias(output, input);
    const returned = equation.outputs.filter(
      (output) => !moved.some(([, inPlace]) => inPlace === output),
    );
    const used = returned.filter((output) => (page.facts.uses.get(output) ?? 0) > 0);
    if (used.length === 0) return page.line(`${text};`);
    const only = returned[0] as Value;
    if (returned.length === 1) {
      if (moved.length === 0 && page.isPlain(only) && page.facts.isInline(equation)) {
        return page.say(only, { text, binds: 17 });
      }
      page.introduce(only, text);
      return;
    }
    const names = returned.map((output) => {
      if (!used.includes(output)) return "";
      const own = page.nameOf(output);
      page.say(output, atom(own));
      return own;
    });
    page.line(`const [${names.join(", ").replace(/(, )+$/, "")}] = ${text};`);
  }

  private branch(equation: Equation, block: Block): void {
    const { page } = this;
    const test = page.text(equation.inputs[0] as Value);
    const [then, otherwise] = equation.regions as readonly [Block, Block];
    // An array or a stack that the arms write in place keeps its variable.
    const inPlace = equation.outputs.map((output) => page.facts.storageOf(output) !== output);
    const held = equation.outputs.map((output, k) =>
      inPlace[k] ? undefined : page.names.fresh(output.name ?? "chosen"),
    );
    const arm = (region: Block) =>
      page.apart(() =>
        this.block(region).map((result, k) =>
          inPlace[k] || !page.isArray(result) ? page.text(result) : handedOn(page, result),
        ),
      );
    const [yes, no] = [arm(then), arm(otherwise)];
    equation.outputs.forEach((output, k) => {
      if (inPlace[k]) page.alias(output, page.facts.storageOf(output));
    });
    if (yes.lines.length === 0 && no.lines.length === 0) {
      // Nothing but expressions: a choice.
      equation.outputs.forEach((output, k) => {
        if (held[k] === undefined) return;
        const text = choice(test, yes.result[k] as Text, no.result[k] as Text);
        const isEnd = block.equations.at(-1) === equation && page.isPlain(output);
        if (isEnd && page.facts.isUsedOnceIn(output, block)) return page.say(output, text);
        page.introduce(output, text.text, held[k]);
      });
      return;
    }
    equation.outputs.forEach((output, k) => {
      const name = held[k];
      if (name === undefined) return;
      page.line(`let ${name}: ${page.typeOf(output)};`);
      page.say(output, atom(name));
    });
    const assigned = (results: readonly Text[]): readonly string[] =>
      results.flatMap(({ text }, k) => (held[k] === undefined ? [] : [`${held[k]} = ${text};`]));
    const lines = [yes, no].map((one) => [...one.lines, ...assigned(one.result)]);
    page.line(...branchLines(test, lines[0] as string[], lines[1] as string[]));
  }

  private counted(equation: Equation, block: Block): void {
    const { page } = this;
    const [count] = equation.inputs as readonly [Value];
    const { body } = loopOf(equation);
    const counter = body.parameters[0] as Value;
    const variables = this.enter(equation, block);
    const limit = page.text(count);
    const backwards = page.facts.backwards(equation);
    const shifted = page.facts.shifted(backwards ?? counter, body);
    const { lines, result: name } = page.apart(() => {
      const own = page.names.counter((shifted?.value ?? backwards ?? counter).name);
      for (const value of [counter, backwards, shifted?.value]) {
        if (value !== undefined) page.say(value, atom(own));
      }
      this.iterate(body, variables, [backwards, shifted?.value]);
      return own;
    });
    const first = shifted?.by ?? 0;
    const end = addedTo(limit, first);
    page.line(
      backwards === undefined
        ? `for (let ${name} = ${first}; ${name} < ${within(end, 10)}; ${name}++) {`
        : `for (let ${name} = ${within(addedTo(end, -1), 11)}; ${name} >= ${first}; ${name}--) {`,
      ...lines,
      "}",
    );
    this.leave(equation, block, variables);
  }

  private loop(equation: Equation, block: Block): void {
    const { page } = this;
    const [condition, body] = equation.regions as readonly [Block, Block];
    const variables = this.enter(equation, block);
    const { carried } = loopOf(equation);
    condition.parameters.forEach((parameter, k) => page.alias(parameter, carried[k] as Value));
    const { lines, result } = page.apart(() => {
      const test = page.text(this.block(condition)[0] as Value);
      const isStatement = page.lines.length > 0;
      if (isStatement) page.line(`if (${negated(test).text}) break;`);
      this.iterate(body, variables);
      return isStatement ? "true" : test.text;
    });
    page.line(`while (${result}) {`, ...lines, "}");
    this.leave(equation, block, variables);
  }

  /** Variables for what a loop carries; arrays and stacks that are written in place keep theirs. */
  private enter(equation: Equation, block: Block): readonly (string | undefined)[] {
    const { page } = this;
    const { initial, carried, body } = loopOf(equation);
    return carried.map((parameter, k) => {
      const start = initial[k] as Value;
      if (page.facts.isInPlace(equation, k) || body.results[k] === parameter) {
        page.alias(parameter, start);
        return undefined;
      }
      const variable = this.variables.get(start);
      const isLast = page.facts.isUsedOnceIn(start, block) && variable?.block === block;
      if (variable !== undefined && isLast && page.text(start).text === variable.name) {
        page.say(parameter, atom(variable.name));
        return variable.name;
      }
      const name = page.names.fresh(parameter.name ?? body.results[k]?.name ?? unnamed(parameter));
      const first = page.isArray(start) ? handedOn(page, start) : page.text(start);
      const type = page.isPlain(parameter) ? "" : `: ${page.typeOf(parameter)}`;
      page.line(`let ${name}${type} = ${first.text};`);
      page.say(parameter, atom(name));
      return name;
    });
  }

  private leave(
    equation: Equation,
    block: Block,
    variables: readonly (string | undefined)[],
  ): void {
    const { carried } = loopOf(equation);
    equation.outputs.forEach((output, k) => {
      this.page.alias(output, carried[k] as Value);
      const name = variables[k];
      if (name !== undefined) this.variables.set(output, { name, block });
    });
  }

  /** The rest of a loop: its body, and the assignments at its end. */
  private iterate(
    body: Block,
    variables: readonly (string | undefined)[],
    except: readonly (Value | undefined)[] = [],
  ): void {
    const { page } = this;
    const results = this.block(body, except);
    const assignments = results.flatMap((result, k) => {
      const name = variables[k];
      if (name === undefined) return [];
      const { text } = page.isArray(result) ? handedOn(page, result) : page.text(result);
      return text === name ? [] : [{ name, text }];
    });
    page.line(...assignedTogether(page, assignments));
    const names = assignments.map(({ name }) => name);
    page.lines = [...assignedInPlace(page.lines, names)];
  }
}

const halfComments = {
  forward: "Forward: what the reverse half reads again goes onto the tapes.",
  reverse: "Reverse: what is read again comes from the tapes, the last one first.",
};

/** Where a block fills tapes in loops and then empties them: its first tape, and its last push. */
function halvesOf(
  block: Block,
): { readonly forward: Equation; readonly lastPush: Equation } | undefined {
  const { equations } = block;
  const has = (equation: Equation, op: string): boolean =>
    equation.op === op ||
    equation.regions.some((region) => region.equations.some((one) => has(one, op)));
  const forward = equations.find(({ op }) => op === "stack_new");
  const lastPush = equations.findLast((equation) => has(equation, "push"));
  const firstPop = equations.find((equation) => has(equation, "pop"));
  if (forward === undefined || lastPush === undefined || firstPop === undefined) return undefined;
  const inOrder = equations.indexOf(lastPush) < equations.indexOf(firstPop);
  return inOrder ? { forward, lastPush } : undefined;
}

/** A count that differentiation adds to a loop, or a value of the program's own. */
function unnamed({ type }: Value): string {
  return type.dtype === "i32" && type.shape.length === 0 ? "turns" : "carried";
}

/** An array in, one number out, and no loop: an element, or an array of one element. */
function isOfElements(equation: Equation): boolean {
  return equation.op === "at" || opOf(equation).lower.kind === "element";
}

/** `n + 1`, `n - 2`, from the text of n. */
function addedTo(limit: Text, by: number): Text {
  if (by === 0) return limit;
  if (/^\d+$/.test(limit.text)) return atom(String(Number(limit.text) + by));
  const [, start, sign, known] = /^([\w.$]+) ([+-]) (\d+)$/.exec(limit.text) ?? [];
  if (start === undefined) {
    return { text: `${within(limit, 11)} ${by < 0 ? "-" : "+"} ${Math.abs(by)}`, binds: 11 };
  }
  const sum = Number(`${sign}${known}`) + by;
  return sum === 0 ? atom(start) : addedTo(atom(start), sum);
}

interface Assignment {
  readonly name: string;
  readonly text: string;
}

/** Everything is assigned at once: what would read an assigned variable is computed before. */
function assignedTogether(page: Writing, given: readonly Assignment[]): readonly string[] {
  // Counters last, as they stand in the head of a loop.
  const counts = ({ text }: Assignment): boolean => /^\w+ [+-] 1$/.test(text);
  const waiting = [...given].sort((a, b) => Number(counts(a)) - Number(counts(b)));
  const done: string[] = [];
  // First those whose old value nobody needs any more.
  for (let progress = true; progress;) {
    progress = false;
    for (const one of waiting) {
      const needed = waiting.some((other) => other !== one && mentions(other.text, one.name));
      if (needed) continue;
      done.push(shortAssignment(one.name, one.text));
      waiting.splice(waiting.indexOf(one), 1);
      progress = true;
      break;
    }
  }
  const next = waiting.map(({ name }) => page.names.fresh(`next_${name}`));
  return [
    ...done,
    ...waiting.map(({ text }, k) => `const ${next[k]} = ${text};`),
    ...waiting.map(({ name }, k) => `${name} = ${next[k]};`),
  ];
}

/** `if`, with the arms that have lines. */
function branchLines(test: Text, yes: readonly string[], no: readonly string[]): readonly string[] {
  if (yes.length === 0) return [`if (${negated(test).text}) {`, ...no, "}"];
  if (no.length === 0) return [`if (${test.text}) {`, ...yes, "}"];
  if (isOneBranch(no)) return [`if (${test.text}) {`, ...yes, `} else ${no[0]}`, ...no.slice(1)];
  return [`if (${test.text}) {`, ...yes, "} else {", ...no, "}"];
}

/** True where the lines are one `if` and nothing else. */
function isOneBranch(lines: readonly string[]): boolean {
  if (lines[0]?.startsWith("if (") !== true) return false;
  let depth = 0;
  for (const [k, line] of lines.entries()) {
    if (line.startsWith("}")) depth--;
    if (line.endsWith("{")) depth++;
    if (depth === 0) return k === lines.length - 1;
  }
  return false;
}

/** What a list of one statement returns. */
function onlyReturn(lines: readonly string[]): string | undefined {
  const [only] = lines;
  return lines.length === 1 ? /^return (.+);$/s.exec(only as string)?.[1] : undefined;
}

function returns(lines: readonly string[]): boolean {
  return lines.at(-1)?.startsWith("return") === true;
}

/** As an arm of a choice. */
function enclosed(text: string): string {
  return text.includes(" ? ") ? `(${text})` : text;
}

/** What stands for an element of a stack that has none. */
function zerosText(page: Writing, value: Value): string {
  const { dtype, shape } = value.type;
  if (page.isTensor(value)) {
    const extents = shape.map((dim) => page.dim(dim).text).join(", ");
    page.imports.add("zeros");
    return `zeros([${extents}], "${dtype}")`;
  }
  return shape.length === 0 ? "0" : filled(page, shape, dtype, zeroOf(dtype));
}
