/** `fluxion explain`: a stage of the compilation of a root, as text. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { explain as explainStage, type StageName, stageNames } from "../../compiler/compile.ts";
import { Unreadable } from "../../compiler/readable/writing.ts";
import { faultOf, placeOf, type Root, readFile, settingsFor, type TargetName } from "../plan.ts";
import { ProjectCache } from "../project.ts";
import { hasErrors, reportText } from "../report.ts";
import { spanOf } from "../span.ts";
import { placedText, splitText } from "../extract/print.ts";
import type { World } from "../read/world.ts";
import { UserError } from "./userError.ts";

export async function explain(
  place: string,
  options: { readonly stage: StageName | "split"; readonly target?: TargetName },
): Promise<void> {
  const [, path = place, name] = /^(.*?\.[cm]?tsx?)(?::(\w+))?$/.exec(place) ?? [];
  const file = resolve(path);
  if (!existsSync(file)) throw new UserError(`fluxion: there is no file ${path}`);
  const { stage } = options;
  const { world, program: own } = new ProjectCache().projectOf(file);
  const source = own.getSourceFile(file);
  if (source === undefined) throw new UserError(`fluxion: ${path} is in no program`);
  const { roots, diagnostics } = readFile(world, source, options);
  if (diagnostics.length > 0) {
    process.stderr.write(`${reportText(diagnostics, process.stderr.isTTY === true)}\n`);
  }
  const chosen = name === undefined ? roots : roots.filter((root) => isCalled(root, name));
  if (chosen.length === 0) {
    if (hasErrors(diagnostics)) throw new UserError("");
    const names = roots.map((root) => root.name).join(", ") || "none";
    throw new UserError(
      name === undefined
        ? `fluxion: ${path} has no roots of its own; explain the file that calls \`compile\`, \`grad\` or another transform`
        : `fluxion: ${path} has no root called ${name}; it has ${names}`,
    );
  }
  for (const root of chosen) {
    if (isExtractionStage(stage) && (root.extraction !== undefined || stage === "split")) {
      process.stdout.write(
        `// ${root.name} (${root.transform}), ${stage}\n${extractionText(root, stage, world)}\n`,
      );
      continue;
    }
    for (const program of root.programs) {
      const { graph, signature } = program;
      const { target } = root.settings;
      // What starts on wasm is shown there; a stage that is the code of a device shows that.
      const shown = target === "auto" ? "wasm" : target;
      const options = { ...settingsFor(root, program), target: shown, place: placeOf, signature };
      const text = await explainStage(graph, stage, options).catch((error: unknown) => {
        if (!(error instanceof Unreadable)) {
          const fault = faultOf(error, spanOf(root.node), signature.name, root.settings.target);
          throw new UserError(reportText([fault], process.stderr.isTTY === true));
        }
        const why = `TypeScript has no words for ${error.message}`;
        throw new UserError(`fluxion: ${root.name} cannot be printed: ${why}`);
      });
      const called = root.extraction === undefined ? root.name : signature.name;
      process.stdout.write(`// ${called} (${root.transform}), ${stage}\n${text.trimEnd()}\n\n`);
    }
  }
  if (hasErrors(diagnostics)) throw new UserError("");
}

/** All stages; an asynchronous root has one more, the two sides that it is divided into. */
export const explainStages: readonly (StageName | "split")[] = stageNames.flatMap((name) =>
  name === "placed" ? [name, "split" as const] : [name],
);

/** Stages of what is divided between the host and a device. */
const extractionStages = ["placed", "split"] as const;
type ExtractionStage = (typeof extractionStages)[number];

function isExtractionStage(stage: string): stage is ExtractionStage {
  return extractionStages.some((name) => name === stage);
}

function extractionText({ extraction, name }: Root, stage: ExtractionStage, world: World): string {
  if (extraction === undefined)
    return `all of ${name} is one program: it is no asynchronous function\n`;
  const { placement, options } = extraction;
  if (stage === "placed") return placedText(placement);
  return splitText(world, placement, options);
}

/** By the name of the root, or of the function in it. */
function isCalled(root: Root, name: string): boolean {
  const [first] = root.node.arguments;
  return root.name === name || first?.getText() === name;
}
