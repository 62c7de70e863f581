/**
 * From a file of the user's program to what must be done to it: the roots in it, compiled, and the
 * edits that put them in place of the calls. Knows no bundler.
 */

import { MagicString, type SourceMap } from "magic-string";
import ts from "typescript";
import {
  type Compiled,
  type CompilerOptions,
  isOnDevice,
  type Signature,
} from "../compiler/compile.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { DerivativeFault } from "../compiler/autodiff/custom.ts";
import { expand } from "../compiler/autodiff/expand.ts";
import { BatchFault } from "../compiler/autodiff/vmap.ts";
import * as messages from "../compiler/diagnostics/messages.ts";
import type { Graph, Span } from "../compiler/ir/types.ts";
import { surface } from "../lang/surface/index.ts";
import { NotOnDevice } from "../compiler/targets/gpu/split.ts";
import {
  type Binary,
  type GpuCode,
  type HostEntry,
  isPlain,
  type Tree,
} from "../runtime/manifest.ts";
import { toText } from "../runtime/binary.ts";
import { distinct } from "./duplicates.ts";
import { staleImports } from "./imports.ts";
import type { SparseProgram } from "./read/natives/sparse.ts";
import { hasComputedLength, languageName, readRoot, type RootShape } from "./read/root.ts";
import { type RootSettings, type Said, settingsOf } from "./rootOptions.ts";
import {
  type CompileProgram,
  lengths,
  notOnDevice,
  type Offer,
  precision,
  type Shipped,
  ship,
  type TargetName,
} from "./ship.ts";
import { spanOf } from "./span.ts";
import type { TextEdit } from "./extract/connect.ts";
import { asyncFunctionOf, type Extraction, extract } from "./extract/index.ts";
import type { FunctionNode } from "./read/values.ts";
import { type PartNames, partsOf } from "./parts.ts";
import { literals } from "./literal.ts";
import { packageRoot, type World } from "./read/world.ts";

export type { CompileProgram, TargetName } from "./ship.ts";

export interface PlanOptions {
  /** For roots that do not say it. */
  readonly target?: TargetName;
  /** Ship what kernels compute and the lines that they come from, for `profile`. */
  readonly profile?: boolean;
  /** What compiles a graph: at once, or later. */
  readonly compile: CompileProgram;
}

/** A root in a file. */
export interface Root {
  readonly node: ts.CallExpression;
  /** What the user wrote: `compile`, `grad`, … */
  readonly transform: string;
  readonly name: string;
  readonly settings: RootSettings;
  readonly programs: readonly RootProgram[];
  /** Of an asynchronous root, whose programs are the regions in it. */
  readonly extraction?: Extraction;
}

export interface RootProgram {
  readonly id: string;
  /** Arguments that it takes over, besides what the root says. */
  readonly donateArgnums?: readonly number[];
  readonly graph: Graph;
  readonly signature: Signature;
  /** The argument that a sparse program is about. */
  readonly position?: number | undefined;
}

/** What was read of a file, not yet compiled. */
export interface ReadFile {
  readonly file: ts.SourceFile;
  readonly roots: readonly Root[];
  readonly diagnostics: readonly Diagnostic[];
  /** Functions that belong to compiled code. */
  readonly compiled: ReadonlySet<ts.Node>;
  /** Other files that the roots depend on. */
  readonly dependencies: readonly string[];
}

export interface Plan extends ReadFile {
  readonly edits: readonly Edit[];
  /** Statements for the end of the file. */
  readonly footer: string;
  /** What the edits and the footer import from the runtime. */
  readonly imports: readonly (readonly [imported: string, local: string])[];
  readonly programs: ReadonlyMap<string, Shipped>;
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The call that is replaced, where it is one. */
  readonly node?: ts.Node;
}

const functionRoots = new Set([
  "compile",
  "grad",
  "valueAndGrad",
  "jacfwd",
  "jacrev",
  "hessian",
  "hvp",
  "vmap",
]);
const directRoots = new Set(["jvp", "vjp", "linearize"]);
const seededRoots = new Set(["jvps", "vjps"]);

/** Roots of sparse matrices: what the runtime makes of their programs, and which these are. */
const sparseRoots: Readonly<Record<string, SparseRoot>> = {
  sparsity: { host: "patternOf", programs: ["masks"] },
  hessianSparsity: { host: "hessianPatternOf", programs: ["masks"] },
  sparseJacobian: { host: "jacobianBy", programs: ["forward", "reverse"] },
  sparseJacfwd: { host: "jacobianBy", programs: ["forward"] },
  sparseJacrev: { host: "jacobianBy", programs: ["reverse"] },
  sparseHessian: { host: "hessianBy", programs: ["forward"] },
};

interface SparseRoot {
  readonly host: string;
  readonly programs: readonly SparseProgram[];
}

function sparseRoot(transform: string): SparseRoot | undefined {
  return Object.hasOwn(sparseRoots, transform) ? sparseRoots[transform] : undefined;
}

function isRoot(transform: string): boolean {
  const known = [functionRoots, directRoots, seededRoots].some((set) => set.has(transform));
  return known || sparseRoot(transform) !== undefined;
}

/** True where a file cannot have a root: it does not mention the package. */
export function mayHaveRoots(text: string): boolean {
  return text.includes("fluxion");
}

/** Reads all roots of a file. */
export function readFile(
  world: World,
  file: ts.SourceFile,
  options: { readonly target?: TargetName } = {},
): ReadFile {
  const found = rootCalls(world, file);
  const roots: Root[] = [];
  const failures: { readonly node: ts.Node; readonly diagnostics: readonly Diagnostic[] }[] = [];
  const compiled = new Set<ts.Node>();
  const dependencies = new Set<string>();
  for (const { node, transform } of found) {
    const name = rootName(node, transform);
    const fn = transform === "compile" ? asyncFunctionOf(world, node) : undefined;
    if (fn !== undefined) {
      const read = asyncRoot(world, node, fn, { name, index: roots.length, ...options });
      for (const declaration of read.declarations) compiled.add(declaration);
      for (const dependency of read.files) {
        if (dependency !== file.fileName) dependencies.add(dependency);
      }
      failures.push({ node, diagnostics: read.diagnostics });
      if (!read.diagnostics.some(({ severity }) => severity === "error")) roots.push(read.root);
      continue;
    }
    const read = readPrograms(world, node, transform, name, roots.length);
    for (const declaration of read.declarations) compiled.add(declaration);
    for (const dependency of read.files) {
      if (dependency !== file.fileName) dependencies.add(dependency);
    }
    const checker = world.checkerOf(node);
    const said = settingsOf(node, transform, checker, options.target ?? "wasm");
    const settings = { ...said.settings, target: targetOf(said, transform, read.programs ?? []) };
    const wrong = [
      ...said.diagnostics,
      ...(read.programs ?? []).flatMap(({ signature }) => [
        ...missing(settings.donateArgnums ?? [], signature.name, signature.parameters.length, node),
        ...(isOnlyOnDevice(settings) ? lengths(signature, settings.target, spanOf(node)) : []),
      ]),
    ];
    const singles = isOnlyOnDevice(settings) ? (read.programs ?? []).slice(0, 1) : [];
    const warnings = singles.flatMap(({ signature }) =>
      precision(signature, settings.target, spanOf(node)),
    );
    failures.push({ node, diagnostics: [...wrong, ...warnings, ...read.diagnostics] });
    if (read.programs === undefined || wrong.length > 0) continue;
    roots.push({ node, transform, name, settings, programs: read.programs });
  }
  // A root inside a function that another root compiles is compiled there; by itself it may lack
  // what it needs.
  const diagnostics = distinct(
    failures
      .filter(({ node }) => !isInside(node, compiled))
      .flatMap((failure) => failure.diagnostics),
  );
  return { file, roots, diagnostics, compiled, dependencies: [...dependencies] };
}

/** An asynchronous root: a program for each region in it. */
function asyncRoot(
  world: World,
  node: ts.CallExpression,
  fn: FunctionNode,
  { name, index, target = "wasm" }: AsyncOptions,
): {
  readonly root: Root;
  readonly diagnostics: readonly Diagnostic[];
  readonly declarations: readonly ts.Node[];
  readonly files: readonly string[];
} {
  const said = settingsOf(node, "compile", world.checkerOf(node), target);
  const { donateArgnums = [], ...settings } = said.settings;
  const extraction = extract(world, node, fn, settings.target, donateArgnums, {
    program: (region) => `${regionId(index, region)}()`,
    runtime: localName,
  });
  const { regions } = extraction.placement;
  const count = fn.parameters.length;
  const programs = regions.map(({ program }, k): RootProgram => {
    const signature = { ...program.signature, name: `${name}_${k}` };
    const taken = extraction.connection.donated[k] ?? [];
    return { ...program, signature, id: regionId(index, k), donateArgnums: taken };
  });
  const diagnostics = [
    ...said.diagnostics,
    ...missing(donateArgnums, name, count, node),
    ...extraction.diagnostics,
  ];
  return {
    root: { node, transform: "compile", name, settings, programs, extraction },
    diagnostics,
    declarations: regions.flatMap(({ declarations }) => [...declarations]),
    files: regions.flatMap(({ files }) => files),
  };
}

interface AsyncOptions {
  readonly name: string;
  readonly index: number;
  readonly target?: TargetName;
}

function regionId(root: number, region: number): string {
  return `__fluxion_${root}_${region}`;
}

/**
 * Where a root runs. The target of the build is for roots that it can serve without changing what
 * they are: on a device that answers later only tensors come back at once, as types promise.
 */
function targetOf(
  { settings, isNamed }: Said,
  transform: string,
  programs: readonly RootProgram[],
): TargetName {
  const { target } = settings;
  if (isNamed || target === "js" || target === "wasm") return target;
  const isAtOnce = programs.every(
    ({ signature }) => !isPlain(signature.result) && !hasComputedLength(signature),
  );
  return isAtOnce && sparseRoot(transform) === undefined ? target : "wasm";
}

/** Whether a root runs on a device and nowhere else. */
function isOnlyOnDevice({ target }: RootSettings): boolean {
  return target !== "auto" && isOnDevice(target);
}

/** Arguments that a root says it donates and that there are not. */
function missing(
  donateArgnums: readonly number[],
  name: string,
  count: number,
  node: ts.CallExpression,
): readonly Diagnostic[] {
  return donateArgnums
    .filter((position) => !(Number.isInteger(position) && position >= 0 && position < count))
    .map((position) => messages.noArgumentToDonate({ position, name, count }, spanOf(node)));
}

/** Reads and compiles a file. */
export async function plan(world: World, file: ts.SourceFile, options: PlanOptions): Promise<Plan> {
  const read = readFile(world, file, options);
  const programs = new Map<string, Shipped>();
  const faults: Diagnostic[] = [];
  for (const root of read.roots) {
    const span = spanOf(root.node);
    for (const program of root.programs) {
      const { id, graph, signature } = program;
      try {
        const own = { ...settingsFor(root, program), ...placesFor(options) };
        programs.set(id, await ship(graph, signature, own, options.compile, span));
      } catch (error) {
        faults.push(faultOf(error, span, signature.name, root.settings.target));
      }
    }
  }
  const diagnostics = [...read.diagnostics, ...faults];
  return finish({ ...read, diagnostics }, world, programs, options);
}

/** How a program of a root is compiled. */
export function settingsFor({ settings }: Root, { donateArgnums }: RootProgram): RootSettings {
  return donateArgnums === undefined ? settings : { ...settings, donateArgnums };
}

/** The faults that show where a file that has been read is differentiated; it is not compiled. */
export function derivativeFaults({ roots }: ReadFile): readonly Diagnostic[] {
  return roots.flatMap(({ node, programs, settings }) =>
    programs.flatMap(({ graph, signature }) => {
      try {
        expand(graph, { raise: false });
        return [];
      } catch (error) {
        return [faultOf(error, spanOf(node), signature.name, settings.target)];
      }
    }),
  );
}

/** What the compiler throws after reading: a use of a derivative that there is not, or our fault. */
export function faultOf(error: unknown, root: Span, name: string, target: TargetName): Diagnostic {
  if (error instanceof DerivativeFault) {
    const { callee, variable, span = root, calls } = error;
    const related = calls.map((call) => ({
      message: "when differentiating this call",
      span: call,
    }));
    return messages.capturedDerivative({ name: callee, variable }, span, related);
  }
  if (error instanceof NotOnDevice) return notOnDevice(error, name, target, root);
  if (error instanceof BatchFault) {
    const sentence = "this array has a length of its own for each element, and they are one result";
    return messages.wrongAxes({ transform: "vmap", sentence }, error.span ?? root);
  }
  const message = error instanceof Error ? error.message : String(error);
  return messages.internalFault({ message }, root);
}

/** The edits, once the programs are compiled. */
export function finish(
  read: ReadFile,
  world: World,
  programs: ReadonlyMap<string, Shipped>,
  { profile }: Pick<PlanOptions, "profile"> = {},
): Plan {
  const ready = read.roots.filter((root) => root.programs.every(({ id }) => programs.has(id)));
  const { file } = read;
  const edits: Edit[] = ready.flatMap((root) => editsOf(root, file));
  const shipping = ready.flatMap((root) =>
    root.programs.map((program) => ({ program, shipped: programs.get(program.id) as Shipped })),
  );
  const { texts, functions } = literals(
    shipping.map(({ shipped }) => shipped.manifest),
    "__fluxion_data_",
  );
  const footer = shipping.map(({ program, shipped }, k) =>
    loader(program, shipped, texts[k] as string, profile === true),
  );
  edits.push(
    ...staleImports(world, file, {
      roots: ready.flatMap(goneOf),
      compiled: read.compiled,
    }),
  );
  const hosts = ready.flatMap(({ transform }) => sparseRoot(transform)?.host ?? []);
  const loaders = ready.flatMap((root) =>
    root.programs.flatMap(({ id }) => importedBy(programs.get(id) as Shipped)),
  );
  const profilers = profile === true && ready.length > 0 ? ["profiler"] : [];
  const channels = ready.flatMap(({ extraction }) => extraction?.connection.imports ?? []);
  const others = ready.some(({ extraction }) => extraction !== undefined) ? ["asRoot"] : [];
  const imports = [...new Set([...loaders, ...hosts, ...channels, ...others, ...profilers])].map(
    (name) => [name, localName(name)] as const,
  );
  return {
    ...read,
    roots: ready,
    edits,
    footer: [...footer, ...functions].join("\n"),
    imports,
    programs,
  };
}

/** What is done to the file for a root. */
function editsOf(root: Root, file: ts.SourceFile): readonly Edit[] {
  const { node, extraction, name } = root;
  const [start, end] = [node.getStart(file), node.getEnd()];
  // A bundler drops a root that nobody uses.
  const pure = "/* @__PURE__ */ ";
  if (extraction === undefined) {
    const text = replacement(root);
    const isFunction = functionRoots.has(root.transform);
    return [{ start, end, text: isFunction ? pure + text : text, node }];
  }
  // The function stays, without what is said around it.
  const given = node.arguments[0] as ts.Expression;
  return [
    {
      start,
      end: given.getStart(file),
      text: `${pure}${localName("asRoot")}(${JSON.stringify(name)}, `,
    },
    ...extraction.connection.edits,
    { start: given.getEnd(), end, text: ")" },
  ];
}

/** What a root takes out of the file. */
function goneOf({ node, extraction }: Root): readonly ts.Node[] {
  if (extraction === undefined) return [node];
  return [node.expression, ...node.arguments.slice(1), ...extraction.connection.gone];
}

/** The text of the file with its programs in it, and its source map. */
export function applyPlan(plan_: Plan): { readonly code: string; readonly map: SourceMap } {
  const { file, edits, footer, imports } = plan_;
  const text = withEdits(file, edits);
  if (footer !== "") {
    const hashbang = /^#!.*\n/.exec(file.text)?.[0].length ?? 0;
    const names = imports.map(([imported, local]) => `${imported} as ${local}`).join(", ");
    text.appendLeft(hashbang, `import { ${names} } from "fluxion/runtime";\n`);
    text.append(`\n${footer}\n`);
  }
  const map = text.generateMap({ source: file.fileName, includeContent: true, hires: true });
  return { code: text.toString(), map };
}

function withEdits(file: ts.SourceFile, edits: readonly TextEdit[]): MagicString {
  const text = new MagicString(file.text, { filename: file.fileName });
  for (const { start, end, text: replaced } of edits) {
    if (start === end) text.appendLeft(start, replaced);
    else text.update(start, end, replaced);
  }
  return text;
}

/** A piece of a file with edits in it. */
export function editedText(
  file: ts.SourceFile,
  edits: readonly TextEdit[],
  start: number,
  end: number,
): string {
  const inside = edits.filter((edit) => edit.start >= start && edit.end <= end);
  return withEdits(file, inside).slice(start, end);
}

/** What a name of the runtime is called in a compiled file. */
function localName(name: string): string {
  return `__fluxion_${name}`;
}

/** `file:line`, for faults at run time. */
export function placeOf(span: Span): string {
  const text = ts.sys.readFile(span.file) ?? "";
  const line = text.slice(0, span.start).split("\n").length;
  return `${span.file.split("/").at(-1)}:${line}`;
}

/** How the compiler finds places: for faults, and where they are wanted, for profiles. */
export function placesFor({
  profile,
}: Pick<PlanOptions, "profile">): Pick<CompilerOptions, "place" | "profile"> {
  return profile === true ? { place: placeOf, profile: ownPlaceOf } : { place: placeOf };
}

/** `file:line` in the user's own code: where library code is called, for a span in it. */
function ownPlaceOf(span: Span): string {
  for (let own: Span | undefined = span; own !== undefined; own = own.caller) {
    if (!isLibrary(own.file)) return placeOf(own);
  }
  return placeOf(span);
}

function isLibrary(file: string): boolean {
  return file.includes("/node_modules/") || libraries.some((folder) => file.startsWith(folder));
}

const libraries = ["stdlib", "dist/stdlib"].map((folder) => `${packageRoot()}/${folder}/`);

interface ReadPrograms {
  readonly programs: readonly RootProgram[] | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly declarations: ReadonlySet<ts.Node>;
  readonly files: readonly string[];
}

function readPrograms(
  world: World,
  node: ts.CallExpression,
  transform: string,
  name: string,
  index: number,
): ReadPrograms {
  const programs: RootProgram[] = [];
  const diagnostics: Diagnostic[] = [];
  const declarations = new Set<ts.Node>();
  const files = new Set<string>();
  const read = (shape: RootShape): Tree | undefined => {
    const result = readRoot({ world, surface, node, name, shape });
    diagnostics.push(...result.diagnostics);
    for (const declaration of result.declarations) declarations.add(declaration);
    for (const file of result.files) files.add(file);
    if (result.program === undefined) return undefined;
    programs.push({ id: `__fluxion_${index}_${programs.length}`, ...result.program });
    return result.program.signature.result;
  };
  /** How the function is called, and what it returns: read, and not compiled. */
  const valueOf = (): Signature | undefined =>
    read({ kind: "value" }) === undefined ? undefined : programs.pop()?.signature;
  let complete = false;
  const sparse = sparseRoot(transform);
  if (sparse !== undefined) {
    complete = sparse.programs.every((program) => {
      if (program !== "reverse") return read({ kind: "sparse", program }) !== undefined;
      const value = valueOf();
      if (value === undefined) return false;
      // Forward alone does, where there is no reverse.
      if (sparse.programs.length > 1 && hasComputedLength(value)) return true;
      return read({ kind: "sparse", program, value }) !== undefined;
    });
  } else if (transform === "jvps") complete = read({ kind: "jvps" }) !== undefined;
  else if (transform === "vjps") {
    const value = valueOf();
    complete = value !== undefined && read({ kind: "vjps", value }) !== undefined;
  } else if (functionRoots.has(transform)) complete = read({ kind: "function" }) !== undefined;
  else if (transform === "jvp") complete = read({ kind: "jvp" }) !== undefined;
  else {
    const result = read({ kind: "value" });
    const back: RootShape =
      transform === "vjp" && result !== undefined
        ? { kind: "pullback", result }
        : { kind: "pushforward" };
    complete = result !== undefined && read(back) !== undefined;
  }
  return {
    programs: complete ? programs : undefined,
    diagnostics,
    declarations,
    files: [...files],
  };
}

/** The calls of roots that do not stand in the arguments of another. */
function rootCalls(
  world: World,
  file: ts.SourceFile,
): readonly { readonly node: ts.CallExpression; readonly transform: string }[] {
  const found: { readonly node: ts.CallExpression; readonly transform: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const transform = languageName(world, node.expression);
      if (transform !== undefined && isRoot(transform)) {
        found.push({ node, transform });
        return;
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isInside(node: ts.Node, functions: ReadonlySet<ts.Node>): boolean {
  for (let up: ts.Node | undefined = node.parent; up !== undefined; up = up.parent) {
    if (functions.has(up)) return true;
  }
  return false;
}

/** What the program is called: the variable, or the function in it. */
function rootName(node: ts.CallExpression, transform: string): string {
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) return parent.name.text;
  const [first] = node.arguments;
  return first !== undefined && ts.isIdentifier(first) ? `${transform}_${first.text}` : transform;
}

/** What stands in place of the call. */
function replacement(root: Root): string {
  const [first, second] = root.programs;
  if (first === undefined) throw new Error("a root has no program");
  const made = (program: RootProgram): string => {
    const names = program.signature.captured.map(({ name }) => name);
    return names.length === 0 ? `${program.id}()` : `${program.id}(() => [${names.join(", ")}])`;
  };
  const given = root.node.arguments.slice(1).map((argument) => argument.getText());
  const sparse = sparseRoot(root.transform);
  if (sparse !== undefined) {
    const byKind = (kind: SparseProgram): string => {
      const program = root.programs[sparse.programs.indexOf(kind)];
      return program === undefined ? "undefined" : made(program);
    };
    const rest =
      sparse.host === "jacobianBy"
        ? `${byKind("forward")}, ${byKind("reverse")}`
        : sparse.host === "hessianBy"
          ? made(first)
          : `${made(first)}, ${first.position ?? 0}`;
    return `${localName(sparse.host)}(${rest})`;
  }
  switch (root.transform) {
    case "jvp":
      return `${made(first)}(${given.slice(0, 2).join(", ")})`;
    case "vjp":
    case "linearize": {
      if (second === undefined) throw new Error("a root lacks its second program");
      const back = root.transform === "vjp" ? "(w) => $(x, w)" : "(...w) => $(x, w)";
      const call = back.replace("$", made(second));
      return `((...x) => [${made(first)}(...x), ${call}])(${given.join(", ")})`;
    }
    default:
      return made(first);
  }
}

/** A function that loads a program; one without captured variables is loaded once. */
function loader(
  { id, signature }: RootProgram,
  shipped: Shipped,
  manifest: string,
  profile: boolean,
): string {
  const { code, offers } = shipped;
  const parts = [manifest, codeText(code)];
  if (loaderName(shipped) === "loadWith") parts.unshift(partsText(partsOf(shipped)));
  if (offers !== undefined) parts.push(`[${offers.map(offerText).join(", ")}]`);
  const load = (captured: string | undefined): string => {
    const last = profile ? [`${captured}`, localName("profiler")] : (captured ?? []);
    return `${localName(loaderName(shipped))}(${parts.concat(last).join(", ")})`;
  };
  if (signature.captured.length > 0) {
    return `function ${id}(captured) { return ${load("captured")}; }`;
  }
  return `var ${id}_;\nfunction ${id}() { return ${id}_ ??= ${load(undefined)}; }`;
}

/** The function of the runtime that builds such a program. */
function loaderName({
  code,
  offers,
}: Shipped): "loadWith" | "loadWebgpu" | "loadWebgl" | "loadAuto" {
  if (offers !== undefined) return "loadAuto";
  return code.kind === "webgpu" ? "loadWebgpu" : code.kind === "webgl" ? "loadWebgl" : "loadWith";
}

/** What a program needs of the runtime. */
function importedBy(shipped: Shipped): readonly string[] {
  const queues = (shipped.offers ?? []).flatMap((one) => ("queue" in one ? [one.queue] : []));
  const loader = loaderName(shipped);
  return [loader, ...queues, ...(loader === "loadWith" ? namesIn(partsOf(shipped)) : [])];
}

function namesIn(parts: PartNames): readonly string[] {
  return Object.values(parts).flatMap((part) =>
    typeof part === "string" ? [part] : Object.values(part),
  );
}

function partsText(parts: PartNames): string {
  return `{ ${Object.entries(parts)
    .map(([key, part]) => `${key}: ${typeof part === "string" ? localName(part) : namesText(part)}`)
    .join(", ")} }`;
}

function namesText(names: Readonly<Record<string, string>>): string {
  const fields = Object.entries(names).map(([key, name]) => `${key}: ${localName(name)}`);
  return `{ ${fields.join(", ")} }`;
}

/** What the runtime is told of a program for a device: its arguments and results are those on wasm. */
function offerText(offer: Offer): string {
  if (!("compiled" in offer)) return JSON.stringify(offer);
  const { target, queue, compiled } = offer;
  const [layout, code] = [dataText(compiled.manifest.layout), codeText(compiled.code)];
  return `{ target: "${target}", queue: ${localName(queue)}, layout: ${layout}, code: ${code} }`;
}

/** Parsed from text sooner than as a literal. */
function dataText(data: object): string {
  return `JSON.parse(${JSON.stringify(JSON.stringify(data))})`;
}

function codeText(code: Compiled["code"]): string {
  if (code.kind === "webgpu") {
    const { host, ...data } = code;
    return `{ ...${JSON.stringify(data)}, host: ${functionText(host)} }`;
  }
  if (code.kind === "webgl") {
    const { host, entries, ...data } = code;
    const list = entries.map((entry) => {
      if (!("host" in entry)) return JSON.stringify(entry);
      return `{ types: ${JSON.stringify(entry.types)}, host: ${functionText(entry.host)} }`;
    });
    const fields = `entries: [${list.join(", ")}], host: ${functionText(host)}`;
    return `{ ...${JSON.stringify(data)}, ${fields} }`;
  }
  if (code.kind === "js") return `{ kind: "js", text: ${JSON.stringify(code.text)} }`;
  const pieces = code.relaxed?.map((piece) =>
    typeof piece === "string" || piece instanceof Uint8Array
      ? binaryText(piece)
      : `[${piece.join()}]`,
  );
  const relaxed = pieces === undefined ? "" : `, relaxed: [${pieces.join()}]`;
  return `{ kind: "wasm", plain: ${binaryText(code.plain)}${relaxed} }`;
}

/** What the host does as it is: a page may forbid code from text. */
function functionText(host: GpuCode["host"] | HostEntry["host"]): string {
  if (typeof host === "string") return host;
  throw new Error("what the host does is text before it ships");
}

function binaryText(binary: Binary): string {
  return JSON.stringify(typeof binary === "string" ? binary : toText(binary));
}
