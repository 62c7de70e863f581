/**
 * The function of the host, with calls of programs where its regions were: arguments are sends, which
 * never wait, and what the host looks at is received, with an `await`, where it looks at it.
 */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { isPlain, type Leaf, leavesOf, type Tree } from "../../runtime/manifest.ts";
import { isFunctionNode, type VariableLike, type World } from "../read/world.ts";
import { spanOf } from "../span.ts";
import { isSeenAfterFailure } from "./failures.ts";
import { assignmentAround, isListed, separator, unwrapped } from "./waits.ts";
import { isTensor, type Placement, type Region } from "./place.ts";
import { type Tail, tailsOf } from "./tails.ts";
import { canWait, isIn, isShared, isTarget, type Variable } from "./variables.ts";

export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What passes between the two sides: a value that a region takes or gives. */
export interface Channel {
  readonly number: number;
  readonly region: number;
  readonly kind: "send" | "result" | "receive";
  readonly name: string;
  /** What it is, and whether it stays on the device. */
  readonly note: string;
}

export interface Connection {
  readonly edits: readonly TextEdit[];
  /** For each region, the arguments that it takes over. */
  readonly donated: readonly (readonly number[])[];
  /** Nodes that the host has no longer. */
  readonly gone: readonly ts.Node[];
  readonly imports: readonly string[];
  readonly channels: readonly Channel[];
  readonly diagnostics: readonly Diagnostic[];
}

/** How the programs of regions are called, and what of the runtime. */
export interface Names {
  readonly program: (region: number) => string;
  readonly runtime: (name: string) => string;
}

export interface ConnectOptions {
  readonly target: string;
  /** Whether results that are no tensors come as promises. */
  readonly isLater: boolean;
  /** The arguments of the root that its caller gives up. */
  readonly donated: readonly number[];
}

export function connect(
  world: World,
  placement: Placement,
  options: ConnectOptions,
  names: Names,
): Connection {
  return new Connector(world, placement, options, names).connect();
}

class Connector {
  private readonly world: World;
  private readonly placement: Placement;
  private readonly checker: ts.TypeChecker;
  private readonly options: ConnectOptions;
  private readonly names: Names;
  private readonly edits: TextEdit[] = [];
  private readonly imports = new Set<string>();
  private readonly channels: Channel[] = [];
  private readonly diagnostics: Diagnostic[] = [];
  private readonly onDevice: readonly ts.Node[];
  /** Statements whose values are waited for before, and how many values these are. */
  private readonly racing = new Set<ts.Node>();
  private values = 0;

  constructor(world: World, placement: Placement, options: ConnectOptions, names: Names) {
    this.world = world;
    this.placement = placement;
    this.checker = world.checkerOf(placement.root);
    this.options = options;
    this.names = names;
    this.onDevice = placement.regions.flatMap(({ piece }) => [...piece.nodes] as ts.Node[]);
  }

  connect(): Connection {
    const { regions, root } = this.placement;
    const carried = regions.map((region) => this.carriedBy(region));
    const tails = this.options.isLater
      ? tailsOf(this.world, this.placement, new Set(carried.flat()))
      : [];
    tails.forEach((tail, number) => this.begin(tail, number));
    regions.forEach((region, number) => this.call(region, number));
    for (const variable of new Set(carried.flat())) this.keepOf(variable);
    for (const { initializer } of root.parameters) if (initializer) this.items(initializer);
    this.items(root.body as ts.Node);
    tails.forEach((tail, number) => this.end(tail, number));
    const donated = regions.map((region, k) =>
      region.program.signature.parameters.flatMap(({ name }, position) =>
        (carried[k] as readonly Variable[]).some((variable) => variable.name === name)
          ? [position]
          : [],
      ),
    );
    const { edits, imports, channels, diagnostics } = this;
    return { edits, donated, gone: this.onDevice, imports: [...imports], channels, diagnostics };
  }

  private runtime(name: string): string {
    this.imports.add(name);
    return this.names.runtime(name);
  }

  // What loops do later

  private begin({ loop, statements, seen }: Tail, number: number): void {
    const start = labelled(loop).getStart();
    const tails = `__fluxion_tails_${number}`;
    const text = `{ const ${tails} = ${this.runtime("tails")}(); try { `;
    this.edits.push({ start, end: start, text });
    const at = (statements[0] as ts.Statement).getStart();
    const names = seen.map(({ name }) => name).join(", ");
    this.edits.push({ start: at, end: at, text: `await ${tails}.put(async (${names}) => { ` });
  }

  private end({ loop, statements, seen }: Tail, number: number): void {
    const tails = `__fluxion_tails_${number}`;
    const at = (statements.at(-1) as ts.Statement).getEnd();
    const given = seen.map(({ name }) => `, ${name}`).join("");
    this.edits.push({ start: at, end: at, text: ` }${given});` });
    const end = loop.getEnd();
    this.edits.push({ start: end, end, text: ` } finally { await ${tails}.done(); } }` });
  }

  // Calls of regions

  private call(region: Region, number: number): void {
    const { piece, program, entries } = region;
    const { parameters, result } = program.signature;
    const given = region.args.join(", ");
    const isAwaited = this.options.isLater && isPlain(result);
    const node = piece.nodes.at(-1) as ts.Node;
    if (isAwaited) this.mustWait(node, "a number that is computed on the device");
    const started = `${this.names.program(number)}(${given})`;
    const call = isAwaited ? `await ${started}` : started;
    for (const { name, tree } of parameters) {
      this.channel(number, "send", name, noteOf(tree, true));
      const { isLater } = this.options;
      if (isLater && leavesOf(tree).some(isCopied) && this.staysTheSame(name, node)) {
        this.diagnostics.push(messages.sentInEachRound({ name }, spanOf(node)));
      }
    }
    if (piece.kind === "expression") {
      this.channel(number, "result", "", noteOf(result, !isAwaited));
      if (isAwaited) this.waitFor(node, started);
      else this.edits.push({ start: node.getStart(), end: node.getEnd(), text: started });
      return;
    }
    for (const gone of piece.nodes.slice(0, -1)) {
      this.edits.push({ start: gone.getStart(), end: gone.getEnd(), text: "" });
    }
    const trees = result.kind === "tuple" ? result.items : [];
    entries.forEach(({ name, field }, k) => {
      const path = field === undefined ? name : `${name}.${field}`;
      this.channel(number, "result", path, noteOf(trees[k] as Tree, !isAwaited));
    });
    const out = `__fluxion_out_${number}`;
    const lines = entries.length === 0 ? [`${call};`] : [`const ${out} = ${call};`];
    lines.push(...this.results(region, out));
    const text = lines.join(" ");
    const isAlone = !isListed(node);
    this.edits.push({
      start: node.getStart(),
      end: node.getEnd(),
      text: isAlone ? `{ ${text} }` : text,
    });
  }

  /** An array from in front of a loop that only programs use in it. */
  private staysTheSame(name: string, node: ts.Node): boolean {
    const { variables, root } = this.placement;
    const [variable] = variables.called(name);
    const loop = loopAround(node, root);
    if (variable === undefined || loop === undefined || isIn(variable.declaration, [loop])) {
      return false;
    }
    // A function of the host could write it.
    const isLocal = isIn(variable.declaration, [root]);
    return (
      isLocal &&
      variable.uses.every(({ node: use }) => isIn(use, this.onDevice) || !isIn(use, [loop]))
    );
  }

  /** Statements that give the variables of a region what it has made. */
  private results({ entries, written, piece }: Region, out: string): readonly string[] {
    const assigned = new Set(written.map(({ name }) => name));
    const names = [...new Set(entries.map(({ name }) => name))];
    return names.map((name) => {
      const own = entries.flatMap((entry, k) => (entry.name === name ? [{ ...entry, k }] : []));
      const isWhole = own.length === 1 && own[0]?.field === undefined;
      const fields = own.map(({ field, k }) => `${field}: ${out}[${k}]`).join(", ");
      const value = isWhole ? `${out}[${own[0]?.k}]` : `{ ${fields} }`;
      if (assigned.has(name)) return `${name} = ${value};`;
      const isConst = (piece.nodes as readonly ts.Node[]).some(
        (node) =>
          ts.isVariableStatement(node) &&
          (node.declarationList.flags & ts.NodeFlags.Const) !== 0 &&
          mentions(node.declarationList, name),
      );
      return `${isConst ? "const" : "let"} ${name} = ${value};`;
    });
  }

  private channel(region: number, kind: Channel["kind"], name: string, note: string): void {
    this.channels.push({ number: this.channels.length + 1, region, kind, name, note });
  }

  // What is carried on in place

  /** Variables whose tensors a region takes and replaces. */
  private carriedBy({ written, program, piece }: Region): readonly Variable[] {
    const [node] = piece.nodes as readonly ts.Node[];
    return written.filter((variable) => {
      const { name, declaration, uses } = variable;
      if (node === undefined || isSeenAfterFailure(node, variable, this.placement.root)) {
        return false;
      }
      // What the host gives it without our seeing the value.
      const isHidden = uses.some(
        (use) =>
          use.isWritten && !isIn(use.node, this.onDevice) && valuesFor(use.node).length === 0,
      );
      if (isHidden) return false;
      const parameter = program.signature.parameters.find((one) => one.name === name);
      const hasTensors =
        parameter !== undefined &&
        leavesOf(parameter.tree).some(({ as, shape }) => as === "tensor" && shape.length > 0);
      return hasTensors && originOf(declaration) !== undefined;
    });
  }

  /** Where the host gets hold of tensors that regions carry on in place, they are kept. */
  private keepOf({ name, declaration, uses }: Variable): void {
    const keep = this.runtime("keep");
    const origin = originOf(declaration);
    if (origin?.kind === "parameter") {
      const body = origin.node.body as ts.ConciseBody;
      const isGivenUp =
        origin.node === this.placement.root && this.options.donated.includes(origin.position);
      if (ts.isBlock(body) && !isGivenUp) {
        const at = body.getStart() + 1;
        this.edits.push({ start: at, end: at, text: ` ${keep}(${name});` });
      }
    } else if (origin?.kind === "initializer") {
      for (const value of [origin.node, ...origin.defaults]) this.wrap(value, keep);
    }
    for (const { node, isRead, isWritten } of uses) {
      if (isIn(node, this.onDevice)) continue;
      if (isRead && !isWritten && !this.isLookedAt(node)) {
        const isShort = ts.isShorthandPropertyAssignment(node.parent);
        const text = `${keep}(${name})`;
        const whole = isShort ? `${name}: ${text}` : text;
        this.edits.push({ start: node.getStart(), end: node.getEnd(), text: whole });
      } else if (isWritten) {
        for (const value of valuesFor(node)) this.wrap(value, keep);
      }
    }
  }

  /** Only shapes and elements are taken of it. */
  private isLookedAt(node: ts.Node): boolean {
    let top = node;
    while (ts.isPropertyAccessExpression(top.parent) && top.parent.expression === top) {
      const isElement = isTensor(this.checker.getTypeAtLocation(top));
      top = top.parent;
      if (isElement && lookingAt.has((top as ts.PropertyAccessExpression).name.text)) return true;
    }
    return false;
  }

  /** What a region gives is in nobody else's hands. */
  private wrap(value: ts.Expression, keep: string): void {
    if (isIn(value, this.onDevice)) return;
    const [start, end] = [value.getStart(), value.getEnd()];
    if (
      this.edits.some(
        (edit) => edit.start === start && edit.end === start && edit.text === `${keep}(`,
      )
    )
      return;
    this.edits.push({ start, end: start, text: `${keep}(` }, { start: end, end, text: ")" });
  }

  // Receives

  /** `x.item()` of the host waits for the element. */
  private items(node: ts.Node): void {
    if (this.onDevice.includes(node) || this.placement.onlyOnDevice.includes(node)) return;
    ts.forEachChild(node, (child) => this.items(child));
    if (!ts.isCallExpression(node) || node.arguments.length > 0) return;
    const { expression } = node;
    if (!ts.isPropertyAccessExpression(expression) || expression.name.text !== "item") return;
    if (!isTensor(this.checker.getTypeAtLocation(expression.expression))) return;
    const { isLater } = this.options;
    const isWaiting = isLater && canWait(node);
    if (isLater && !isWaiting) this.mustWait(node, "an element of a tensor");
    const owner = expression.expression;
    if (isWaiting && isPath(owner)) {
      this.waitFor(node, `${this.runtime("receive")}(${owner.getText()})`);
    } else {
      const wait = `${separator(node)}(await ${this.runtime("receive")}(`;
      const call = isWaiting ? wait : `${this.runtime("item")}(`;
      this.edits.push({ start: node.getStart(), end: node.getStart(), text: call });
      this.edits.push({ start: owner.getEnd(), end: node.getEnd(), text: isWaiting ? "))" : ")" });
    }
    this.channel(
      -1,
      "receive",
      owner.getText(),
      loopAround(node, this.placement.root) !== undefined ? "in a loop" : "once",
    );
  }

  /**
   * An expression that the host waits for. Others run meanwhile, so an assignment of what they may
   * write too reads all else afterwards: `total += x.item()`.
   */
  private waitFor(node: ts.Node, promise: string): void {
    const [start, end] = [node.getStart(), node.getEnd()];
    const statement = assignmentAround(node, this.onDevice);
    if (statement === undefined || !this.isRaced(statement)) {
      this.edits.push({ start, end, text: `${separator(node)}(await ${promise})` });
      return;
    }
    const name = `__fluxion_value_${this.values++}`;
    const isFirst = !this.racing.has(statement);
    this.racing.add(statement);
    const isAlone = !isListed(statement);
    const [from, to] = [statement.getStart(), statement.getEnd()];
    const text = `${isAlone && isFirst ? "{ " : ""}const ${name} = await ${promise}; `;
    this.edits.push({ start: from, end: from, text }, { start, end, text: name });
    if (isAlone && isFirst) this.edits.push({ start: to, end: to, text: " }" });
  }

  /** Whether a statement reads or writes what other functions may write. */
  private isRaced(statement: ts.ExpressionStatement): boolean {
    const visit = (node: ts.Node): boolean =>
      ts.isPropertyAccessExpression(node) ||
      ts.isElementAccessExpression(node) ||
      ts.forEachChild(node, (child) => visit(child) || undefined) === true;
    const { left } = unwrapped(statement.expression) as ts.BinaryExpression;
    const isShort = this.placement.variables
      .in([statement])
      .some((variable) => isShared(variable, statement));
    return isShort || visit(left);
  }

  private mustWait(node: ts.Node, what: string): void {
    if (canWait(node)) return;
    const name = nameAround(node);
    const { target } = this.options;
    this.diagnostics.push(messages.receiveAtOnce({ name, what, target }, spanOf(node)));
  }
}

function noteOf(tree: Tree, stays: boolean): string {
  const leaves = leavesOf(tree);
  const kinds = new Set(leaves.map(({ as }) => as));
  const what =
    leaves.length === 1
      ? `${leaves[0]?.as === "tensor" ? "a tensor" : leaves[0]?.as === "typed" ? "a typed array" : `a${leaves[0]?.as === "array" ? "n array" : ` ${leaves[0]?.as}`}`}`
      : `${leaves.length} ${kinds.size === 1 && kinds.has("tensor") ? "tensors" : "values"}`;
  return stays && [...kinds].every((kind) => kind === "tensor") ? `${what}, by handle` : what;
}

/** A statement with its labels. */
function labelled(node: ts.Statement): ts.Statement {
  return ts.isLabeledStatement(node.parent) ? labelled(node.parent) : node;
}

/** The properties of a tensor that tell its shape and its elements. */
const lookingAt: ReadonlySet<string> = new Set([
  ...["shape", "dtype", "data", "dataSync", "toArray", "item"],
]);

function mentions(list: ts.VariableDeclarationList, name: string): boolean {
  const visit = (binding: ts.BindingName): boolean =>
    ts.isIdentifier(binding)
      ? binding.text === name
      : binding.elements.some((element) => ts.isBindingElement(element) && visit(element.name));
  return list.declarations.some((declaration) => visit(declaration.name));
}

/** Where the first value of a variable comes from; undefined where that is not plain to see. */
function originOf(declaration: VariableLike):
  | { readonly kind: "none" }
  | {
      readonly kind: "initializer";
      readonly node: ts.Expression;
      readonly defaults: readonly ts.Expression[];
    }
  | {
      readonly kind: "parameter";
      readonly node: ts.FunctionLikeDeclaration;
      readonly position: number;
    }
  | undefined {
  let top: ts.Node = declaration;
  const defaults: ts.Expression[] = [];
  while (
    ts.isBindingElement(top) ||
    ts.isObjectBindingPattern(top) ||
    ts.isArrayBindingPattern(top)
  ) {
    if (ts.isBindingElement(top) && top.initializer) defaults.push(top.initializer);
    top = top.parent;
  }
  if (ts.isParameter(top)) {
    const fn = top.parent as ts.FunctionLikeDeclaration;
    return isFunctionNode(fn) && fn.body !== undefined && ts.isBlock(fn.body)
      ? { kind: "parameter", node: fn, position: fn.parameters.indexOf(top) }
      : undefined;
  }
  if (!ts.isVariableDeclaration(top) || !ts.isVariableDeclarationList(top.parent)) return undefined;
  const statement = top.parent.parent;
  if (!ts.isVariableStatement(statement) && !ts.isForStatement(statement)) return undefined;
  const { initializer } = top;
  if (initializer === undefined) return { kind: "none" };
  return { kind: "initializer", node: initializer, defaults };
}

/** The values that an assignment may give a target, or the pattern around it: none if not plain. */
function valuesFor(target: ts.Node): readonly ts.Expression[] {
  const values: ts.Expression[] = [];
  for (let node = target; !ts.isStatement(node); node = node.parent) {
    const { parent } = node;
    // What stands around the value is no target any more.
    if (ts.isBinaryExpression(parent) && parent.right === node) break;
    if (ts.isShorthandPropertyAssignment(parent) && parent.objectAssignmentInitializer) {
      values.push(parent.objectAssignmentInitializer);
    }
    if (!ts.isBinaryExpression(parent)) continue;
    values.push(parent.right);
    if (!isDefault(parent)) return values;
  }
  return [];
}

/** `a = b` in a pattern: a default and no assignment. */
function isDefault(node: ts.BinaryExpression): boolean {
  const { parent } = node;
  if (ts.isArrayLiteralExpression(parent)) return isTarget(parent);
  return ts.isPropertyAssignment(parent) && parent.initializer === node && isTarget(parent.parent);
}

/** `a.b.c` */
function isPath(node: ts.Expression): boolean {
  return ts.isIdentifier(node) || (ts.isPropertyAccessExpression(node) && isPath(node.expression));
}

/** The innermost loop around a node, in the function that it stands in. */
function loopAround(node: ts.Node, root: ts.Node): ts.Node | undefined {
  for (let up = node.parent; up !== root && !ts.isFunctionLike(up); up = up.parent) {
    if (ts.isIterationStatement(up, false)) return up;
  }
  return undefined;
}

/** Numbers of an array of the host, which a call copies. */
function isCopied({ as, shape }: Leaf): boolean {
  return as !== "tensor" && shape.length > 0;
}

/** The nearest function with a name around a node. */
function nameAround(node: ts.Node): string {
  for (let up: ts.Node | undefined = node.parent; up !== undefined; up = up.parent) {
    if (!ts.isFunctionLike(up)) continue;
    if (up.name !== undefined) return up.name.getText();
    if (ts.isVariableDeclaration(up.parent)) return up.parent.name.getText();
  }
  return "the function";
}
