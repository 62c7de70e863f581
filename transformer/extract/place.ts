/**
 * Which parts of an asynchronous root run on the device. A region is a run of statements, or an
 * expression, that is in the language and works on arrays; all else stays on the host, in order. The
 * same program is always placed in the same way: nothing is estimated.
 *
 *   for await (const { x, y } of batches) {
 *     const [loss, g] = valueAndGrad(lossOf)(p, x, y);     ⎫ region 0: p, x, y → loss, p, s
 *     ({ params: p, state: s } = adam(p, g, s));           ⎭
 *     bar.tick(loss.item());                                 host; a receive of loss
 *   }
 */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import type { Graph } from "../../compiler/ir/types.ts";
import { allEquations } from "../../compiler/ir/walk.ts";
import { ops } from "../../compiler/ops/index.ts";
import type { SurfaceFunction } from "../../lang/surface/support.ts";
import { isPlain, leavesOf } from "../../runtime/manifest.ts";
import {
  type Output,
  type Piece,
  type ReadRegion,
  readRegion,
  type Written,
} from "../read/region.ts";
import type { ProgramRead } from "../read/root.ts";
import type { FunctionNode } from "../read/values.ts";
import { isFunctionNode, type VariableLike, type World } from "../read/world.ts";
import { isSeenAfterFailure, writesBeforeFailure } from "./failures.ts";
import {
  accessOf,
  canWait,
  declaredBy,
  isIn,
  isShared,
  type Variable,
  Variables,
} from "./variables.ts";

/** A piece of the function that becomes a program. */
export interface Region {
  readonly piece: Piece;
  readonly program: ProgramRead;
  readonly entries: ReadRegion["entries"];
  readonly args: ReadRegion["args"];
  /** Variables from around that it assigns. */
  readonly written: readonly Variable[];
  readonly declarations: ReadonlySet<ts.Node>;
  readonly files: readonly string[];
}

/** Why a piece of code is where it is. */
export interface Placed {
  readonly node: ts.Node;
  readonly side: "host" | "device";
  readonly reason: string;
  /** The number of the region. */
  readonly region?: number;
}

export interface Placement {
  readonly root: FunctionNode;
  readonly variables: Variables;
  readonly regions: readonly Region[];
  readonly placed: readonly Placed[];
  /** Functions that regions alone call: their code is in the programs. */
  readonly onlyOnDevice: readonly ts.Node[];
  /** Work on tensors that stays on the host, and why. */
  readonly refused: readonly Refused[];
  /** What a statement or an expression is in the language, by itself; undefined where it is not. */
  readonly programOf: (node: ts.Node) => ProgramRead | undefined;
}

export interface Refused {
  readonly node: ts.Expression;
  readonly why: Diagnostic;
}

/** With `isLater`, results that are no tensors come as promises. */
export function placementOf(
  world: World,
  surface: Readonly<Record<string, SurfaceFunction>>,
  root: FunctionNode,
  isLater: boolean,
): Placement {
  // A region takes a variable as a whole, so another one may not leave only fields of it.
  const whole = new Set<ts.Node>();
  for (;;) {
    const placement = new Placer(world, surface, root, isLater, whole).place();
    const divided = dividedIn(placement).filter((declaration) => !whole.has(declaration));
    if (divided.length === 0) return placement;
    for (const declaration of divided) whole.add(declaration);
  }
}

/** Variables of which one region leaves fields, and that another one takes. */
function dividedIn({ regions, variables }: Placement): readonly ts.Node[] {
  return regions.flatMap(({ piece, entries }) => {
    const names = new Set(
      entries.flatMap(({ name, field }) => (field === undefined ? [] : [name])),
    );
    if (names.size === 0) return [];
    const others = regions
      .filter((other) => other.piece !== piece)
      .flatMap((other) => variables.withFunctions(other.piece.nodes));
    return declaredBy(piece.nodes).filter((declaration) => {
      const variable = variables.of(declaration);
      return (
        variable !== undefined &&
        names.has(variable.name) &&
        variable.uses.some(({ node }) => isIn(node, others))
      );
    });
  });
}

class Placer {
  private readonly world: World;
  private readonly surface: Readonly<Record<string, SurfaceFunction>>;
  private readonly root: FunctionNode;
  private readonly isLater: boolean;
  /** Variables that leave regions as a whole, or not at all. */
  private readonly whole: ReadonlySet<ts.Node>;
  private readonly variables: Variables;
  private readonly checker: ts.TypeChecker;
  private readonly tellsRecords: boolean;
  private readonly regions: Region[] = [];
  private readonly placed: Placed[] = [];
  private refused: readonly Refused[] = [];
  /** Functions that only regions may call; their code is read there. */
  private readonly waiting = new Set<FunctionNode>();
  /** Alone, each node is read once. */
  private readonly alone = new Map<ts.Node, ReadRegion>();

  constructor(
    world: World,
    surface: Readonly<Record<string, SurfaceFunction>>,
    root: FunctionNode,
    isLater: boolean,
    whole: ReadonlySet<ts.Node>,
  ) {
    this.world = world;
    this.surface = surface;
    this.root = root;
    this.isLater = isLater;
    this.whole = whole;
    this.variables = new Variables(world, root);
    this.checker = world.checkerOf(root);
    this.tellsRecords = tellsRecords(this.checker, root);
  }

  place(): Placement {
    const { root, variables, regions, placed } = this;
    this.function(root);
    for (let next = this.calledByHost(); next !== undefined; next = this.calledByHost()) {
      this.waiting.delete(next);
      this.function(next);
    }
    const programOf = (node: ts.Node): ProgramRead | undefined => {
      const region = regions.find(({ piece }) =>
        (piece.nodes as readonly ts.Node[]).includes(node),
      );
      if (region !== undefined) return region.program;
      const isPiece = ts.isStatement(node) || ts.isExpression(node);
      return isPiece && isWithoutJumps(node) ? this.readAlone(node).program : undefined;
    };
    const onlyOnDevice = [...this.waiting];
    return { root, variables, regions, placed, onlyOnDevice, refused: this.refused, programOf };
  }

  // The host

  /** The defaults of a function's parameters, and its body. */
  private function({ parameters, body }: FunctionNode): void {
    for (const parameter of parameters) this.parts(parameter);
    if (body === undefined) return;
    if (ts.isBlock(body)) this.list(body.statements);
    else this.expression(body);
  }

  private list(statements: readonly ts.Statement[]): void {
    let k = 0;
    while (k < statements.length) {
      const run = this.runFrom(statements, k);
      if (run === undefined) {
        this.statement(statements[k] as ts.Statement);
        k++;
        continue;
      }
      this.add({ kind: "statements", nodes: run.members }, run.read, run.written);
      for (const statement of statements.slice(k, run.end)) {
        if (!run.members.includes(statement)) this.statement(statement);
      }
      k = run.end;
    }
  }

  private statement(node: ts.Statement): void {
    if (ts.isFunctionDeclaration(node)) {
      if (node.body !== undefined) this.waiting.add(node);
      return;
    }
    const inner = partsOf(node);
    if (inner !== undefined) {
      for (const part of inner) this.part(part);
      return;
    }
    const before = this.regions.length;
    this.parts(node);
    if (this.regions.length > before) return;
    this.placed.push({ node, side: "host", reason: this.reasonFor(node) });
  }

  private part(part: Part): void {
    if (part === undefined) return;
    if (!("kind" in part)) this.list(part);
    else if (ts.isExpression(part)) this.expression(part);
    else if (ts.isBlock(part)) this.list(part.statements);
    else if (ts.isStatement(part)) this.list([part]);
    else this.parts(part);
  }

  private parts(node: ts.Node): void {
    ts.forEachChild(node, (child) => {
      if (ts.isTypeNode(child)) return;
      if (ts.isExpression(child)) this.expression(child);
      else if (ts.isBlock(child)) this.list(child.statements);
      else this.parts(child);
    });
  }

  private expression(node: ts.Expression): void {
    if (isFunctionNode(node)) {
      if (ts.isVariableDeclaration(node.parent)) this.waiting.add(node);
      else this.function(node);
      return;
    }
    if (ts.isCallExpression(node) && this.mayBeValue(node)) {
      const read = this.readAlone(node);
      if (read.program !== undefined && isWorth(read.program)) {
        this.add({ kind: "expression", nodes: [node] }, read, []);
        return;
      }
    }
    const before = this.regions.length;
    this.parts(node);
    if (this.regions.length === before) this.note(node);
  }

  /** Tensors that the host computes with are the eager language's. */
  private note(node: ts.Expression): void {
    if (!ts.isCallExpression(node) || !this.mayBeValue(node)) return;
    const { program, diagnostics } = this.readAlone(node);
    const [why] = diagnostics.filter(({ severity }) => severity === "error");
    if (program === undefined && why !== undefined && this.isTensorWork(node, why)) {
      // Of a chain of calls the longest is told.
      const outer = this.refused.filter(
        (other) => !isIn(other.node, [node]) || other.why.message !== why.message,
      );
      this.refused = [...outer, { node, why }];
    }
  }

  /** A call that computes with tensors, unless what it is refused for belongs on the host. */
  private isTensorWork(node: ts.CallExpression, { code }: Diagnostic): boolean {
    let { expression } = node as { readonly expression: ts.Expression };
    while (ts.isCallExpression(expression)) expression = expression.expression;
    if (ts.isPropertyAccessExpression(expression)) {
      const { checker } = this;
      if (borderMembers.has(expression.name.text)) return false;
      return isTensor(checker.getNonNullableType(checker.getTypeAtLocation(expression.expression)));
    }
    if (!ts.isIdentifier(expression)) return false;
    const declared = this.world.resolve(expression);
    if (declared.kind === "language") return !hostFunctions.has(declared.name);
    if (declared.kind !== "function" || ofHost.has(code)) return false;
    return [node, ...node.arguments].some((part) => hasTensors(this.checker, part));
  }

  private mayBeValue(node: ts.CallExpression): boolean {
    if (!isWithoutJumps(node)) return false;
    const { flags } = this.checker.getTypeAtLocation(node);
    return (flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Never)) === 0;
  }

  private reasonFor(node: ts.Statement): string {
    if (!isWithoutJumps(node)) return "it leaves the function, waits, or may be left";
    const { program, diagnostics } = this.readAlone(node);
    if (program !== undefined) return "nothing in it works on arrays";
    const [first] = diagnostics;
    return first === undefined ? "it is not in the language" : first.message;
  }

  /** A function of the root that code of the host mentions. */
  private calledByHost(): FunctionNode | undefined {
    const onDevice = this.regions.flatMap(({ piece }) => [...piece.nodes] as ts.Node[]);
    const isHost = (node: ts.Node): boolean =>
      !isIn(node, onDevice) && !isIn(node, [...this.waiting]);
    return [...this.waiting].find((fn) => this.variables.mentionsOf(fn).some(isHost));
  }

  // Regions

  private add(
    piece: Piece,
    { program, entries, args, declarations, files }: ReadRegion,
    written: readonly Variable[],
  ): void {
    if (program === undefined) throw new Error("a region was not read");
    const [node] = piece.nodes as readonly [ts.Node];
    this.placed.push({
      node,
      side: "device",
      reason: "it works on arrays",
      region: this.regions.length,
    });
    this.regions.push({ piece, program, entries, args, written, declarations, files });
  }

  /** The region that begins with a statement: as many of those that follow as go with it. */
  private runFrom(statements: readonly ts.Statement[], from: number): Run | undefined {
    const first = statements[from] as ts.Statement;
    if (!this.isWorthAlone(first)) return undefined;
    let run = this.read([first], from + 1);
    if (run === undefined) return undefined;
    /** Between: those that depend on the region, or it on them, wait for another one that is worth it. */
    let waiting: ts.Statement[] = [];
    for (let k = from + 1; k < statements.length; k++) {
      const next = statements[k] as ts.Statement;
      if (isDeclarationOnly(next)) continue;
      if (!isWithoutJumps(next)) break;
      const members: readonly ts.Statement[] = [...run.members, ...waiting];
      const joins: boolean = this.isWorthAlone(next) || this.movesFrom(members, next);
      if (joins) {
        const longer = this.read([...members, next], k + 1);
        if (longer === undefined) break;
        run = longer;
        waiting = [];
      } else if (
        this.readAlone(next).program === undefined &&
        this.read([...members, next], k + 1) === undefined
      ) {
        break;
      } else if (this.meet(members, next)) waiting.push(next);
    }
    return run;
  }

  /** Whether a statement hands on arrays that the region has made: `({ params, state } = next)`. */
  private movesFrom(members: readonly ts.Statement[], next: ts.Statement): boolean {
    if (!this.meet(members, next)) return false;
    const { program } = this.readAlone(next);
    return (
      program !== undefined &&
      leavesOf(program.signature.result).some(
        ({ shape, as }) => as === "tensor" || shape.length > 0,
      )
    );
  }

  /** Whether the order of a statement and those before it means something. */
  private meet(members: readonly ts.Statement[], next: ts.Statement): boolean {
    const before = this.variables.withFunctions(members);
    const after = this.variables.withFunctions([next]);
    return this.variables.in(after).some(({ declaration, uses }) => {
      const inside = uses.filter(({ node }) => isIn(node, before));
      const own = uses.filter(({ node }) => isIn(node, after));
      if (isIn(declaration, members)) return own.length > 0;
      if (inside.length === 0) return false;
      return [...inside, ...own].some(({ isWritten }) => isWritten);
    });
  }

  private isWorthAlone(statement: ts.Statement): boolean {
    if (!isWithoutJumps(statement) || isDeclarationOnly(statement)) return false;
    const { program } = this.readAlone(statement);
    return program !== undefined && isWorth(program);
  }

  private readAlone(node: ts.Statement | ts.Expression): ReadRegion {
    let known = this.alone.get(node);
    if (known === undefined) {
      known = this.readPiece(
        ts.isExpression(node)
          ? { kind: "expression", nodes: [node] }
          : { kind: "statements", nodes: [node] },
      ).read;
      this.alone.set(node, known);
    }
    return known;
  }

  private read(members: readonly ts.Statement[], end: number): Run | undefined {
    const { read, written } = this.readPiece({ kind: "statements", nodes: members });
    return read.program === undefined ? undefined : { members, end, read, written };
  }

  private readPiece(piece: Piece): {
    readonly read: ReadRegion;
    readonly written: readonly Variable[];
  } {
    const all: readonly ts.Node[] = piece.nodes;
    const own = piece.kind === "statements" ? declaredBy(all) : [];
    const inside = this.variables.in(all);
    const written = inside.filter(
      ({ declaration, uses }) =>
        !isIn(declaration, all) && uses.some(({ node, isWritten }) => isWritten && isIn(node, all)),
    );
    const declared = own.flatMap((declaration) => this.variables.of(declaration) ?? []);
    const outputs: Output[] = [
      ...written.map(({ name }) => ({ name, fields: undefined })),
      ...declared.flatMap((variable) => this.outputOf(variable, all)),
    ];
    const read = readRegion({
      world: this.world,
      surface: this.surface,
      name: "region",
      piece,
      written: written.map(({ name, declaration }): Written => {
        return { name, declaration, hasValue: hasValue(declaration) };
      }),
      outputs,
      tellsRecords: this.tellsRecords,
    });
    const isRight = read.program !== undefined && this.isSame(piece, read.program, written);
    return { read: isRight ? read : { ...read, program: undefined }, written };
  }

  /** Whether the host cannot tell a program from the piece that it is made of. */
  private isSame(piece: Piece, program: ProgramRead, written: readonly Variable[]): boolean {
    const all: readonly ts.Node[] = piece.nodes;
    const [first, last] = [all[0], all.at(-1)] as [ts.Node, ts.Node];
    if (all.some(declaresVar)) return false;
    if (written.some(({ declaration }) => !isIn(declaration, [this.root]))) return false;
    const isLate = program.signature.parameters.some(({ name }) =>
      this.variables
        .in(all)
        .some(
          ({ name: other, declaration }) =>
            other === name && isIn(declaration, [this.root]) && declaration.pos > last.end,
        ),
    );
    if (isLate) return false;
    if (piece.kind === "expression" && written.length > 0) return false;
    const isLost = written.some(
      (variable) =>
        writesBeforeFailure(all, variable) && isSeenAfterFailure(first, variable, this.root),
    );
    if (isLost) return false;
    if (!this.isLater || !isPlain(program.signature.result)) return true;
    // Without tensors the host computes the same, at once.
    if (!canWait(first) && !takesTensors(program)) return false;
    // Others may read or write such a variable while the host waits for its value.
    const racing = [...written, ...this.assigned(first, program)];
    return !racing.some((variable) => isShared(variable, first));
  }

  /** The variable that an expression is assigned to, or to a part of it, where it is read as well. */
  private assigned(node: ts.Node, { signature }: ProgramRead): readonly Variable[] {
    let top = node;
    while (ts.isExpression(top) && !(ts.isBinaryExpression(top) && accessOf(top.left).isWritten)) {
      top = top.parent;
    }
    if (!ts.isBinaryExpression(top)) return [];
    let target: ts.Expression = top.left;
    while (ts.isPropertyAccessExpression(target) || ts.isElementAccessExpression(target)) {
      target = target.expression;
    }
    const names = signature.parameters.map(({ name }) => name);
    return this.variables.in([target]).filter(({ name }) => names.includes(name));
  }

  /** What is read of a variable after the region that declares it. */
  private outputOf(
    { name, declaration, uses }: Variable,
    members: readonly ts.Node[],
  ): readonly Output[] {
    const outside = uses.filter(({ node }) => !isIn(node, members));
    if (outside.length === 0) return [];
    const fields = outside.map(({ node, isWritten }) => {
      const { parent } = node;
      const isField = ts.isPropertyAccessExpression(parent) && parent.expression === node;
      return isField && !isWritten ? parent.name.text : undefined;
    });
    const all = fields.every((field) => field !== undefined) && !this.whole.has(declaration);
    return [{ name, fields: all ? [...new Set(fields)] : undefined }];
  }
}

interface Run {
  readonly members: readonly ts.Statement[];
  /** The place in the list after the last one. */
  readonly end: number;
  readonly read: ReadRegion;
  readonly written: readonly Variable[];
}

/**
 * Whether a program does more than the host does at once: it computes with arrays, or in loops, or
 * makes tensors of tensors, which may not be where the host could compute.
 */
function isWorth({ graph, signature }: ProgramRead): boolean {
  const given = signature.parameters.flatMap(({ tree }) => leavesOf(tree));
  const hasTensors = given.some(({ as }) => as === "tensor");
  const hasArrays = given.some(({ shape }) => shape.length > 0);
  if (hasTensors && makesTensors(graph, signature)) return true;
  return equationsOf(graph).some(({ op, inputs, outputs }) => {
    if (op === "for" || op === "while") return true;
    const isArray = [...inputs, ...outputs].some(({ type }) => type.shape.length > 0);
    if (!isArray || op === "constant") return false;
    const makes = outputs.some(({ type }) => type.shape.length > 0);
    if (ops[op]?.lower.kind !== "element") return makes || ops[op]?.lower.kind === "reduce";
    // To look at an element, or to cut a typed array, pays nothing.
    return makes && (hasTensors || !hasArrays);
  });
}

/** Whether a program gives tensors that it has computed. */
function makesTensors({ root, functions }: Graph, { result }: ProgramRead["signature"]): boolean {
  const body = functions.get(root)?.body;
  const made = new Set(
    body?.equations.flatMap(({ op, outputs }) => (op === "constant" ? [] : outputs)),
  );
  return leavesOf(result).some(({ as }, k) => {
    const value = body?.results[k];
    return as === "tensor" && value !== undefined && made.has(value);
  });
}

function takesTensors({ signature }: ProgramRead): boolean {
  return signature.parameters
    .flatMap(({ tree }) => leavesOf(tree))
    .some(({ as }) => as === "tensor");
}

function equationsOf({ functions }: Graph) {
  return [...functions.values()].flatMap(({ body }) => [...allEquations(body)]);
}

/** Functions of the language that are for the host. */
const hostFunctions: ReadonlySet<string> = new Set([
  ...["tensor", "device", "onReady", "useThreads", "draw", "fromImage", "asTexture", "gpuDevice"],
  "prefetch",
]);

/** Members of a tensor that take what is in it to the host. */
const borderMembers: ReadonlySet<string> = new Set(["data", "dataSync", "toArray", "dispose"]);

/** What code is refused for that is meant for the host: its calls, its syntax, what it captures. */
const ofHost: ReadonlySet<string> = new Set([
  ...["FX1001", "FX1003", "FX1004", "FX1006", "FX1008", "FX1012", "FX1014", "FX1017", "FX1023"],
  "FX1024",
]);

/** A tensor, or a record or a tuple that holds one. */
function hasTensors(checker: ts.TypeChecker, node: ts.Expression): boolean {
  const visit = (type: ts.Type, depth: number): boolean => {
    if (isTensor(type)) return true;
    if (depth > 3 || (type.flags & ts.TypeFlags.Object) === 0) return false;
    if (type.getCallSignatures().length > 0) return false;
    if (checker.isTupleType(type) || checker.isArrayType(type)) {
      return checker
        .getTypeArguments(type as ts.TypeReference)
        .some((one) => visit(one, depth + 1));
    }
    return checker
      .getPropertiesOfType(type)
      .some((property) => visit(checker.getTypeOfSymbolAtLocation(property, node), depth + 1));
  };
  return visit(checker.getTypeAtLocation(node), 0);
}

export function isTensor(type: ts.Type): boolean {
  return (type.aliasSymbol ?? type.symbol)?.name === "Tensor" || type.symbol?.name === "Tensor";
}

/** A variable with a value from its declaration on. */
function hasValue(declaration: VariableLike): boolean {
  if (ts.isVariableDeclaration(declaration)) {
    // A `var` is there before its declaration.
    if ((declaration.parent.flags & ts.NodeFlags.BlockScoped) === 0) return false;
    return declaration.initializer !== undefined || ts.isForOfStatement(declaration.parent.parent);
  }
  return true;
}

/** Whether a node declares with `var`, whose variables are those of the whole function. */
function declaresVar(node: ts.Node): boolean {
  if (isFunctionNode(node)) return false;
  const isVar = ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) === 0;
  return isVar || ts.forEachChild(node, (child) => declaresVar(child) || undefined) === true;
}

/** Whether code could tell a record from its copy: it writes fields, or compares objects. */
function tellsRecords(checker: ts.TypeChecker, root: ts.Node): boolean {
  const isArray = (type: ts.Type): boolean =>
    checker.isArrayType(type) ||
    checker.isTupleType(type) ||
    type.getNumberIndexType() !== undefined;
  const isField = (node: ts.Node): boolean =>
    (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) &&
    !isArray(checker.getTypeAtLocation(node.expression)) &&
    (accessOf(node).isWritten || ts.isDeleteExpression(node.parent));
  const isComparison = (node: ts.Node): boolean =>
    ts.isBinaryExpression(node) &&
    comparing.has(node.operatorToken.kind) &&
    [node.left, node.right].every(
      (side) => (checker.getTypeAtLocation(side).flags & ts.TypeFlags.Object) !== 0,
    );
  const visit = (node: ts.Node): boolean =>
    isField(node) ||
    isComparison(node) ||
    ts.forEachChild(node, (child) => visit(child) || undefined) === true;
  return visit(root);
}

const comparing: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** Types, functions and nothing: there is nothing to run. */
function isDeclarationOnly(node: ts.Statement): boolean {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isEmptyStatement(node)
  );
}

/** A part of a statement, or a list of statements in it. */
type Part = ts.Node | readonly ts.Statement[] | undefined;

/** The parts of a statement that has statements in it, in order; undefined of others. */
function partsOf(node: ts.Statement): readonly Part[] | undefined {
  if (ts.isBlock(node)) return [node.statements.slice()];
  if (ts.isIfStatement(node)) return [node.expression, node.thenStatement, node.elseStatement];
  if (ts.isForStatement(node)) {
    return [node.initializer, node.condition, node.incrementor, node.statement];
  }
  if (ts.isForOfStatement(node) || ts.isForInStatement(node)) {
    return [node.expression, node.statement];
  }
  if (ts.isWhileStatement(node) || ts.isDoStatement(node)) return [node.expression, node.statement];
  if (ts.isLabeledStatement(node)) return [node.statement];
  if (ts.isTryStatement(node)) {
    return [node.tryBlock, node.catchClause?.block, node.finallyBlock];
  }
  if (ts.isSwitchStatement(node)) {
    const clauses = node.caseBlock.clauses.flatMap((clause) => [
      ts.isCaseClause(clause) ? clause.expression : undefined,
      clause.statements.slice(),
    ]);
    return [node.expression, ...clauses];
  }
  return undefined;
}

/** True where control neither leaves a node nor, unless it may, waits in it. */
export function isWithoutJumps(root: ts.Node, mayWait = false): boolean {
  const visit = (
    node: ts.Node,
    loops: number,
    breaks: number,
    labels: readonly string[],
  ): boolean => {
    if (isFunctionNode(node)) return true;
    switch (node.kind) {
      case ts.SyntaxKind.AwaitExpression:
        if (mayWait) break;
        return false;
      case ts.SyntaxKind.YieldExpression:
      case ts.SyntaxKind.ReturnStatement:
      case ts.SyntaxKind.ThrowStatement:
      case ts.SyntaxKind.TryStatement:
        return false;
      default:
    }
    if (ts.isForOfStatement(node) && node.awaitModifier !== undefined && !mayWait) return false;
    if (ts.isBreakOrContinueStatement(node)) {
      if (node.label !== undefined) return labels.includes(node.label.text);
      return (ts.isContinueStatement(node) ? loops : breaks) > 0;
    }
    const isLoop = ts.isIterationStatement(node, false);
    const isLeft = isLoop || ts.isSwitchStatement(node);
    const inside = ts.isLabeledStatement(node) ? [...labels, node.label.text] : labels;
    const next = [loops + Number(isLoop), breaks + Number(isLeft)] as const;
    return (
      ts.forEachChild(node, (child) => (visit(child, ...next, inside) ? undefined : true)) !== true
    );
  };
  return visit(root, 0, 0, []);
}
