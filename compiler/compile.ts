/**
 * The whole compiler in one function: a graph as the reader made it in, a program that the runtime
 * can load out.
 *
 *   read → expand transforms → simplify → lower → emit
 */

import {
  type Argument,
  type Code,
  leavesOf,
  type Manifest,
  type Tree,
  type GpuCode,
} from "../runtime/manifest.ts";
import { expand } from "./autodiff/expand.ts";
import { assertWellFormed } from "./ops/check.ts";
import { printGraph } from "./ir/print.ts";
import { type Block, type Fn, type Graph, rootOf, type Span } from "./ir/types.ts";
import { allEquations, copyBlock, parameterSymbols } from "./ir/walk.ts";
import { lower } from "./kernel/lower.ts";
import type { ProgramOptions } from "./kernel/options.ts";
import { printModule } from "./kernel/print.ts";
import { hoistBounds } from "./passes/bounds.ts";
import { dropRepeatedChecks } from "./passes/checked.ts";
import { computedInSingles } from "./passes/half.ts";
import { hoistInvariants } from "./passes/licm.ts";
import { narrowCarried } from "./passes/narrow.ts";
import { raiseProducts } from "./passes/raise.ts";
import { fuseRows } from "./passes/rows.ts";
import { tidied } from "./passes/tidy.ts";
import { kernelsOf, layoutOf } from "./targets/layout.ts";
import { withoutClearings } from "./readable/clearings.ts";
import { printTypeScript } from "./readable/typescript.ts";
import { type Target, targets } from "./targets/target.ts";

export type { Graph } from "./ir/types.ts";
export type { Argument, Code, GpuCode, Manifest, Tree } from "../runtime/manifest.ts";

export type TargetName = keyof typeof targets;
export const targetNames = Object.keys(targets) as TargetName[];

export function isTarget(name: string | undefined): name is TargetName {
  return name !== undefined && Object.hasOwn(targets, name);
}

/** Targets that answer later: what is no tensor comes as a promise. */
export type DeviceTargetName = "webgpu" | "webgl";
/** Targets whose programs run where they are called. */
export type HostTargetName = Exclude<TargetName, DeviceTargetName>;

export function isOnDevice(name: TargetName): name is DeviceTargetName {
  const { lowering }: Target = targets[name];
  return lowering.grid === true;
}

/** How a program is called, as trees of its parameters, of what it captures, of its result. */
export interface Signature {
  readonly name: string;
  readonly parameters: readonly Argument[];
  readonly captured: readonly Argument[];
  readonly result: Tree;
}

export interface CompilerOptions {
  readonly target: TargetName;
  /** Sums of scalar code may be taken in another order. */
  readonly reassociate?: boolean | undefined;
  /** Positions of parameters whose tensors the program takes over. */
  readonly donateArgnums?: readonly number[] | undefined;
  /** Where a span is, as `file:line`, for faults at run time. */
  readonly place?: ((span: Span) => string) | undefined;
  /** Where a span is, for profiles. Without it, programs ship without what their kernels come from. */
  readonly profile?: ((span: Span) => string) | undefined;
  /** Check the graph after every pass, as the tests do. */
  readonly check?: boolean | undefined;
}

export interface Compiled<T extends TargetName = TargetName> {
  readonly manifest: Manifest;
  readonly code: T extends DeviceTargetName ? Extract<GpuCode, { readonly kind: T }> : Code;
}

/** The text of a stage of `fluxion explain`. */
export const stageNames = [
  "read",
  "grad",
  "simplify",
  "placed",
  "kernels",
  "memory",
  "wat",
  "wgsl",
  "glsl",
  "js",
  "ts",
] as const;
export type StageName = (typeof stageNames)[number];

/** Compiles a graph for a target. */
export async function compile<T extends TargetName>(
  graph: Graph,
  signature: Signature,
  options: CompilerOptions & { readonly target: T },
): Promise<Compiled<T>> {
  const expanded = checked(expand(graph), "grad", options);
  const target: Target = targets[options.target];
  const simplified = checked(simplify(expanded, target), "simplify", options);
  const module = lower(simplified, loweringOf(target, signature, options));
  const emitted = await target.emit(module);
  const { place = () => "", profile } = options;
  const layout = layoutOf(module, emitted, place);
  const kernels = profile === undefined ? undefined : kernelsOf(emitted, profile);
  const named = kernels === undefined ? {} : { kernels };
  const manifest: Manifest = { ...signature, target: options.target, layout, ...named };
  return { manifest, code: emitted.code as Compiled<T>["code"] };
}

function loweringOf(
  { lowering }: Target,
  { parameters, captured }: Signature,
  { reassociate, donateArgnums = [] }: CompilerOptions,
): ProgramOptions {
  const owners = parameters.flatMap(({ tree }, k) => leavesOf(tree).map(() => k));
  const donated = owners.flatMap((owner, leaf) => (donateArgnums.includes(owner) ? [leaf] : []));
  const leaves = [...parameters, ...captured].flatMap(({ tree }) => leavesOf(tree));
  const inMemory = leaves.flatMap(({ as, shape }, k) =>
    lowering.grid === true && as === "tensor" && shape.length === 0 ? [k] : [],
  );
  return { ...lowering, reassociate: reassociate === true, donated, inMemory };
}

/** What a program looks like at a stage, as text. */
export async function explain(
  graph: Graph,
  stage: StageName,
  options: CompilerOptions & { readonly signature: Signature },
): Promise<string> {
  if (stage === "read") return printGraph(graph, { names: true });
  // Loops read better than what stands for them.
  if (stage === "ts") return readable(expand(graph, { raise: false }), options.signature);
  const expanded = expand(graph);
  if (stage === "grad") return printGraph(expanded, { names: true });
  const target: Target = targets[targetOf(stage, options)];
  const simplified = simplify(expanded, target);
  if (stage === "simplify") return printGraph(simplified, { names: true });
  if (stage === "placed") return placedText(rootOf(simplified), options.target);
  const module = lower(simplified, loweringOf(target, options.signature, options));
  switch (stage) {
    case "kernels":
      return printModule(module);
    case "memory":
      return module.memoryText;
    case "wat":
    case "wgsl":
    case "glsl":
    case "js":
      return (await target.emit(module)).text;
  }
}

const languages = { js: "js", wat: "wasm", wgsl: "webgpu", glsl: "webgl" } as const;

/** A stage that is the code of a target shows that target's. */
function targetOf(stage: StageName, { target }: CompilerOptions): TargetName {
  return stage in languages ? languages[stage as keyof typeof languages] : target;
}

/**
 * Each function computed in f32 and f64, tidied, products raised, what is the same in all iterations
 * out of its loops.
 */
function simplify(graph: Graph, { lowering }: Target): Graph {
  const functions = [...computedInSingles(graph).functions].map(([name, fn]) => {
    const narrow = narrowed(tidied(fn));
    const body = raiseProducts(narrow.body, { differentiated: false });
    const hoisted = hoistInvariants(hoistBounds(hoistInvariants(body)));
    const tidy = tidied({ ...fn, body: hoisted });
    const simple = { ...tidy, body: dropRepeatedChecks(tidy.body) };
    // A row at a time is for caches: a grid has a thread for each element.
    return [name, lowering.grid === true ? simple : inRows(simple)] as const;
  });
  return { root: graph.root, functions: new Map(functions) };
}

function inRows(fn: Fn): Fn {
  const body = fuseRows(fn.body);
  return body === fn.body ? fn : tidied({ ...fn, body });
}

/** Numbers that one loop reads the low bits of may be what another one carries. */
function narrowed(fn: Fn): Fn {
  let current = fn;
  for (let loops = 0; loops < mostNarrowings; loops++) {
    const body = narrowCarried(current.body);
    if (body === current.body) break;
    current = tidied({ ...fn, body });
  }
  return current;
}

const mostNarrowings = 6;

/** The program as formatted TypeScript, derivative and all. */
async function readable(graph: Graph, signature: Signature): Promise<string> {
  const functions = [...graph.functions].map(([name, fn]) => {
    const tidy = tidied(fn);
    // The halves of a function have values in common; on the page they are each one's own.
    const body = copyBlock(withoutClearings(tidy.body));
    return [name, tidied({ ...tidy, body })] as const;
  });
  const text = printTypeScript({ ...graph, functions: new Map(functions) }, signature);
  const { format } = await import("prettier");
  return format(text, { parser: "typescript", printWidth: 100 });
}

/** A function that is not `async` is one region: all of it runs on the device. */
function placedText(fn: Fn, target: TargetName): string {
  return `device  @${fn.name}: all of it, on ${target}; nothing in it needs the host\n`;
}

function checked(graph: Graph, stage: string, { check }: CompilerOptions): Graph {
  if (!check) return graph;
  const extents = [...graph.functions.values()].flatMap(({ body }) => extentsOf(body));
  for (const fn of graph.functions.values()) {
    assertWellFormed(fn, stage, fn.name === graph.root ? {} : { extents });
  }
  return graph;
}

/** The extents that a function is given, and those that it binds. */
function extentsOf(body: Block): readonly string[] {
  const bound = [...allEquations(body)].filter(({ op }) => op === "bind");
  return [
    ...parameterSymbols(body),
    ...bound.map(({ parameters }) => String(parameters["symbol"])),
  ];
}
