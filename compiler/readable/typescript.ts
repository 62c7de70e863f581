/**
 * A function of the graph IR as TypeScript that a person can read and step through, with the
 * user's names: `dW` is the derivative of `W`.
 *
 * Numbers are numbers and their arrays typed arrays, written in place; arrays of f32 are tensors
 * and use the methods of the language, or `primitive` where it has no method.
 */

import { type Dim, sameDim, symbol } from "../ir/dim.ts";
import type { Block, Equation, Fn, Value } from "../ir/types.ts";
import { allEquations, freeValues, loopOf } from "../ir/walk.ts";
import { mutatedValues } from "../passes/mutated.ts";
import type { Argument, Tree } from "../../runtime/manifest.ts";
import { atom, type Text, within } from "./expressions.ts";
import { elementTypes, Expressions, Unreadable } from "./values.ts";

/** The outside of the function, as the reader found it. */
export interface Outside {
  readonly name: string;
  readonly parameters: readonly Argument[];
  readonly captured: readonly Argument[];
  readonly result: Tree;
}

/** A module that exports the function. Throws `Unreadable`. */
export function printTypeScript(fn: Fn, outside: Outside): string {
  return new Printer(fn, outside).module();
}

class Printer extends Expressions {
  private readonly fn: Fn;
  private readonly outside: Outside;
  /** Values that need no statement: what they say is said otherwise. */
  private readonly silent = new Set<Value>();
  private readonly uses = new Map<Value, number>();
  /** The blocks in which a value is used. */
  private readonly places = new Map<Value, Set<Block>>();
  private readonly mutated: ReadonlySet<Value>;
  private lines: string[] = [];

  constructor(fn: Fn, outside: Outside) {
    super();
    this.fn = fn;
    this.outside = outside;
    this.mutated = mutatedValues(fn.body);
    for (const equation of allEquations(fn.body)) {
      for (const output of equation.outputs) this.definitions.set(output, equation);
    }
    this.count(fn.body);
    for (const equation of allEquations(fn.body)) this.silence(equation);
  }

  module(): string {
    const { outside, fn } = this;
    const leaves = fn.body.parameters.values();
    const parameters = [...outside.parameters, ...outside.captured].map(({ name, tree }) => {
      const own = this.fresh(name);
      this.bindLeaves(tree, own, leaves);
      return `${own}: ${this.typeOf(tree)}`;
    });
    const name = this.fresh(outside.name);
    const results = this.statements(fn.body).values();
    const result = this.construct(outside.result, results);
    this.lines.push(`return ${result};`);
    const returned = this.typeOf(outside.result);
    const used = [...this.imports].filter((one) =>
      this.lines.some((line) => new RegExp(`(?<![.\\w])${one}\\(`).test(line)),
    );
    const imported = [
      ...used.toSorted(),
      ...[...this.types].toSorted().map((type) => `type ${type}`),
    ];
    const head =
      imported.length === 0 ? [] : [`import { ${imported.join(", ")} } from "fluxion";`, ""];
    return [
      ...head,
      `export function ${name}(${parameters.join(", ")}): ${returned} {`,
      ...this.lines,
      "}",
      "",
    ].join("\n");
  }

  // The border

  private bindLeaves(tree: Tree, path: string, leaves: Iterator<Value>): void {
    switch (tree.kind) {
      case "constant":
        return;
      case "record":
        for (const [field, inner] of tree.fields)
          this.bindLeaves(inner, `${path}.${field}`, leaves);
        return;
      case "tuple":
        tree.items.forEach((inner, k) => this.bindLeaves(inner, `${path}[${k}]`, leaves));
        return;
      case "leaf": {
        const value = leaves.next().value as Value;
        this.texts.set(value, atom(path));
        tree.shape.forEach((dim, axis) => {
          const name = typeof dim === "number" ? undefined : dim.terms[0]?.factors[0];
          if (typeof name !== "string" || !sameDim(dim as Dim, symbol(name))) return;
          if (this.extents.has(name)) return;
          const length = tree.as === "tensor" ? `${path}.shape[${axis}]` : rowOf(path, axis);
          this.extents.set(name, length);
        });
        return;
      }
      default:
        throw new Unreadable(`a ${(tree as { kind: string }).kind} at the border`);
    }
  }

  private typeOf(tree: Tree): string {
    switch (tree.kind) {
      case "constant":
        return String(tree.value);
      case "record": {
        const fields = tree.fields.map(([field, inner]) => `${field}: ${this.typeOf(inner)}`);
        return `{ ${fields.join("; ")} }`;
      }
      case "tuple":
        return `[${tree.items.map((inner) => this.typeOf(inner)).join(", ")}]`;
      case "leaf": {
        if (tree.as === "number" || tree.as === "boolean") return tree.as;
        if (tree.as === "typed") return elementTypes[tree.dtype] ?? "Float64Array";
        if (tree.as === "array") return `number${"[]".repeat(tree.shape.length)}`;
        this.types.add("Tensor");
        const dims = tree.shape.map((dim) => (typeof dim === "number" ? String(dim) : "number"));
        const dtype = tree.dtype === "f32" ? "" : `, "${tree.dtype}"`;
        return `Tensor<[${dims.join(", ")}]${dtype}>`;
      }
      default:
        throw new Unreadable(`a ${(tree as { kind: string }).kind} at the border`);
    }
  }

  private construct(tree: Tree, results: Iterator<Value>): string {
    switch (tree.kind) {
      case "constant":
        return JSON.stringify(tree.value) ?? "undefined";
      case "record": {
        const fields = tree.fields.map(
          ([field, inner]) => `${field}: ${this.construct(inner, results)}`,
        );
        return `{ ${fields.join(", ")} }`;
      }
      case "tuple":
        return `[${tree.items.map((inner) => this.construct(inner, results)).join(", ")}]`;
      case "leaf": {
        const value = results.next().value as Value;
        const text = (tree.as === "tensor" ? this.tensorText(value) : this.textOf(value)).text;
        if (tree.as === "array" && tree.shape.length === 1) return `Array.from(${text})`;
        if (tree.as === "array") throw new Unreadable("nested arrays as a result");
        return text;
      }
      default:
        throw new Unreadable(`a ${(tree as { kind: string }).kind} at the border`);
    }
  }

  // Statements

  /** Writes the statements of a block; its results, which have texts now. */
  private statements(block: Block, except?: Value): readonly Value[] {
    for (const equation of block.equations) {
      const silent = equation.outputs.every((value) => value === except || this.silent.has(value));
      if (!silent || equation.outputs.length === 0) this.statement(equation, block);
    }
    return block.results;
  }

  /** The statements of a block in braces of its own; names in it are free again afterwards. */
  private apart(block: Block): { readonly lines: readonly string[]; readonly results: Text[] } {
    const around = this.lines;
    this.lines = [];
    this.scopes.push(new Set());
    const results = this.statements(block).map((result) => this.textOf(result));
    this.scopes.pop();
    const { lines } = this;
    this.lines = around;
    return { lines, results };
  }

  private statement(equation: Equation, block: Block): void {
    const [output] = equation.outputs;
    switch (equation.op) {
      case "if":
        return this.branch(equation);
      case "for":
        return this.counted(equation);
      case "while":
        return this.loop(equation);
      case "map":
        return this.mapped(equation);
      case "stack_new": {
        const name = this.fresh("tape");
        this.lines.push(`const ${name}: ${this.stackType(output as Value)}[] = [];`);
        this.texts.set(output as Value, atom(name));
        return;
      }
      case "push": {
        const [stack, value] = equation.inputs as readonly [Value, Value];
        const text = this.textOf(value).text;
        const kept = this.isTyped(value) ? `${text}.slice()` : text;
        this.lines.push(`${this.textOf(stack).text}.push(${kept});`);
        this.texts.set(output as Value, this.textOf(stack));
        return;
      }
      case "pop": {
        const [stack] = equation.inputs as readonly [Value];
        const [rest, value] = equation.outputs as readonly [Value, Value];
        this.texts.set(rest, this.textOf(stack));
        const name = this.fresh(value.name ?? "kept");
        this.lines.push(`const ${name} = ${this.textOf(stack).text}.pop()!;`);
        this.texts.set(value, atom(name));
        return;
      }
      case "update":
      case "add_at": {
        const [array, value, ...indices] = equation.inputs as readonly [Value, Value, ...Value[]];
        if (value.type.shape.length > 0 || !this.isTyped(array)) break;
        const place = this.place(array, indices);
        const sign = equation.op === "update" ? "=" : "+=";
        this.lines.push(`${place} ${sign} ${this.textOf(value).text};`);
        this.texts.set(output as Value, this.textOf(array));
        return;
      }
      case "copy": {
        const [array] = equation.inputs as readonly [Value];
        if (!this.isTyped(array)) break;
        const source = this.textOf(array).text;
        const fresh = this.isNumberArray(array)
          ? `Float64Array.from(${source})`
          : `${source}.slice()`;
        this.introduce(output as Value, fresh);
        return;
      }
    }
    if (output === undefined) return;
    const text = this.expression(equation);
    if (this.isInline(output, equation, block)) this.texts.set(output, text);
    else this.introduce(output, text.text);
  }

  /** Gives a value a variable of its own. */
  private introduce(value: Value, text: string, given?: string): string {
    const name = given ?? this.fresh(value.name ?? (value.type.shape.length > 0 ? "array" : "t"));
    this.lines.push(`const ${name} = ${text};`);
    this.texts.set(value, atom(name));
    return name;
  }

  /** Used once, near by, and the same wherever it stands: written where it is used. */
  private isInline(output: Value, equation: Equation, block: Block): boolean {
    if (["constant", "extent", "cast"].includes(equation.op) && output.type.shape.length === 0) {
      return true;
    }
    if (equation.op === "broadcast" && this.uniform(output) !== undefined) {
      return !this.isTyped(output);
    }
    const places = this.places.get(output);
    if (this.uses.get(output) !== 1 || places?.has(block) !== true) return false;
    if (output.name !== undefined && !block.results.includes(output)) return false;
    if (this.isTyped(output)) return false;
    return !equation.inputs.some((input) => this.mutated.has(input));
  }

  private branch(equation: Equation): void {
    const [condition] = equation.inputs as readonly [Value];
    const [then, otherwise] = equation.regions as readonly [Block, Block];
    const held = equation.outputs.map((output, k) => {
      const [a, b] = [then.results[k] as Value, otherwise.results[k] as Value];
      // An array or a stack that an arm writes in place keeps its variable.
      const root = this.rootOf(a, then) ?? this.rootOf(b, otherwise);
      if (root !== undefined && output.type.shape.length + Number(output.type.stack) > 0) {
        this.texts.set(output, this.textOf(root));
        return undefined;
      }
      return this.fresh(output.name ?? "chosen");
    });
    const arm = (block: Block) => this.apart(block);
    const [yes, no] = [arm(then), arm(otherwise)];
    const test = this.textOf(condition);
    if (yes.lines.length === 0 && no.lines.length === 0) {
      // Nothing but expressions: a choice.
      equation.outputs.forEach((output, k) => {
        if (held[k] === undefined) return;
        const [a, b] = [yes.results[k] as Text, no.results[k] as Text];
        const text = `${within(test, 3)} ? ${within(a, 2)} : ${within(b, 2)}`;
        this.introduce(output, text, held[k]);
      });
      return;
    }
    equation.outputs.forEach((output, k) => {
      const name = held[k];
      if (name !== undefined) this.lines.push(`let ${name}: ${this.variableType(output)};`);
    });
    const assigned = (results: readonly Text[]): readonly string[] =>
      results.flatMap(({ text }, k) => (held[k] === undefined ? [] : [`${held[k]} = ${text};`]));
    this.lines.push(`if (${test.text}) {`, ...yes.lines, ...assigned(yes.results));
    this.lines.push("} else {", ...no.lines, ...assigned(no.results), "}");
    equation.outputs.forEach((output, k) => {
      const name = held[k];
      if (name !== undefined) this.texts.set(output, atom(name));
    });
  }

  /** What an arm's result is a later version of, among the values from around it. */
  private rootOf(value: Value, arm: Block): Value | undefined {
    let current: Value = value;
    const inside = new Set(arm.equations.flatMap((equation) => equation.outputs));
    while (inside.has(current)) {
      const definition = this.definitions.get(current) as Equation;
      const at = definition.outputs.indexOf(current);
      if (["update", "add_at", "push", "pop"].includes(definition.op)) {
        if (definition.op === "pop" && at === 1) return undefined;
        current = definition.inputs[0] as Value;
      } else if (definition.op === "for" || definition.op === "while") {
        current = loopOf(definition).initial[at] as Value;
      } else {
        return undefined;
      }
    }
    return current;
  }

  /** Tests of indices, which an array access makes by itself, and `n - 1` of backward loops. */
  private silence(equation: Equation): void {
    const once = (value: Value | undefined): void => {
      if (value !== undefined && this.uses.get(value) === 1) this.silent.add(value);
    };
    const exact = equation.op === "select" ? this.exactIndex(equation) : undefined;
    if (exact !== undefined) {
      once(equation.inputs[0]);
      // Compared and truncated, which is not printed, and used once.
      this.uses.set(exact, (this.uses.get(exact) ?? 0) - 1);
    } else if (equation.op === "for") {
      const { body } = loopOf(equation);
      const [count] = equation.inputs as readonly [Value];
      const index = this.backwards(body, body.parameters[0] as Value, count);
      once(index && this.definitions.get(index)?.inputs[0]);
    }
  }

  private counted(equation: Equation): void {
    const [count] = equation.inputs as readonly [Value];
    const { body } = loopOf(equation);
    const counter = body.parameters[0] as Value;
    const variables = this.enter(equation);
    const limit = this.textOf(count);
    const backwards = this.backwards(body, counter, count);
    this.scopes.push(new Set());
    const name = this.fresh((backwards ?? counter).name ?? "i");
    if (backwards === undefined) {
      this.texts.set(counter, atom(name));
      this.lines.push(`for (let ${name} = 0; ${name} < ${within(limit, 10)}; ${name}++) {`);
    } else {
      this.texts.set(backwards, atom(name));
      this.lines.push(`for (let ${name} = ${within(limit, 11)} - 1; ${name} >= 0; ${name}--) {`);
    }
    this.iterate(equation, body, variables, backwards);
    this.scopes.pop();
  }

  /** `count - 1 - k`, where that is all that the body does with the counter k. */
  private backwards(body: Block, counter: Value, count: Value): Value | undefined {
    const uses = body.equations.filter((equation) => equation.inputs.includes(counter));
    const inner = body.equations.some((equation) =>
      equation.regions.some((region) => freeValues(region).includes(counter)),
    );
    const [only] = uses;
    if (inner || uses.length !== 1 || only?.op !== "sub" || only.inputs[1] !== counter)
      return undefined;
    const last = this.definitions.get(only.inputs[0] as Value);
    if (last?.op !== "sub" || last.inputs[0] !== count) return undefined;
    const one = this.definitions.get(last.inputs[1] as Value);
    const values = one?.op === "constant" ? (one.parameters["values"] as readonly number[]) : [];
    return values[0] === 1 ? only.outputs[0] : undefined;
  }

  private loop(equation: Equation): void {
    const [condition, body] = equation.regions as readonly [Block, Block];
    const variables = this.enter(equation);
    const { carried } = loopOf(equation);
    this.lines.push("while (true) {");
    this.scopes.push(new Set());
    condition.parameters.forEach((parameter, k) => {
      this.texts.set(parameter, this.textOf(carried[k] as Value));
    });
    const [test] = this.statements(condition) as readonly [Value];
    this.lines.push(`if (!(${this.textOf(test).text})) break;`);
    this.iterate(equation, body, variables);
    this.scopes.pop();
  }

  /** Variables for what a loop carries; arrays and stacks that are written in place keep theirs. */
  private enter(equation: Equation): readonly (string | undefined)[] {
    const { initial, carried, body } = loopOf(equation);
    return carried.map((parameter, k) => {
      const start = initial[k] as Value;
      const result = body.results[k] as Value;
      const inPlace =
        parameter.type.stack ||
        (this.isTyped(parameter) && this.rootOf(result, body) === parameter);
      if (inPlace) {
        const text = this.textOf(start);
        this.texts.set(parameter, text);
        return undefined;
      }
      const name = this.fresh(parameter.name ?? result.name ?? "carried");
      this.lines.push(`let ${name}: ${this.variableType(parameter)} = ${this.textOf(start).text};`);
      this.texts.set(parameter, atom(name));
      return name;
    });
  }

  /** The rest of a loop: its body, the assignments at its end, and what it leaves. */
  private iterate(
    equation: Equation,
    body: Block,
    variables: readonly (string | undefined)[],
    except?: Value,
  ): void {
    const { carried } = loopOf(equation);
    const results = this.statements(body, except);
    const assignments = results.flatMap((result, k) => {
      const name = variables[k];
      const { text } = this.textOf(result);
      return name === undefined || text === name ? [] : [{ name, text }];
    });
    // Everything is assigned at once: what would read an assigned variable is computed before.
    const first: string[] = [];
    const then = assignments.map(({ name, text }, k) => {
      const earlier = assignments.slice(0, k).map((assignment) => assignment.name);
      const reads = earlier.some((other) => new RegExp(`\\b${escaped(other)}\\b`).test(text));
      if (!reads) return shortAssignment(name, text);
      const next = this.fresh(`next_${name}`);
      first.push(`const ${next} = ${text};`);
      return `${name} = ${next};`;
    });
    this.lines.push(...first, ...then, "}");
    equation.outputs.forEach((output, k) => {
      this.texts.set(output, this.textOf(carried[k] as Value));
    });
  }

  /** A map over typed arrays, as a loop that fills its results. */
  private mapped(equation: Equation): void {
    const [body] = equation.regions as readonly [Block];
    const [first] = equation.outputs as readonly [Value];
    if (
      first.type.shape.length !== 1 ||
      !equation.outputs.every((output) => this.isTyped(output))
    ) {
      throw new Unreadable("a `map` over tensors");
    }
    const length = this.dim(first.type.shape[0] as Dim);
    const results = equation.outputs.map((output) => {
      const kind = elementTypes[output.type.dtype] ?? "Float64Array";
      return this.introduce(output, `new ${kind}(${length.text})`);
    });
    this.scopes.push(new Set());
    const k = this.fresh("k");
    this.lines.push(`for (let ${k} = 0; ${k} < ${within(length, 10)}; ${k}++) {`);
    body.parameters.forEach((parameter, at) => {
      this.texts.set(parameter, atom(`${this.textOf(equation.inputs[at] as Value).text}[${k}]!`));
    });
    this.statements(body);
    body.results.forEach((result, at) => {
      this.lines.push(`${results[at]}[${k}] = ${this.textOf(result).text};`);
    });
    this.lines.push("}");
    this.scopes.pop();
  }

  private isNumberArray(value: Value): boolean {
    const at = this.fn.body.parameters.indexOf(value);
    return at >= 0 && !isTypedLeaf(this.outside, at);
  }

  private count(block: Block): void {
    const use = (value: Value): void => {
      this.uses.set(value, (this.uses.get(value) ?? 0) + 1);
      this.places.set(value, (this.places.get(value) ?? new Set()).add(block));
    };
    for (const equation of block.equations) {
      equation.inputs.forEach(use);
      for (const region of equation.regions) this.count(region);
    }
    block.results.forEach(use);
  }
}

function isTypedLeaf({ parameters, captured }: Outside, at: number): boolean {
  const leaves: string[] = [];
  const visit = (tree: Tree): void => {
    if (tree.kind === "leaf") leaves.push(tree.as);
    else if (tree.kind === "record") tree.fields.forEach(([, inner]) => visit(inner));
    else if (tree.kind === "tuple") tree.items.forEach(visit);
  };
  for (const { tree } of [...parameters, ...captured]) visit(tree);
  return leaves[at] === "typed";
}

function rowOf(path: string, axis: number): string {
  return `${path}${"[0]!".repeat(axis)}.length`;
}

/** `x = x + y` as `x += y`, where y is one operand: `x + a + b` is not `x + (a + b)`. */
function shortAssignment(name: string, text: string): string {
  for (const sign of ["+", "-", "*"]) {
    const start = `${name} ${sign} `;
    const rest = text.slice(start.length);
    const others = sign === "*" ? ["+", "-", "*", "/", "%", "?"] : ["+", "-", "?"];
    if (text.startsWith(start) && !hasOutside(rest, others)) return `${name} ${sign}= ${rest};`;
  }
  return `${name} = ${text};`;
}

/** True when one of the signs stands in a text outside of all brackets, with spaces around it. */
function hasOutside(text: string, signs: readonly string[]): boolean {
  let depth = 0;
  for (let k = 0; k < text.length; k++) {
    const letter = text[k] ?? "";
    if ("([{".includes(letter)) depth++;
    else if (")]}".includes(letter)) depth--;
    else if (depth === 0 && signs.includes(letter) && text[k - 1] === " " && text[k + 1] === " ") {
      return true;
    }
  }
  return false;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
