/**
 * What a round of a loop does with results of the device, while the device goes on with the next ones.
 *
 *   for (let i = 0; i < n; i++) {              const tails = ahead();
 *     region 0                                 try {
 *     console.log(i, loss.item());      →        for (let i = 0; i < n; i++) {
 *   }                                              region 0
 *                                                  await tails.put(async () => { console.log(i, await receive(loss)); });
 *                                                }
 *                                              } finally { await tails.done(); }
 *
 * Tails run one after the other, so what the host does stays in order. All else in the loop is done
 * ahead of them: it must be regions, and what nobody can tell from being done earlier.
 */

import ts from "typescript";
import { leavesOf } from "../../runtime/manifest.ts";
import { languageName, type ProgramRead } from "../read/root.ts";
import type { World } from "../read/world.ts";
import { isWithoutJumps, type Placement } from "./place.ts";
import { isSeenAfterFailure } from "./failures.ts";
import { isIn, type Variable } from "./variables.ts";

/** The end of the rounds of a loop. */
export interface Tail {
  readonly loop: ts.IterationStatement;
  readonly statements: readonly ts.Statement[];
  /** Variables that later rounds write, which it sees as they are in its own. */
  readonly seen: readonly Variable[];
}

/** `carried`: variables whose tensors are written in place. */
export function tailsOf(
  world: World,
  placement: Placement,
  carried: ReadonlySet<Variable>,
): readonly Tail[] {
  const found: Tail[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIterationStatement(node, false) && ts.isBlock(node.statement)) {
      const tail = tailOf(world, placement, node, node.statement, carried);
      if (tail !== undefined) found.push(tail);
    }
    ts.forEachChild(node, visit);
  };
  visit(placement.root.body as ts.Node);
  return found;
}

function tailOf(
  world: World,
  { root, regions, variables, programOf }: Placement,
  loop: ts.IterationStatement,
  body: ts.Block,
  carried: ReadonlySet<Variable>,
): Tail | undefined {
  const members = regions.flatMap(({ piece }) => [...piece.nodes] as ts.Node[]);
  const last = body.statements.findLastIndex((statement) =>
    members.some((member) => isIn(member, [statement])),
  );
  const [head, statements] = [body.statements.slice(0, last + 1), body.statements.slice(last + 1)];
  if (last < 0 || !statements.some(receives)) return undefined;
  if (!statements.every((statement) => isWithoutJumps(statement, true))) return undefined;

  const usesIn = (variable: Variable, nodes: readonly ts.Node[]) =>
    variable.uses.filter(({ node }) => isIn(node, nodes));
  const isWritten = (variable: Variable, nodes: readonly ts.Node[]): boolean =>
    usesIn(variable, nodes).some((use) => use.isWritten);
  /** The host may call functions at any time. */
  const isInFunction = ({ uses }: Variable): boolean =>
    uses.some(({ node }) => functionAround(node) !== root);
  const isOwn = ({ declaration }: Variable): boolean => isIn(declaration, [root]);
  const changed = variables.in([loop]).filter((variable) => isWritten(variable, [loop]));
  const left = changed.filter((variable) => isWritten(variable, statements));

  // What is done earlier reads nothing that a tail, or what it calls, may change.
  const isQuiet = (node: ts.Node): boolean => {
    const program = programOf(node);
    return (
      program !== undefined &&
      parametersOf(program).every(({ name, isFirm }) => {
        const here = variables.in([node]).filter((one) => one.name === name);
        const [variable, ...others] = here.length > 0 ? here : variables.called(name);
        if (variable === undefined || others.length > 0 || !isFirm) return false;
        if (left.includes(variable)) return false;
        return isConst(variable) || (isOwn(variable) && !isInFunction(variable));
      })
    );
  };
  const expressions = conditionsOf(loop);
  if (expressions === undefined || ![...head, ...expressions].every(isQuiet)) return undefined;
  if (ts.isForOfStatement(loop) && !mayBeAhead(world, loop)) return undefined;
  // Nor does it write what they read, unless they are given it.
  if (changed.some(isInFunction) || left.some((variable) => isWritten(variable, head))) {
    return undefined;
  }
  const own = variables.in(statements);
  if (own.some((variable) => carried.has(variable))) return undefined;
  if (changed.some((variable) => isSeenAfterFailure(loop, variable, root))) return undefined;
  const seen = own.filter(
    (variable) =>
      !isIn(variable.declaration, [loop]) && changed.includes(variable) && !left.includes(variable),
  );
  return { loop, statements, seen };
}

/** The arguments of a program; `isFirm` of those that only an assignment changes. */
function parametersOf({ signature }: ProgramRead) {
  return signature.parameters.map(({ name, tree }) => ({
    name,
    isFirm: leavesOf(tree).every(
      ({ as }) =>
        as === "tensor" || (tree.kind === "leaf" && (as === "number" || as === "boolean")),
    ),
  }));
}

/** What is evaluated in each round besides the body; undefined where it is asked of an object. */
function conditionsOf(loop: ts.IterationStatement): readonly ts.Expression[] | undefined {
  if (ts.isForInStatement(loop)) return undefined;
  if (ts.isForOfStatement(loop)) return [];
  const all = ts.isForStatement(loop)
    ? [loop.condition, stepOf(loop.incrementor)]
    : [(loop as ts.WhileStatement | ts.DoStatement).expression];
  return all.filter((one) => one !== undefined);
}

/** What the counter of a loop changes by, `n` in `i += n`; nothing in `i++`. */
function stepOf(step: ts.Expression | undefined): ts.Expression | undefined {
  if (step === undefined) return undefined;
  if (ts.isPrefixUnaryExpression(step) || ts.isPostfixUnaryExpression(step)) {
    return ts.isIdentifier(step.operand) ? undefined : step;
  }
  const isAssignment =
    ts.isBinaryExpression(step) &&
    ts.isIdentifier(step.left) &&
    step.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
    step.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
  return isAssignment ? step.right : step;
}

/** `for (… of prefetch(…))`: items may be asked for before they are needed. */
function mayBeAhead(world: World, { expression }: ts.ForOfStatement): boolean {
  return (
    ts.isCallExpression(expression) && languageName(world, expression.expression) === "prefetch"
  );
}

function isConst({ declaration }: Variable): boolean {
  return (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0;
}

function functionAround(node: ts.Node): ts.Node | undefined {
  for (let up: ts.Node | undefined = node.parent; up !== undefined; up = up.parent) {
    if (ts.isFunctionLike(up)) return up;
  }
  return undefined;
}

/** Whether a statement looks at what the device has computed. */
function receives(node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return false;
  if (ts.isAwaitExpression(node)) return true;
  if (ts.isPropertyAccessExpression(node) && node.name.text === "item") return true;
  return ts.forEachChild(node, (child) => (receives(child) ? true : undefined)) === true;
}
