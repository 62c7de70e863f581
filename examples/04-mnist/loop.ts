/** Trains the multilayer perceptron by `fit`: `npx fluxion run examples/04-mnist/loop.ts`. */

import { parseArgs } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import { save } from "./checkpoint.ts";
import { loadDigits } from "./data.ts";
import { fit } from "./mlp.ts";
import { whole } from "./options.ts";
import { firstDigits } from "./train.ts";

const help = `Trains a network on MNIST, by one function that is compiled in parts.

  npx fluxion run examples/04-mnist/loop.ts [options]

  --epochs N      passes over the images; default 5
  --batch N       images a step; default 128
  --limit N       use the first N training images only
  --patience N    stop after N epochs that are not better; default 2
  --seed N        of the initial weights and the order of images; default 1
  --file FILE     where the best parameters go (safetensors); nowhere if absent
  --help          this text`;

process.on("SIGINT", () => {
  process.stdout.write("\x1b[?25h\nStopped.\n");
  process.exit(130);
});

const { file, limit, ...options } = readOptions(process.argv.slice(2));
const digits = firstDigits(await loadDigits("train"), limit);
const count = digits.labels.length;
const bar = new SingleBar(
  {
    format: "epoch {epoch}  {bar}  {value}/{total}  loss {loss}",
    hideCursor: true,
    clearOnComplete: true,
  },
  Presets.shades_classic,
);
const { accuracy } = await fit(digits, await loadDigits("test"), options, {
  begin: (epoch) => bar.start(count, 0, { epoch, loss: "" }),
  batch: (done, loss) => bar.update(done, { loss: loss.toFixed(4) }),
  end: (epoch, loss, now) => {
    bar.stop();
    const percent = (100 * now).toFixed(2);
    console.log(`epoch ${epoch}: loss ${loss.toFixed(4)}, test accuracy ${percent} %`);
  },
  better: async (params) => {
    if (file !== undefined) await save(file, params);
  },
});
const where = file === undefined ? "" : `, in ${file}`;
console.log(`best test accuracy ${(100 * accuracy).toFixed(2)} %${where}`);

/** The options, or an explanation and exit code 2. */
function readOptions(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        epochs: { type: "string", default: "5" },
        batch: { type: "string", default: "128" },
        limit: { type: "string", default: "60000" },
        patience: { type: "string", default: "2" },
        seed: { type: "string", default: "1" },
        file: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    return {
      epochs: whole("--epochs", values.epochs, 1),
      batch: whole("--batch", values.batch, 1),
      limit: Math.min(60000, whole("--limit", values.limit, 1)),
      patience: whole("--patience", values.patience, 1),
      seed: whole("--seed", values.seed, 0),
      file: values.file,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(2);
  }
}
