/** The command `fluxion`. */

import { Command, Option } from "commander";
import { targetNames } from "../../compiler/compile.ts";
import { rootTargetNames } from "../ship.ts";
import { build } from "./build.ts";
import { check } from "./check.ts";
import { explain, explainStages } from "./explain.ts";
import { run } from "./run.ts";
import { UserError } from "./userError.ts";

const targetOf = (names: readonly string[]): Option =>
  new Option("--target <target>", "for roots that name none; wasm where absent").choices(names);
const target = targetOf(rootTargetNames);

const program = new Command("fluxion")
  .description("Compiles, runs and explains programs written in differentiable TypeScript.")
  .showHelpAfterError("(fluxion --help says more)")
  .enablePositionalOptions()
  .addHelpText(
    "after",
    `
Examples:
  fluxion run main.ts                         compile a program and run it
  fluxion check                               all errors of the project
  fluxion explain loss.ts:loss --stage grad   the derivative of a function, as the compiler sees it`,
  );

program
  .command("run")
  .description("type-check, compile and run a program under Node")
  .argument("<file>", "the TypeScript file to run")
  .argument("[args...]", "passed to the program")
  .addOption(target)
  .option("--no-check", "do not type-check")
  .passThroughOptions()
  .action(run);

program
  .command("check")
  .description("print all errors and warnings; exit with 1 on errors")
  .option("-p, --project <tsconfig>", "the project", "tsconfig.json")
  .action(check);

program
  .command("build")
  .description("emit JavaScript with programs in it, and declarations")
  .option("-p, --project <tsconfig>", "the project", "tsconfig.json")
  .addOption(target)
  .option("--profile", "ship the profiler, and the lines that kernels come from")
  .action(build);

program
  .command("explain")
  .description("print what the compiler makes of the roots of a file")
  .argument("<file[:function]>", "a TypeScript file, and the root in it")
  .addOption(new Option("--stage <stage>", "what to print").choices(explainStages).default("read"))
  .addOption(targetOf(targetNames))
  .action(explain);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  if (error.message !== "") process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
