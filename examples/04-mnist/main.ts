/** Trains a network on all of MNIST, in Node: `npm start`, `npm start -- --model cnn`. */

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import { device, type DeviceReport, onReady, useThreads } from "fluxion";
import * as cnn from "./cnn.ts";
import { loadDigits } from "./data.ts";
import * as mlp from "./mlp.ts";
import { whole } from "./options.ts";
import { confusionTable, drawDigits } from "./show.ts";
import { accuracyOf, classifyAll, type Digits, firstDigits, type Model, train } from "./train.ts";

const help = `Trains a network on MNIST and shows what it learned.

  npm start -- [options]

  --model mlp|cnn   the network; default mlp
  --epochs N        passes over the 60,000 images; default 5 (mlp), 3 (cnn)
  --batch N         images a step; default 128 (mlp), 64 (cnn)
  --limit N         use the first N training images only
  --seed N          of the initial weights and the order of images; default 1
  --target NAME     where it runs: wasm (the default), js, webgpu, webgl, or auto, which starts on
                    wasm and goes on on the best device that there is
  --threads N       threads that share the work; default: as many as the machine runs at once
  --help            this text`;

interface Options {
  readonly model: "mlp" | "cnn";
  readonly epochs: number;
  readonly batch: number;
  readonly limit: number;
  readonly seed: number;
  readonly threads: number;
}

process.on("SIGINT", () => {
  process.stdout.write("\x1b[?25h\nStopped.\n");
  process.exit(130);
});

const options = readOptions(process.argv.slice(2));
/** What `fluxion run` compiled this program for. */
const { FLUXION_TARGET: target = "wasm" } = process.env;
const isOnWasm = target === "wasm" || target === "auto";
const threads = isOnWasm ? await useThreads(options.threads) : 1;
let isTraining = true;
if (target === "auto") onReady(sayDevice);
if (options.model === "cnn") await run(cnn, options);
else await run(mlp, options);

async function run<P, S>(model: Model<P, S>, options: Options): Promise<void> {
  const digits = firstDigits(await loadDigits("train"), options.limit);
  const test = await loadDigits("test");
  const count = digits.labels.length;
  const shared = threads === 1 ? "" : `, ${threads} threads`;
  const batches = `batches of ${options.batch}`;
  console.log(`${options.model} on ${count} digits, ${batches}, ${target}${shared}`);

  const bar = new SingleBar(
    {
      format: "epoch {epoch}  {bar}  {value}/{total}  loss {loss}  {speed} images/s",
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  let params: P | undefined;
  let busy = 0;
  let mark = performance.now();
  bar.start(count, 0, { epoch: 1, loss: "", speed: "" });
  for await (const progress of train(model, digits, options)) {
    ({ params } = progress);
    const { epoch, done } = progress;
    busy += performance.now() - mark;
    const loss = progress.loss.toFixed(4);
    const images = (epoch - 1) * count + done;
    const speed = Math.round((images / busy) * 1000);
    bar.update(done, { epoch, loss, speed });
    if (done === count) {
      bar.stop();
      const seen = await classifyAll(model, params, test);
      const accuracy = (100 * accuracyOf(seen, test.labels)).toFixed(2);
      console.log(`epoch ${epoch}: loss ${loss}, test accuracy ${accuracy} %, ${speed} images/s`);
      if (epoch < options.epochs) bar.start(count, 0, { epoch: epoch + 1, loss: "", speed });
    } else {
      await new Promise(setImmediate);
    }
    mark = performance.now();
  }
  isTraining = false;
  if (params !== undefined) await report(model, params, test, busy);
}

/** What training goes on on. The bar draws itself again below. */
function sayDevice({ inUse, others }: DeviceReport): void {
  if (!isTraining) return;
  const reasons = others.map(({ target: other, why }) => `not on ${other}: ${why}`);
  const text = [`training goes on on ${inUse}`, ...(inUse === "wasm" ? reasons : [])].join("; ");
  process.stdout.write(`${process.stdout.isTTY ? "\r\x1b[K" : ""}${text}\n`);
}

async function report<P, S>(
  model: Model<P, S>,
  params: P,
  test: Digits,
  busy: number,
): Promise<void> {
  const seen = await classifyAll(model, params, test);
  console.log(`\n${confusionTable(seen, test.labels)}\n`);
  const wrong = Array.from(seen.keys()).filter((k) => seen[k] !== test.labels[k]);
  const shown = [0, 1, ...wrong.slice(0, 1)];
  console.log(
    drawDigits(
      shown.map((k) => test.images.subarray(k * 784, (k + 1) * 784)),
      shown.map((k) => {
        const [is, was] = [test.labels[k], seen[k]];
        return is === was ? `seen as ${was}` : `seen as ${was}, is ${is}`;
      }),
    ),
  );
  const accuracy = (100 * accuracyOf(seen, test.labels)).toFixed(2);
  const where = target === "auto" ? `, at the end on ${device().inUse}` : "";
  console.log(`\ntest accuracy ${accuracy} %, ${(busy / 1000).toFixed(1)} s of training${where}`);
}

/** The options, or an explanation and exit code 2. */
function readOptions(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        model: { type: "string", default: "mlp" },
        epochs: { type: "string" },
        batch: { type: "string" },
        limit: { type: "string", default: "60000" },
        seed: { type: "string", default: "1" },
        threads: { type: "string", default: String(availableParallelism()) },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const { model } = values;
    if (model !== "mlp" && model !== "cnn") {
      throw new Error(`--model is mlp or cnn, not ${model}`);
    }
    return {
      model,
      epochs: whole("--epochs", values.epochs ?? (model === "cnn" ? "3" : "5"), 1),
      batch: whole("--batch", values.batch ?? (model === "cnn" ? "64" : "128"), 1),
      limit: Math.min(60000, whole("--limit", values.limit, 1)),
      seed: whole("--seed", values.seed, 0),
      threads: whole("--threads", values.threads, 1),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(2);
  }
}
