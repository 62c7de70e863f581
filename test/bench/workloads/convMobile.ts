/**
 * Convolutions of MobileNetV2 at batch 1, forward, with biases and a ReLU that ends at 6: a 3×3 layer,
 * a pointwise one, a depthwise one, and the first blocks after the stem. The output is read back
 * whole; the number to agree on is the sum of its first and its last element.
 *
 * The data is laid out as NCHW; we and TensorFlow.js use NHWC, so it is permuted.
 */

import { type Data, permute, uniform } from "../data.ts";
import type { Workload } from "../harness.ts";
import type { Node } from "../onnx.ts";
import { type JaxArray, jaxArrays, loadJax, loadOnnx, loadTfjs, type TfTensor } from "../peers.ts";
import type { Part } from "../own/convMobile.ts";

interface Shape {
  readonly kind: "full" | "pointwise" | "depthwise";
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  /** With a ReLU that ends at 6. */
  readonly relu: boolean;
  /** The layer whose output is added. */
  readonly residual?: number;
}

const pointwise = (inputs: number, outputs: number, relu: boolean, residual?: number): Shape => ({
  kind: "pointwise",
  inputs,
  outputs,
  stride: 1,
  relu,
  residual,
});
const depthwise = (channels: number, stride = 1): Shape => ({
  kind: "depthwise",
  inputs: channels,
  outputs: channels,
  stride,
  relu: true,
});

interface Net {
  readonly channels: number;
  readonly side: number;
  readonly shapes: readonly Shape[];
}

const nets: Readonly<Record<Part, Net>> = {
  "3x3": {
    channels: 64,
    side: 56,
    shapes: [{ kind: "full", inputs: 64, outputs: 64, stride: 1, relu: true }],
  },
  pointwise: { channels: 32, side: 112, shapes: [pointwise(32, 64, true)] },
  depthwise: { channels: 32, side: 112, shapes: [depthwise(32)] },
  stack: {
    channels: 32,
    side: 112,
    shapes: [
      depthwise(32),
      pointwise(32, 16, false),
      pointwise(16, 96, true),
      depthwise(96, 2),
      pointwise(96, 24, false),
      pointwise(24, 144, true),
      depthwise(144),
      pointwise(144, 24, false, 4),
      pointwise(24, 144, true),
      depthwise(144, 2),
      pointwise(144, 32, false),
    ],
  },
};

interface Layer extends Shape {
  readonly window: number;
  /** Of the output. */
  readonly side: number;
  /** [out, in or 1, window, window] */
  readonly w: Data;
  readonly b: Data;
}

function layersOf({ shapes, side: first }: Net): readonly Layer[] {
  let side = first;
  return shapes.map((shape, k) => {
    const { kind, inputs, outputs, stride } = shape;
    const window = kind === "pointwise" ? 1 : 3;
    const per = kind === "depthwise" ? 1 : inputs;
    const bound = Math.sqrt(3 / (per * window * window));
    side /= stride;
    return {
      ...shape,
      window,
      side,
      w: uniform([outputs, per, window, window], 1 + k, bound),
      b: uniform([outputs], 51 + k, 0.1),
    };
  });
}

const imageOf = ({ channels, side }: Net): Data => uniform([1, channels, side, side], 100);
const imageLast = (net: Net): Data => permute(imageOf(net), [0, 2, 3, 1]);

/** As many outputs as inputs by the stride, for even sides. */
function padding({ window, stride }: Layer): readonly [number, number] {
  if (window === 1) return [0, 0];
  return stride === 1 ? [1, 1] : [0, 1];
}

const parts: readonly Part[] = ["3x3", "pointwise", "depthwise", "stack"];

export const workloads: readonly Workload[] = parts.map((part) => {
  const net = nets[part];
  return {
    name: `conv-mobile-${part}`,
    flops: flopsOf(net),
    systems: {
      "fluxion-wasm": async () => {
        const { infer } = await import("../own/convMobile.ts");
        const layers = layersOf(net).map(({ w, b }) => ({ w: permute(w, [2, 3, 1, 0]), b }));
        return infer(part, imageLast(net), layers);
      },
      "jax-js-wasm": () => jaxStep(net),
      "tfjs-wasm": () => tfjsStep(net),
      "onnxruntime-web": () => onnxStep(net),
    },
  };
});

function flopsOf({ shapes, side: first }: Net): number {
  let side = first;
  return shapes.reduce((sum, { kind, inputs, outputs, stride }) => {
    side /= stride;
    const products = { full: 9 * inputs, pointwise: inputs, depthwise: 9 }[kind];
    return sum + 2 * side * side * outputs * products;
  }, 0);
}

const ends = (y: ArrayLike<number>): number => y[0] + y[y.length - 1];

async function jaxStep(net: Net) {
  const { numpy: np, lax, jit } = await loadJax();
  const layers = layersOf(net);
  const { x } = await jaxArrays({ x: imageOf(net) });
  const weights: JaxArray[] = [];
  for (const { w, b, outputs } of layers) {
    const all = await jaxArrays({ w, b: { data: b.data, shape: [1, outputs, 1, 1] } });
    weights.push(all["w"]!, all["b"]!);
  }
  const run = (image: JaxArray, all: JaxArray[]): JaxArray => {
    let h = image;
    const kept: JaxArray[] = [];
    layers.forEach((layer, k) => {
      const { stride, kind, inputs, residual, relu } = layer;
      const pads = padding(layer) as [number, number];
      const groups = kind === "depthwise" ? { featureGroupCount: inputs } : {};
      h = lax
        .convGeneralDilated(h, all[2 * k]!, [stride, stride], [pads, pads], groups)
        .add(all[2 * k + 1]!);
      if (relu) h = np.clip(h, 0, 6);
      if (residual !== undefined) h = h.add(kept[residual]!);
      if (layers.some((other) => other.residual === k)) kept[k] = h.ref;
    });
    return h;
  };
  const compiled = jit(run as never) as unknown as typeof run;
  return async () => {
    const y = compiled(
      x!.ref,
      weights.map((array) => array.ref),
    );
    return ends((await y.data()) as Float32Array);
  };
}

async function tfjsStep(net: Net) {
  const tf = await loadTfjs();
  type Image = import("@tensorflow/tfjs").Tensor4D;
  const up = ({ data, shape }: Data) => tf.tensor(data, [...shape]);
  const x = up(imageLast(net)) as Image;
  const layers = layersOf(net).map((layer) => ({
    ...layer,
    w: up(permute(layer.w, layer.kind === "depthwise" ? [2, 3, 0, 1] : [2, 3, 1, 0])) as Image,
    b: up(layer.b),
  }));
  const run = (): TfTensor => {
    let h = x;
    const outputs: Image[] = [];
    for (const { kind, w, b, stride, relu, residual } of layers) {
      const convolve = kind === "depthwise" ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
      const activation = relu ? "relu6" : "linear";
      h = convolve({ x: h, filter: w, strides: stride, pad: "same", bias: b, activation });
      if (residual !== undefined) h = tf.add(h, outputs[residual]!);
      outputs.push(h);
    }
    return h;
  };
  return async () => {
    const y = tf.tidy(run);
    const value = ends(await y.data());
    y.dispose();
    return value;
  };
}

async function onnxStep(net: Net) {
  const layers = layersOf(net);
  const nodes: Node[] = [];
  const weights: Record<string, Data> = {
    low: { shape: [], data: Float32Array.of(0) },
    high: { shape: [], data: Float32Array.of(6) },
  };
  const outputs: string[] = [];
  const put = (op: string, inputs: string[], attributes: Node["attributes"] = {}): string => {
    const output = `h${nodes.length}`;
    nodes.push({ op, inputs, output, attributes });
    return output;
  };
  let h = "x";
  layers.forEach((layer, k) => {
    const { window, stride, kind, inputs, relu, residual } = layer;
    weights[`w${k}`] = layer.w;
    weights[`b${k}`] = layer.b;
    const [low, high] = padding(layer);
    h = put("Conv", [h, `w${k}`, `b${k}`], {
      kernel_shape: [window, window],
      strides: [stride, stride],
      pads: [low, low, high, high],
      group: kind === "depthwise" ? inputs : 1,
    });
    if (relu) h = put("Clip", [h, "low", "high"]);
    if (residual !== undefined) h = put("Add", [h, outputs[residual]!]);
    outputs.push(h);
  });
  const last = layers.at(-1)!;
  const x = imageOf(net);
  const run = await loadOnnx(
    {
      nodes,
      weights,
      inputs: { x: x.shape },
      outputs: { [h]: [1, last.outputs, last.side, last.side] },
    },
    [x],
  );
  return async () => ends(await run());
}
