/**
 * Reads a root: the function that an expression stands for, applied to parameters of the types that
 * the checker gives them, as a graph and the signature of its program.
 */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import type { Block, Graph, Value } from "../../compiler/ir/types.ts";
import type { Argument, Tree } from "../../runtime/manifest.ts";
import { invoke } from "./expressions/calls.ts";
import { Reader, type SurfaceFunction } from "./reader.ts";
import { outgoing } from "./result.ts";
import { Scope } from "./scope.ts";
import { type Incoming, incoming } from "./types.ts";
import type { FunctionValue, NativeValue, ReaderValue } from "./values.ts";
import { SilentFault, visitors } from "./visit.ts";
import type { VariableLike, World } from "./world.ts";

export interface Signature {
  readonly name: string;
  readonly parameters: readonly Argument[];
  readonly captured: readonly Argument[];
  readonly result: Tree;
}

export interface ReadRoot {
  /** Undefined where there are errors. */
  readonly program: { readonly graph: Graph; readonly signature: Signature } | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Files whose text the program was read from. */
  readonly files: readonly string[];
}

export interface RootRequest {
  readonly world: World;
  readonly surface: Readonly<Record<string, SurfaceFunction>>;
  /** The expression that stands for the compiled function: `compile(f)`, `grad(f)`, `f`. */
  readonly node: ts.Expression;
  readonly name: string;
  /** The parameters, where the type of the expression does not say them. */
  readonly parameters?: readonly RootParameter[];
}

export interface RootParameter {
  readonly name: string;
  readonly type: ts.Type;
  readonly node: ts.Node;
}

export function readRoot(request: RootRequest): ReadRoot {
  const { world, node } = request;
  const reader = new Reader(world, visitors, request.surface);
  try {
    const program = readProgram(reader, request);
    const failed = reader.diagnostics.some(({ severity }) => severity === "error");
    return { program: failed ? undefined : program, diagnostics: reader.diagnostics, files: [] };
  } catch (error) {
    reader.reportThrown(error, node);
    return { program: undefined, diagnostics: reader.diagnostics, files: [] };
  }
}

function readProgram(
  reader: Reader,
  request: RootRequest,
): { readonly graph: Graph; readonly signature: Signature } {
  const { node } = request;
  const captured: (Incoming & { readonly name: string })[] = [];
  reader.capture = (declaration, name, at) => {
    const read = captureVariable(reader, declaration as VariableLike, name, node, at);
    captured.push({ ...read, name });
    return read.value;
  };
  reader.current = node;
  reader.builder.span = reader.span(node);
  const callee = reader.evaluate(node, new Scope());
  if (callee.kind !== "function" && callee.kind !== "native") {
    return reader.fail(
      messages.notAFunctionRoot({ root: rootName(node) }, reader.span(node)),
    );
  }
  const parameters = (request.parameters ?? parametersOf(reader, callee, node)).map((parameter) => ({
    name: parameter.name,
    ...reader.heap.outsideOf(() =>
      incoming(reader, parameter.type, parameter.name, parameter.node, "argument"),
    ),
  }));
  const result = invoke(reader, callee, {
    node,
    arguments: parameters.map(({ value }) => value),
    argumentNodes: [],
  });
  if (result.kind === "faulty") throw new SilentFault("reported before");
  const { tree, leaves } = outgoing(reader, result, node);
  const inputs: Value[] = [...parameters, ...captured].flatMap((argument) => argument.leaves);
  const body: Block = { parameters: inputs, equations: reader.builder.equations, results: leaves };
  const root = reader.freshName(request.name);
  const functions = new Map([...reader.functions, [root, { name: root, body }]]);
  const argument = ({ name, tree: own }: { readonly name: string; readonly tree: Tree }): Argument => ({
    name,
    tree: own,
  });
  return {
    graph: { root, functions },
    signature: {
      name: request.name,
      parameters: parameters.map(argument),
      captured: captured.map(argument),
      result: tree,
    },
  };
}

/** A variable of the host: it must be visible where the root stands. */
function captureVariable(
  reader: Reader,
  declaration: VariableLike,
  name: string,
  root: ts.Node,
  at: ts.Node,
): Incoming {
  const checker = reader.world.checkerOf(declaration);
  const symbol = checker.getSymbolAtLocation(declaration.name);
  const sameFile = declaration.getSourceFile() === root.getSourceFile();
  const imported = checker
    .getSymbolsInScope(root, ts.SymbolFlags.Value | ts.SymbolFlags.Alias)
    .find((other) => {
      const target =
        (other.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(other) : other;
      return target === symbol;
    });
  if (imported === undefined || imported.name !== name || (!sameFile && symbol === undefined)) {
    return reader.fail(messages.unreachableCapture({ name }, reader.span(at)));
  }
  const type = checker.getTypeAtLocation(declaration.name);
  return incoming(reader, type, name, declaration, "captured");
}

function parametersOf(
  reader: Reader,
  callee: FunctionValue | NativeValue,
  node: ts.Expression,
): readonly RootParameter[] {
  if (callee.kind === "function") {
    return callee.declaration.parameters.map((parameter) => {
      const checker = reader.world.checkerOf(parameter);
      if (parameter.dotDotDotToken !== undefined) {
        reader.fail(
          messages.unsupportedType(
            { name: parameter.name.getText(), type: "a rest parameter" },
            reader.span(parameter),
          ),
        );
      }
      const name = ts.isIdentifier(parameter.name) ? parameter.name.text : "argument";
      return { name, type: checker.getTypeAtLocation(parameter), node: parameter };
    });
  }
  const checker = reader.world.checkerOf(node);
  const inner = innermost(reader, node);
  if (inner !== undefined) return parametersOf(reader, inner, node);
  const [signature] = checker.getTypeAtLocation(node).getCallSignatures();
  if (signature === undefined) {
    return reader.fail(messages.notAFunctionRoot({ root: rootName(node) }, reader.span(node)));
  }
  return signature.getParameters().map((parameter) => ({
    name: parameter.name,
    type: checker.getTypeOfSymbolAtLocation(parameter, node),
    node,
  }));
}

const sameParameters = new Set([
  "compile",
  "grad",
  "valueAndGrad",
  "jacfwd",
  "jacrev",
  "hessian",
]);

/** The user's function under transforms that keep its parameters. */
function innermost(reader: Reader, node: ts.Expression): FunctionValue | undefined {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  const declared = reader.world.resolve(node.expression);
  if (declared.kind !== "language" || !sameParameters.has(declared.name)) return undefined;
  const [argument] = node.arguments;
  if (argument === undefined) return undefined;
  const value: ReaderValue = reader.evaluate(argument, new Scope());
  return value.kind === "function" ? value : innermost(reader, argument);
}

function rootName(node: ts.Expression): string {
  return ts.isCallExpression(node) ? node.expression.getText() : node.getText();
}
