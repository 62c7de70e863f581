/**
 * Models for ONNX Runtime, as bytes. The fields are those of `onnx.proto3` that are needed for nodes
 * with attributes, weights, and inputs and outputs of known shapes.
 */

import protobuf from "protobufjs";
import type { Data } from "./data.ts";

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Attribute {
    string name = 1;
    optional float f = 2;
    optional int64 i = 3;
    bytes s = 4;
    repeated int64 ints = 8;
    int32 type = 20;
  }
  message Node {
    repeated string input = 1;
    repeated string output = 2;
    string op_type = 4;
    repeated Attribute attribute = 5;
  }
  message Weights {
    repeated int64 dims = 1;
    int32 data_type = 2;
    string name = 8;
    bytes raw_data = 9;
  }
  message Dimension { int64 dim_value = 1; }
  message Shape { repeated Dimension dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Type { TensorType tensor_type = 1; }
  message Value { string name = 1; Type type = 2; }
  message Graph {
    repeated Node node = 1;
    string name = 2;
    repeated Weights initializer = 5;
    repeated Value input = 11;
    repeated Value output = 12;
  }
  message Opset { int64 version = 2; }
  message Model { int64 ir_version = 1; Graph graph = 7; repeated Opset opset_import = 8; }
`);
const modelType = root.lookupType("Model");

const float = 1;

type Attribute = number | string | readonly number[] | { readonly f: number };

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface Model {
  readonly nodes: readonly Node[];
  readonly weights?: Readonly<Record<string, Data>>;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

/** The bytes of a model of f32 tensors. A number is an integer attribute, `{ f }` a float. */
export function onnxBytes({ nodes, weights = {}, inputs, outputs }: Model): Uint8Array {
  const graph = {
    name: "graph",
    node: nodes.map(({ op, inputs: input, output, attributes = {} }) => ({
      input,
      output: [output],
      opType: op,
      attribute: Object.entries(attributes).map(([name, value]) => ({ name, ...encoded(value) })),
    })),
    initializer: Object.entries(weights).map(([name, { shape, data }]) => ({
      name,
      dims: shape,
      dataType: float,
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
    input: Object.entries(inputs).map(described),
    output: Object.entries(outputs).map(described),
  };
  const model = { irVersion: 9, graph, opsetImport: [{ version: 20 }] };
  return modelType.encode(modelType.fromObject(model)).finish();
}

/** The fields of a value and the number of its type. */
function encoded(value: Attribute): object {
  if (typeof value === "number") return { i: value, type: 2 };
  if (typeof value === "string") return { s: new TextEncoder().encode(value), type: 3 };
  if ("f" in value) return { f: value.f, type: 1 };
  return { ints: value, type: 7 };
}

function described([name, shape]: readonly [string, readonly number[]]): object {
  const dim = shape.map((extent) => ({ dimValue: extent }));
  return { name, type: { tensorType: { elemType: float, shape: { dim } } } };
}
