/** The page: trains the perceptron on the digits that the build put beside it. */

import { lossChart } from "./chart.ts";
import * as mlp from "./mlp.ts";
import {
  accuracyOf,
  classifyAll,
  type Digits,
  firstDigits,
  type Model,
  type Progress,
  train,
} from "./train.ts";

const options = { epochs: 4, batch: 64, seed: 1 };
const shown = 24;
/** Milliseconds of training between two frames. */
const slice = 24;

const button = element("train", HTMLButtonElement);
const device = element("device", HTMLSelectElement);
const bar = element("progress", HTMLProgressElement);
const status = element("status", HTMLElement);
const chart = lossChart(document.querySelector<SVGSVGElement>("#chart") ?? missing("chart"));

const [digits, test] = await Promise.all([fetchDigits("train"), fetchDigits("test")]);
const captions = showDigits(firstDigits(test, shown));
element("epochs", HTMLElement).replaceChildren(
  ...Array.from({ length: options.epochs }, (_, k) => span(`epoch ${k + 1}`)),
);
chart.reset(batchesOf(digits), options.epochs);
say(`${digits.labels.length.toLocaleString("en")} digits are ready.`);

offer("webgpu", await hasWebgpu());
offer("webgl", hasWebgl());
let running: AbortController | undefined;
button.disabled = false;
button.addEventListener("click", () => {
  if (running === undefined) void run();
  else running.abort();
});

async function run(): Promise<void> {
  running = new AbortController();
  const { signal } = running;
  const target = device.value as keyof typeof mlp.models;
  const model = mlp.models[target]();
  device.disabled = true;
  button.textContent = "Stop";
  document.body.dataset["state"] = "training";
  for (const id of ["accuracy", "loss", "speed"]) write(id, "–");
  captions.forEach((caption) => caption(undefined));
  say("Training …");
  chart.reset(batchesOf(digits), options.epochs);
  const started = performance.now();
  let frame = started;
  for await (const progress of train(model, digits, options)) {
    chart.add(progress.batchLoss);
    const now = performance.now();
    const whole = progress.done === digits.labels.length;
    if (!whole && now - frame < slice) continue;
    showProgress(progress, now - started);
    if (whole) await showAccuracy(model, progress);
    await new Promise((next) => setTimeout(next));
    frame = performance.now();
    if (signal.aborted) break;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(signal.aborted ? "Stopped." : `Trained in ${seconds} s.`);
  button.textContent = "Train again";
  device.disabled = false;
  document.body.dataset["state"] = signal.aborted ? "stopped" : "trained";
  running = undefined;
}

/** Makes a device one that can be chosen where the browser has it. */
function offer(target: "webgpu" | "webgl", isThere: boolean): void {
  const option = element(target, HTMLOptionElement);
  option.disabled = !isThere;
  if (!isThere) option.textContent += ", which this browser lacks";
}

async function hasWebgpu(): Promise<boolean> {
  const { gpu } = navigator as { readonly gpu?: GPU };
  return ((await gpu?.requestAdapter()) ?? null) !== null;
}

function hasWebgl(): boolean {
  const context = document.createElement("canvas").getContext("webgl2");
  // Browsers keep a few contexts only.
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== null;
}

function showProgress(progress: Progress<mlp.Params>, milliseconds: number): void {
  const count = digits.labels.length;
  const images = (progress.epoch - 1) * count + progress.done;
  bar.value = images / (count * options.epochs);
  write("loss", progress.loss.toFixed(3));
  write("speed", Math.round((images / milliseconds) * 1000).toLocaleString("en"));
  chart.draw();
}

async function showAccuracy<S>(
  model: Model<mlp.Params, S>,
  { epoch, params }: Progress<mlp.Params>,
): Promise<void> {
  const seen = await classifyAll(model, params, test);
  const accuracy = `${(100 * accuracyOf(seen, test.labels)).toFixed(1)} %`;
  write("accuracy", accuracy);
  say(`${epoch} of ${options.epochs} epochs done.`);
  captions.forEach((caption, k) => caption(seen[k]));
}

/** Pictures of digits; gives for each what writes under it as what it was seen. */
function showDigits({ images, labels }: Digits): readonly ((seen: number | undefined) => void)[] {
  const list = element("digits", HTMLUListElement);
  return Array.from(labels, (label, k) => {
    const item = document.createElement("li");
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 28;
    const pixels = new ImageData(28, 28);
    // Black, as opaque as the pixel is bright.
    images.subarray(k * 784, (k + 1) * 784).forEach((ink, at) => (pixels.data[4 * at + 3] = ink));
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `a handwritten ${label}`);
    const text = span("");
    item.append(canvas, text);
    list.append(item);
    return (seen) => {
      const wrong = seen !== undefined && seen !== label;
      item.classList.toggle("wrong", wrong);
      text.textContent = seen === undefined ? "" : wrong ? `${seen}, is ${label}` : `${seen}`;
    };
  });
}

/** Files of `count` labels, then `count` images: 785 bytes a digit. */
async function fetchDigits(part: "train" | "test"): Promise<Digits> {
  const response = await fetch(`./${part}.digits`);
  if (!response.ok) {
    say(`The digits could not be loaded (${response.status}).`);
    throw new Error(`${response.url}: ${response.status}`);
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  const count = bytes.length / 785;
  return { labels: bytes.subarray(0, count), images: bytes.subarray(count) };
}

function batchesOf({ labels }: Digits): number {
  return options.epochs * Math.ceil(labels.length / options.batch);
}

function say(text: string): void {
  status.textContent = text;
}

function write(id: string, text: string): void {
  element(id, HTMLElement).textContent = text;
}

function span(text: string): HTMLSpanElement {
  const made = document.createElement("span");
  made.textContent = text;
  return made;
}

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.querySelector(`#${id}`);
  return found instanceof kind ? found : missing(id);
}

function missing(id: string): never {
  throw new Error(`the page has no #${id}`);
}
