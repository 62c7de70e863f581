/** The plugin for bundlers: compiles the roots of each module as it is transformed. */

import { createUnplugin, type UnpluginInstance } from "unplugin";
import { compile } from "../compiler/compile.ts";
import { applyPlan, mayHaveRoots, plan, type TargetName } from "./plan.ts";
import { ProjectCache } from "./project.ts";
import { hasErrors, reportText } from "./report.ts";

export interface PluginOptions {
  /** For roots that do not say it; "wasm" where absent. */
  readonly target?: TargetName;
  /**
   * Ship the profiler, and what kernels compute and the lines that they come from, as `profile` of
   * functions needs them. By default what Vite serves in development has them, and no build has.
   */
  readonly profile?: boolean;
  readonly tsconfig?: string;
  /** Where `fluxion` and `fluxion/…` are found, where they are not installed. */
  readonly paths?: Readonly<Record<string, string[]>>;
}

export const unplugin: UnpluginInstance<PluginOptions | undefined, boolean> = createUnplugin<
  PluginOptions | undefined
>((options: PluginOptions | undefined = {}) => {
  const { target, tsconfig, paths } = options;
  let profile = options.profile === true;
  const projects = new ProjectCache({ tsconfig, paths });
  return {
    name: "fluxion",
    enforce: "pre",
    vite: {
      configResolved({ command }) {
        profile = options.profile ?? command === "serve";
      },
    },
    watchChange(id) {
      projects.changed(cleanId(id));
    },
    transformInclude: (id) => isSource(cleanId(id)),
    async transform(code, id) {
      if (!mayHaveRoots(code)) return null;
      const file = cleanId(id);
      const { world, program } = projects.projectOf(file, code);
      const sourceFile = program.getSourceFile(file);
      if (sourceFile === undefined) return null;
      const planned = await plan(world, sourceFile, {
        compile,
        profile,
        ...(target === undefined ? {} : { target }),
      });
      for (const dependency of planned.dependencies) this.addWatchFile(dependency);
      if (planned.diagnostics.length > 0) {
        const text = reportText(planned.diagnostics, false);
        if (hasErrors(planned.diagnostics)) this.error(plainError(text));
        else this.warn(text);
      }
      if (planned.edits.length === 0) return null;
      const { code: changed, map } = applyPlan(planned);
      return { code: changed, map };
    },
  };
});

/** The message alone: where the plugin was when it found the error helps nobody. */
function plainError(text: string): Error {
  return Object.assign(new Error(text), { name: "fluxion", stack: "" });
}

function isSource(file: string): boolean {
  return /\.[cm]?tsx?$/.test(file) && !file.endsWith(".d.ts") && !file.includes("/node_modules/");
}

/** A module's file, without what bundlers hang on to it. */
function cleanId(id: string): string {
  return id.replace(/[?#].*$/, "");
}
