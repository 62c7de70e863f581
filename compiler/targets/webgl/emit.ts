/**
 * A module of the loop IR for WebGL 2: fragment programs for what gathers (`gather.ts`), and
 * JavaScript for the rest, and for what the host does.
 */

import { firstParameter, windowWords } from "../../../runtime/gpu/launches.ts";
import type { WebglForm } from "../../../runtime/manifest.ts";
import {
  add,
  constant,
  type Expr,
  load,
  type Local,
  local,
  type LoopFunction,
  type LoopModule,
  loop,
  read,
  set,
  type Statement,
  store,
} from "../../kernel/loop.ts";
import { mapOperands } from "../../kernel/rewrite.ts";
import { calledIn, compact } from "../gpu/compact.ts";
import { type Functions, writes } from "../gpu/inline.ts";
import { sharedText } from "../gpu/shaderText.ts";
import {
  type DeviceProgram,
  type Entry,
  type LaunchSite,
  reached,
  splitProgram,
  withLaunches,
} from "../gpu/split.ts";
import { hostText, importsOf, wordsText } from "../js/emit.ts";
import type { Emitted, WebglCode } from "../target.ts";
import { type Gathering, gatheringOf } from "./gather.ts";
import { type Cells, glsl, GlslText } from "./glsl.ts";
import { liftedText, type Quads, quadsOf } from "./quads.ts";

/** One of the texts of an entry. */
interface Form {
  readonly text: string;
  /** Of one that does four threads at a time. */
  readonly quads?: Quads;
}

/** What the runtime provides to the host's part. */
const provided = ["launch", "allocate", "release", "fault", "hand_over"];

export function emitWebgl(module: LoopModule): Promise<Emitted<WebglCode>> {
  const program = splitProgram(module);
  const functions = new Map(program.functions.map((fn) => [fn.name, fn]));
  const cells: Cells = { base: local("cells", "i32"), numbers: program.cells };
  const gathered = program.entries.map((entry) => gatheringOf(entry, functions, cells));
  const cellsBase = add(read(module.constantsBase), constant(module.constants.length));
  const host = hostText(
    withFirsts(program, gathered, cells.base, cellsBase),
    module.constantsBase,
    provided,
  );
  const used = new Set<string>();
  const lifted = new Set<string>();
  // The forms of an entry, the better one first
  const forms = program.entries.map((entry, k): readonly Form[] => {
    const gathering = gathered[k];
    if (gathering === undefined) return [];
    const canFail = module.sites.length > 0;
    const quads = quadsOf(entry, gathering, cells, canFail);
    for (const found of quads) {
      for (const name of found.used) used.add(name);
      for (const name of found.lifted) lifted.add(name);
    }
    const vectors = quads.map((found): Form => ({ text: found.text, quads: found }));
    if (quads.some(({ fours }) => fours.length === 0)) return vectors;
    return [...vectors, { text: new GlslText(used).thread(entry, gathering, cells, canFail) }];
  });
  const threads = forms.flat().flatMap(({ text, quads }) => [text, quads?.rows?.text ?? ""]);
  const own = program.functions
    .filter(({ body }) => !writes(body, functions))
    .filter(({ name }) => threads.some((text) => text.includes(`k_${name}(`)))
    .map((fn) => new GlslText(used).text(fn));
  const shared = [...sharedText(glsl, used), ...[...lifted].map(liftedText), ...own];
  const texts = compact([...shared, ...threads]);
  const shipped = texts.slice(0, shared.length);
  const ofThreads = texts.slice(shared.length);
  const entries = program.entries.map((entry, k): WebglCode["entries"][number] => {
    const { parameters, part } = entry;
    if (parameters.length > windowWords - firstParameter) {
      throw new Error(`a kernel has ${parameters.length} parameters`);
    }
    const types =
      (part === undefined ? "1" : "n") +
      parameters.map(({ type }) => (type === "i32" ? "i" : "f")).join("");
    const gathering = gathered[k];
    if (gathering === undefined) {
      return { types, host: wordsText(onHost(entry, functions, cells), module.constantsBase) };
    }
    const { sites, isDirect, mayFail } = gathering;
    const inOrder = (forms[k] as readonly Form[]).map((form): WebglForm => {
      const [text = "", rowText = ""] = ofThreads.splice(0, 2);
      const uses = calledIn(text, shipped, glsl);
      const found = { text, uses };
      if (form.quads === undefined) return found;
      const { aligned, fours, rows } = form.quads;
      const numbers = (of: readonly Local[]): readonly number[] =>
        of.map((each) => parameters.indexOf(each)).filter((at) => at >= 0);
      const neighbours =
        typeof rows?.neighbours === "object" ? numbers([rows.neighbours]) : rows?.neighbours;
      return {
        ...found,
        aligned: numbers(aligned),
        ...(fours.length > 0 ? { fours: numbers(fours) } : {}),
        ...(neighbours === undefined ? {} : { rows: { neighbours, text: rowText } }),
      };
    });
    return { types, forms: inOrder, sites: sites.length, isDirect, mayFail };
  });
  const hosts = entries.flatMap((entry) => ("host" in entry ? [entry.host as string] : []));
  const whole = [...shared, ...threads.filter((text) => text !== "")].join("\n\n");
  return Promise.resolve({
    code: {
      kind: "webgl",
      host,
      functions: shipped,
      entries,
      launches: program.launches.map(({ entry }) => entry),
      cells: program.cells.size,
    },
    text: `${whole}\n\n/*\n${[...hosts, host].join("\n\n")}\n*/\n`,
    imports: importsOf([host, ...hosts].join("\n")),
    constants: module.constants,
    launches: program.launches.map(({ origin }) => origin),
  });
}

/** The host's part, which also says where direct stores of an entry begin. */
function withFirsts(
  program: DeviceProgram,
  gathered: readonly (Gathering | undefined)[],
  cells: Local,
  cellsBase: Expr,
): LoopFunction {
  const { host, entries, launches } = program;
  const body = withLaunches(host.body, (site, operands) => {
    const number = (launches[site] as LaunchSite).entry;
    const gathering = gathered[number];
    if (gathering?.isDirect !== true) return operands;
    const [, , ...given] = operands;
    const { parameters } = entries[number] as Entry;
    const values = new Map<Local, Expr>(parameters.map((of, k) => [of, given[k] as Expr]));
    values.set(cells, cellsBase);
    const inside = (expr: Expr): Expr =>
      expr.kind === "local" ? (values.get(expr.local) ?? expr) : mapOperands(expr, inside);
    return [...operands, ...gathering.sites.map(({ first }) => inside(first as Expr))];
  });
  return { ...host, body };
}

/** An entry that the processor does, with what it calls: `entry(threads, cells, …parameters)`. */
function onHost(entry: Entry, functions: Functions, cells: Cells): readonly LoopFunction[] {
  const { parameters, loads, stores, body, part, comment } = entry;
  const threads = local("threads", "i32");
  const typeOf = (of: Local) => (of.type === "i32" ? "i32" : "f32");
  const place = (of: Local): Expr => constant(cells.numbers.get(of) as number);
  const before = loads.map((of) => set(of, load(read(cells.base), place(of), typeOf(of))));
  const after = stores.map((of) => store(read(cells.base), place(of), typeOf(of), read(of)));
  const inside: readonly Statement[] =
    part === undefined
      ? [...before, ...body, ...after]
      : [...before, loop(part, read(threads), [...body, ...after])];
  return [
    ...reached(body, functions),
    {
      name: "entry",
      comment,
      parameters: [threads, cells.base, ...parameters],
      body: inside,
      results: [],
      resultTypes: [],
    },
  ];
}
