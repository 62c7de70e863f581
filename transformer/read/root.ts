/**
 * Reads a root: the function that an expression stands for, applied to parameters of the types that
 * the checker gives them, as a graph and the signature of its program.
 */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { decodeCallee, namedFunctions } from "../../compiler/autodiff/callee.ts";
import { patternFaults } from "../../compiler/autodiff/patternFaults.ts";
import { derivativeWarnings } from "../../compiler/autodiff/warnings.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import type { Block, Fn, Graph, Value } from "../../compiler/ir/types.ts";
import { allEquations } from "../../compiler/ir/walk.ts";
import { type Argument, constantOf, type Tree } from "../../runtime/manifest.ts";
import { type Dim, symbol, symbolsOf } from "../../compiler/ir/dim.ts";
import { invoke } from "./expressions/calls.ts";
import { listItems } from "./expressions/literals.ts";
import { bind } from "./expressions/assign.ts";
import { givesFunction } from "./host.ts";
import { functionArgument } from "./natives/language.ts";
import {
  directional,
  sizeOfTree,
  type SparseProgram,
  sparseProgram,
  sparseSubject,
} from "./natives/sparse.ts";
import { argumentOf } from "./natives/transforms.ts";
import { isStaticInteger } from "./numbers.ts";
import { newList, readField } from "./objects.ts";
import type { SurfaceFunction } from "../../lang/surface/support.ts";
import { Reader } from "./reader.ts";
import { outgoing } from "./result.ts";
import { Scope } from "./scope.ts";
import { fromTree, type Incoming, incoming, unsupported } from "./types.ts";
import type { FunctionValue, NativeCall, ReaderValue } from "./values.ts";
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
  readonly program: ProgramRead | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Functions that were read, and the files where they stand. */
  readonly declarations: ReadonlySet<ts.Node>;
  readonly files: readonly string[];
}

export interface ProgramRead {
  readonly graph: Graph;
  readonly signature: Signature;
  /** The argument that a sparse program is about. */
  readonly position?: number | undefined;
}

/** How the host calls the program that is made of a root. */
export type RootShape =
  /** The expression stands for a function: `compile(f)`, `grad(f)`. */
  | { readonly kind: "function" }
  /** `jvp(f, primals, tangents)`, as a function of primals and tangents. */
  | { readonly kind: "jvp" }
  /** The value of `vjp(f, …primals)` or `linearize(f, …primals)`, as a function of the primals. */
  | { readonly kind: "value" }
  /** What they give besides, as a function of the tuple of primals and what it is given. */
  | { readonly kind: "pullback"; readonly result: Tree }
  | { readonly kind: "pushforward" }
  /** `jvps(f)` or `vjps(f)`: the directions, and then what `f` takes. */
  | { readonly kind: "jvps" }
  | { readonly kind: "vjps"; readonly value: Signature }
  /** A program of a pattern or of a sparse matrix; `value` is that of the function, for "reverse". */
  | { readonly kind: "sparse"; readonly program: SparseProgram; readonly value?: Signature };

export interface RootRequest {
  readonly world: World;
  readonly surface: Readonly<Record<string, SurfaceFunction>>;
  /** The call of a root, as it stands in the file; for `function` any expression of a function. */
  readonly node: ts.Expression;
  readonly name: string;
  readonly shape?: RootShape;
}

export function readRoot(request: RootRequest): ReadRoot {
  const { world, node } = request;
  const reader = new Reader(world, visitors, request.surface);
  try {
    const program = readProgram(reader, request);
    for (const fault of patternFaults(program.graph)) reader.report(fault);
    if (reader.hasErrors()) return outcome(undefined);
    for (const warning of derivativeWarnings(program.graph)) reader.report(warning);
    return outcome(program);
  } catch (error) {
    reader.reportThrown(error, node);
    return outcome(undefined);
  }

  function outcome(program: ReadRoot["program"]): ReadRoot {
    const { diagnostics, declarations } = reader;
    const files = [...declarations].map((declaration) => declaration.getSourceFile().fileName);
    return { program, diagnostics, declarations, files: [...new Set(files)] };
  }
}

function readProgram(reader: Reader, request: RootRequest): ProgramRead {
  const { node } = request;
  const captured: (Incoming & { readonly name: string })[] = [];
  reader.capture = (declaration, name, at) => {
    const read = captureVariable(reader, declaration as VariableLike, name, node, at);
    captured.push({ ...read, name });
    return read.value;
  };
  reader.current = node;
  reader.builder.span = reader.span(node);
  const shape = request.shape ?? { kind: "function" };
  const { parameters, call, position } = shaped(reader, node, shape);
  const result = call(parameters.map(({ value }) => value));
  if (result.kind === "faulty") throw new SilentFault("reported before");
  const { tree, leaves } = outgoing(reader, result, node);
  const inputs: Value[] = [...parameters, ...captured].flatMap((argument) => argument.leaves);
  const body: Block = { parameters: inputs, equations: reader.builder.equations, results: leaves };
  const root = reader.freshName(request.name);
  const functions = reachable(body, reader.functions);
  functions.set(root, { name: root, body });
  const argument = ({ name, tree: own, default: otherwise }: Argument): Argument => ({
    name,
    tree: own,
    default: otherwise,
  });
  return {
    graph: { root, functions },
    signature: {
      name: request.name,
      parameters: parameters.map(argument),
      captured: captured.map(argument),
      result: tree,
    },
    position,
  };
}

/** The functions that are called: a loop that is read several times leaves others behind. */
export function reachable(body: Block, functions: ReadonlyMap<string, Fn>): Map<string, Fn> {
  const found = new Map<string, Fn>();
  const visit = (block: Block): void => {
    for (const { op, parameters } of allEquations(block)) {
      if (op !== "call") continue;
      for (const name of namedFunctions(decodeCallee(parameters["callee"]))) {
        const fn = functions.get(name);
        if (fn === undefined || found.has(name)) continue;
        found.set(name, fn);
        visit(fn.body);
      }
    }
  };
  visit(body);
  return found;
}

/** A variable of the host: it must be visible where the root stands. */
export function captureVariable(
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

type Parameter = Incoming & Argument;

/** The parameters of a program, and what it does with them. */
function shaped(
  reader: Reader,
  node: ts.Expression,
  shape: RootShape,
): {
  readonly parameters: readonly Parameter[];
  readonly call: (args: readonly ReaderValue[]) => ReaderValue;
  readonly position?: number;
} {
  const apply = (callee: ReaderValue, args: readonly ReaderValue[]): ReaderValue =>
    invoke(reader, callee, { node, arguments: args, argumentNodes: [] });
  if (shape.kind === "function") {
    const callee = reader.evaluate(node, new Scope());
    if (callee.kind !== "function" && callee.kind !== "native") {
      return reader.fail(messages.notAFunctionRoot({ root: rootName(node) }, reader.span(node)));
    }
    return { parameters: parametersOf(reader, node), call: (args) => apply(callee, args) };
  }
  const { expression, arguments: given } = node as ts.CallExpression;
  const [first] = given;
  if (first === undefined) {
    return reader.fail(messages.notAFunctionRoot({ root: rootName(node) }, reader.span(node)));
  }
  const transform = reader.evaluate(expression, new Scope());
  const f = reader.evaluate(first, new Scope());
  const own = parametersGiven(reader, node as ts.CallExpression);
  const again = (name: string): Parameter => {
    const other = own.map((parameter) => similar(reader, parameter.tree, parameter.name));
    return { ...tupleOf(reader, other), name };
  };
  const items = (value: ReaderValue | undefined): readonly ReaderValue[] =>
    value?.kind === "array" ? (listItems(reader, value, node) ?? []) : [];
  switch (shape.kind) {
    case "jvp": {
      const primals = { ...tupleOf(reader, own), name: "primals" };
      const parameters = [primals, again("tangents")];
      return { parameters, call: (args) => apply(transform, [f, ...args]) };
    }
    case "value":
      return { parameters: own, call: (args) => apply(f, args) };
    case "jvps":
    case "vjps": {
      const position = positionOf(reader, node, f, own);
      if (shape.kind === "vjps") checkLengths(reader, node, shape.value);
      const like = shape.kind === "vjps" ? shape.value.result : (own[position] as Parameter).tree;
      const tree = withAxis(like, symbol(reader.freshName("directions")), 0);
      const directions = { ...similar(reader, tree, "directions"), name: "directions" };
      const products = directional(reader, shape.kind, outerCall(reader, node, f));
      return { parameters: [directions, ...own], call: (args) => apply(products, args) };
    }
    case "sparse": {
      const root = languageName(reader.world, expression) ?? "";
      if (shape.value !== undefined) checkLengths(reader, node, shape.value);
      const position = positionOf(reader, node, f, own);
      const subject = sparseSubject(reader, root, outerCall(reader, node, f));
      const tree = sparseDirections(reader, shape, own[position] as Parameter);
      const directions = { ...similar(reader, tree, "directions"), name: "directions" };
      const [leaf] = directions.leaves as [Value];
      return {
        parameters: [directions, ...own],
        position,
        call: ([, ...args]) => {
          const given: NativeCall = { node, arguments: args, argumentNodes: [] };
          return sparseProgram(reader, shape.program, root, subject, position, leaf, given);
        },
      };
    }
    case "pushforward":
    case "pullback": {
      const primals = { ...tupleOf(reader, own), name: "primals" };
      const other =
        shape.kind === "pullback"
          ? { ...similar(reader, cotangentTree(shape.result), "cotangent"), name: "cotangent" }
          : again("tangents");
      return {
        parameters: [primals, other],
        call: ([x, w]) => {
          const [, back] = items(apply(transform, [f, ...items(x)]));
          const inputs = shape.kind === "pullback" ? [w as ReaderValue] : items(w);
          return apply(back as ReaderValue, inputs);
        },
      };
    }
  }
}

/** A root with its function and its options, as a call of the language. */
function outerCall(reader: Reader, node: ts.Expression, f: ReaderValue): NativeCall {
  const [, options] = (node as ts.CallExpression).arguments;
  const given = options === undefined ? [] : [reader.evaluate(options, new Scope())];
  return { node, arguments: [f, ...given], argumentNodes: [] };
}

/** The argument that a root differentiates. */
function positionOf(
  reader: Reader,
  node: ts.Expression,
  f: ReaderValue,
  own: readonly Parameter[],
): number {
  const root = rootName(node);
  const callable = functionArgument(reader, root, f, node);
  const values = own.map(({ value }) => value);
  const call: NativeCall = { node, arguments: values, argumentNodes: [] };
  return argumentOf(reader, root, callable, outerCall(reader, node, f), call);
}

/** What a sparse program is given first: masks for all inputs, or rows of directions. */
function sparseDirections(
  reader: Reader,
  { program, value }: RootShape & { readonly kind: "sparse" },
  argument: Parameter,
): Tree {
  const side = program === "reverse" ? value?.result : undefined;
  const size = sizeOfTree(side ?? argument.tree);
  if (program === "masks") return { kind: "leaf", as: "typed", dtype: "i32", shape: [size] };
  const count = symbol(reader.freshName("directions"));
  return { kind: "leaf", as: "typed", dtype: "f64", shape: [count, size] };
}

/** Whether a function returns an array whose length those of its arguments do not say. */
export function hasComputedLength({ parameters, captured, result }: Signature): boolean {
  const known = new Set([...parameters, ...captured].flatMap(({ tree }) => lengthsIn(tree)));
  return lengthsIn(result).some((name) => !known.has(name));
}

function lengthsIn(tree: Tree): readonly string[] {
  switch (tree.kind) {
    case "leaf":
      return tree.shape.flatMap(symbolsOf);
    case "record":
      return tree.fields.flatMap(([, field]) => lengthsIn(field));
    case "tuple":
      return tree.items.flatMap(lengthsIn);
    case "table":
      return lengthsIn(tree.columns);
    case "constant":
      return [];
  }
}

/** Rows of cotangents are as long as the result: it must be known how long that is. */
function checkLengths(reader: Reader, node: ts.Expression, value: Signature): void {
  if (!hasComputedLength(value)) return;
  const what = `\`${rootName(node)}\` of a result whose length is computed`;
  const wayOut = "give it the length of an argument, or go forward with `jvps` or `sparseJacfwd`";
  reader.fail(messages.notYetSupported({ what, wayOut }, reader.span(node)));
}

const sameParameters = new Set([
  ...["compile", "grad", "valueAndGrad", "jacfwd", "jacrev", "hessian"],
  ...["checkpoint", "customJvp", "customVjp"],
]);

/** The parameters of the function that an expression stands for, from the types of the user. */
function parametersOf(reader: Reader, node: ts.Expression): readonly Parameter[] {
  if (ts.isParenthesizedExpression(node)) return parametersOf(reader, node.expression);
  const [transform, inner, options] = rootCall(reader, node);
  if (inner !== undefined && sameParameters.has(transform)) return parametersOf(reader, inner);
  if (inner !== undefined && transform === "hvp") {
    const [x] = parametersOf(reader, inner);
    if (x === undefined) return [];
    return [x, { ...similar(reader, x.tree, "v"), name: "v" }];
  }
  if (inner !== undefined && transform === "vmap") {
    const inAxes = options === undefined ? undefined : reader.evaluate(options, new Scope());
    return batchedParameters(reader, parametersOf(reader, inner), inAxes, node);
  }
  const made = initializerOf(reader, node);
  if (made !== undefined) return parametersOf(reader, made);
  const callee = reader.evaluate(node, new Scope());
  if (callee.kind === "function") return declaredParameters(reader, callee);
  return reader.fail(messages.notAFunctionRoot({ root: rootName(node) }, reader.span(node)));
}

/** The call that makes the function that a `const` names: `const slope = grad(f)`. */
function initializerOf(reader: Reader, node: ts.Expression): ts.CallExpression | undefined {
  const declared = ts.isIdentifier(node) ? reader.world.resolve(node) : undefined;
  if (declared?.kind !== "variable" || !ts.isVariableDeclaration(declared.declaration)) {
    return undefined;
  }
  const { initializer } = declared.declaration;
  return initializer !== undefined && givesFunction(reader, initializer) ? initializer : undefined;
}

/** Of a call that gives primals, `vjp(f, x)`, those that are given: the others are defaults. */
function parametersGiven(
  reader: Reader,
  { expression, arguments: [f, ...given] }: ts.CallExpression,
): readonly Parameter[] {
  const own = parametersOf(reader, f as ts.Expression);
  const root = languageName(reader.world, expression);
  if (root === "jvp") {
    const [primals] = given;
    const isList = primals !== undefined && ts.isArrayLiteralExpression(primals);
    if (!isList || primals.elements.some(ts.isSpreadElement)) return own;
    return own.slice(0, primals.elements.length);
  }
  if (root !== "vjp" && root !== "linearize") return own;
  return given.some(ts.isSpreadElement) ? own : own.slice(0, given.length);
}

function declaredParameters(reader: Reader, callee: FunctionValue): readonly Parameter[] {
  const failed: unknown[] = [];
  // Where defaults are evaluated: they may read the parameters before.
  const scope = new Scope(callee.scope);
  const haveDefaults = callee.declaration.parameters.some(({ initializer }) => initializer);
  const parameters = callee.declaration.parameters.flatMap((parameter) => {
    try {
      const read = declaredParameter(reader, parameter, scope);
      if (haveDefaults) bind(reader, parameter.name, read.value, scope, true);
      return [read];
    } catch (error) {
      reader.reportThrown(error, parameter);
      failed.push(error);
      return [];
    }
  });
  if (failed.length > 0) throw new SilentFault("reported before");
  return parameters;
}

function declaredParameter(
  reader: Reader,
  parameter: ts.ParameterDeclaration,
  scope: Scope,
): Parameter {
  const checker = reader.world.checkerOf(parameter);
  if (parameter.dotDotDotToken !== undefined) {
    reader.fail(
      unsupported(
        { name: parameter.name.getText(), type: "a rest parameter" },
        reader.span(parameter),
      ),
    );
  }
  const name = ts.isIdentifier(parameter.name) ? parameter.name.text : "argument";
  const declared = checker.getTypeAtLocation(parameter);
  // Where there is a default, `undefined` is for callers, and the checker may not have dropped it.
  const type =
    parameter.initializer === undefined ? declared : checker.getNonNullableType(declared);
  const read = reader.heap.outsideOf(() => incoming(reader, type, name, parameter, "argument"));
  return { ...read, name, default: defaultOf(reader, parameter, name, scope) };
}

/** The default of a parameter, which the host puts in place of an argument that is not given. */
function defaultOf(
  reader: Reader,
  { initializer }: ts.ParameterDeclaration,
  name: string,
  scope: Scope,
): Tree | undefined {
  if (initializer === undefined) return undefined;
  const value = reader.evaluate(initializer, scope);
  const { tree, leaves } = outgoing(reader, value, initializer);
  if (leaves.length === 0 && tree.kind !== "table") return tree;
  return reader.needsStatic(`the default of the argument \`${name}\``, initializer);
}

/** Another value of the same structure, with lengths of its own where it has lengths. */
function similar(reader: Reader, tree: Tree, name: string): Incoming {
  return reader.heap.outsideOf(() => fromTree(reader, tree, name));
}

/** What is given back for a result: a number for each number, be it a constant. */
function cotangentTree(tree: Tree): Tree {
  switch (tree.kind) {
    case "constant":
      if (typeof constantOf(tree) !== "number") return tree;
      return { kind: "leaf", as: "number", dtype: "f64", shape: [] };
    case "record":
      return {
        kind: "record",
        fields: tree.fields.map(([name, field]) => [name, cotangentTree(field)] as const),
      };
    case "tuple":
      return { kind: "tuple", items: tree.items.map(cotangentTree) };
    default:
      return tree;
  }
}

function tupleOf(reader: Reader, parts: readonly Incoming[]): Incoming {
  return {
    tree: { kind: "tuple", items: parts.map((part) => part.tree) },
    leaves: parts.flatMap((part) => part.leaves),
    value: reader.heap.outsideOf(() =>
      newList(
        reader,
        parts.map((part) => part.value),
        { readOnly: "argument" },
      ),
    ),
  };
}

/** Arguments of `vmap(f)` have one axis more, of one common length. */
function batchedParameters(
  reader: Reader,
  parameters: readonly Parameter[],
  options: ReaderValue | undefined,
  node: ts.Node,
): readonly Parameter[] {
  const size = symbol(reader.freshName("batch"));
  const inAxes =
    options?.kind === "record" ? readField(reader, options, "inAxes", node) : undefined;
  const axes = inAxes?.kind === "array" ? listItems(reader, inAxes, node) : undefined;
  return parameters.map((parameter, k) => {
    const axis = axes?.[k] ?? inAxes;
    if (axis?.kind === "static" && axis.value === null) return parameter;
    const at = axis !== undefined && isStaticInteger(axis) ? axis.value : 0;
    const tree = withAxis(parameter.tree, size, at);
    return { ...similar(reader, tree, parameter.name), name: parameter.name };
  });
}

function withAxis(tree: Tree, size: Dim, axis: number): Tree {
  switch (tree.kind) {
    case "leaf": {
      const at = axis < 0 ? axis + tree.shape.length + 1 : axis;
      const shape = tree.shape.toSpliced(at, 0, size);
      const isScalar = tree.as === "number" || tree.as === "boolean";
      return { ...tree, as: isScalar ? "typed" : tree.as, shape };
    }
    case "record":
      return {
        kind: "record",
        fields: tree.fields.map(([name, field]) => [name, withAxis(field, size, axis)] as const),
      };
    case "tuple":
      return { kind: "tuple", items: tree.items.map((item) => withAxis(item, size, axis)) };
    case "table":
      return { kind: "table", columns: withAxis(tree.columns, size, axis) };
    case "constant":
      return tree;
  }
}

/** The name of a root, its function and its options; where the expression calls a root. */
function rootCall(
  reader: Reader,
  node: ts.Expression,
): readonly [string, ts.Expression | undefined, ts.Expression | undefined] {
  if (!ts.isCallExpression(node)) return ["", undefined, undefined];
  const name = languageName(reader.world, node.expression);
  return [name ?? "", name === undefined ? undefined : node.arguments[0], node.arguments[1]];
}

/** The name in the language that an expression stands for: `grad`, `fx.grad`, an alias. */
export function languageName(world: World, node: ts.Expression): string | undefined {
  if (ts.isIdentifier(node)) {
    const declared = world.resolve(node);
    return declared.kind === "language" ? declared.name : undefined;
  }
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const owner = world.resolve(node.expression);
    if (owner.kind !== "module") return undefined;
    const member = world.member(owner, node.name.text);
    return member.kind === "language" ? member.name : undefined;
  }
  return undefined;
}

function rootName(node: ts.Expression): string {
  return ts.isCallExpression(node) ? node.expression.getText() : node.getText();
}
