/** Tensors: their members, and the functions of the language on them. */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { RelatedPlace } from "../../../compiler/diagnostics/diagnostic.ts";
import { shapeText } from "../../../compiler/ir/dim.ts";
import { isFloat, type Value } from "../../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../../compiler/ops/builder.ts";
import { TypeFault } from "../../../compiler/ops/define.ts";
import { invoke } from "../expressions/calls.ts";
import { dimValue, toDtype } from "../numbers.ts";
import { entriesOf, itemsOf, newList, newRecord, toDense } from "../objects.ts";
import type { SurfaceArgument } from "../../../lang/surface/support.ts";
import type { Reader } from "../reader.ts";
import {
  fixed,
  type NativeCall,
  type NativeValue,
  type ReaderValue,
  scalar,
  type TensorValue,
} from "../values.ts";

const hostMembers = ["data", "dataSync", "toArray"];

export function tensorMember(
  reader: Reader,
  tensor: TensorValue,
  name: string,
  node: ts.Node,
): ReaderValue | undefined {
  const { dtype, shape } = tensor.value.type;
  switch (name) {
    case "shape":
      return newList(reader, shape.map(dimValue));
    case "rank":
      return fixed(shape.length);
    case "dtype":
      return fixed(dtype);
    case "item":
      return {
        kind: "native",
        name,
        call: (inner, call) => {
          const one = inner.at(call.node).reshape(tensor.value, []);
          return scalar(inner.at(call.node).cast(one, dtype === "bool" ? "bool" : "f64"));
        },
      };
    default:
  }
  if (hostMembers.includes(name)) {
    return reader.fail(messages.hostCall({ name: `.${name}` }, reader.span(node)));
  }
  const callee = surfaceFunction(reader, name);
  if (callee === undefined) return undefined;
  return {
    kind: "native",
    name,
    call: (inner, call) =>
      callSurface(inner, name, { ...call, arguments: [tensor, ...call.arguments] }),
  };
}

/** A function of the surface, where there is one of this name. */
export function surfaceFunction(reader: Reader, name: string): NativeValue | undefined {
  if (!Object.hasOwn(reader.surface, name)) return undefined;
  return { kind: "native", name, call: (inner, call) => callSurface(inner, name, call) };
}

function callSurface(reader: Reader, name: string, call: NativeCall): ReaderValue {
  const { node } = call;
  const apply = reader.surface[name];
  if (apply === undefined) throw new Error(`the surface has no ${name}`);
  const args = call.arguments.map((arg) => toSurface(reader, arg, call));
  try {
    return fromSurface(reader, apply(reader.at(node), args));
  } catch (error) {
    if (!(error instanceof TypeFault)) throw error;
    reader.noteDiffering(error);
    const hint = (error as { readonly hint?: string }).hint;
    const operands = (error as { readonly operands?: readonly number[] }).operands ?? [];
    const diagnostic = messages.shapeFault(
      { sentence: error.message },
      reader.span(node),
      relatedPlaces(call.arguments, operands),
    );
    return reader.fail(hint === undefined ? diagnostic : { ...diagnostic, hint });
  }
}

/** Where the clashing arguments were made, and their shapes. */
function relatedPlaces(
  args: readonly ReaderValue[],
  operands: readonly number[],
): readonly RelatedPlace[] {
  return operands.flatMap((position) => {
    const arg = args[position];
    if (arg?.kind !== "tensor" || arg.origin === undefined) return [];
    const shape = shapeText(arg.value.type.shape).replaceAll(",", ", ");
    const { name, span } = arg.origin;
    return [{ message: `\`${name}\` has shape ${shape} here`, span }];
  });
}

function toSurface(reader: Reader, value: ReaderValue, call: NativeCall): SurfaceArgument {
  const { node } = call;
  switch (value.kind) {
    case "static":
      return value.value;
    case "tensor":
      return value.value;
    case "dim": {
      const number = toDtype(reader, value, "f64", node);
      return Object.assign(number, { extent: value.dim });
    }
    case "integer":
      return toDtype(reader, value, "f64", node);
    case "scalar":
      return value.value;
    case "array": {
      const items = itemsOf(reader, value, node);
      return items?.map((item) => toSurface(reader, item, call)) ?? toDense(reader, value, node);
    }
    case "record":
      return Object.fromEntries(
        entriesOf(reader, value, node).map(
          ([name, field]) => [name, toSurface(reader, field, call)] as const,
        ),
      );
    case "function":
    case "native":
      return scalarFunction(reader, value, call);
    default:
      return reader.fail(
        messages.notCallable({ what: "a value that cannot be compiled" }, reader.span(node)),
      );
  }
}

/** A function of the user over elements, for `map`: literals take the type of the elements. */
function scalarFunction(
  reader: Reader,
  callee: ReaderValue,
  call: NativeCall,
): (builder: GraphBuilder, scalars: readonly Value[]) => Value {
  return (builder, scalars) =>
    reader.inBuilder(builder, () => {
      const { result, changes } = reader.heap.record(() =>
        invoke(reader, callee, {
          ...call,
          arguments: scalars.map(scalar),
        }),
      );
      const [written] = changes.keys();
      if (written !== undefined) {
        reader.fail(
          messages.writesCaptured(
            { name: "the function", variable: written.name, transform: "map" },
            reader.span(call.node),
          ),
        );
      }
      const dtype = elementDtype(scalars, result);
      return toDtype(reader, result, dtype, call.node);
    });
}

function elementDtype(scalars: readonly Value[], result: ReaderValue): Value["type"]["dtype"] {
  if (result.kind === "scalar") return result.value.type.dtype;
  if (result.kind === "static" && typeof result.value === "boolean") return "bool";
  const float = scalars.find(({ type }) => isFloat(type.dtype));
  return float?.type.dtype ?? scalars[0]?.type.dtype ?? "f64";
}

function fromSurface(reader: Reader, result: unknown): ReaderValue {
  if (Array.isArray(result)) {
    return newList(
      reader,
      result.map((item) => fromSurface(reader, item)),
    );
  }
  if (typeof result === "object" && result !== null && "type" in result) {
    const value = result as Value;
    return { kind: "tensor", value };
  }
  if (typeof result === "object" && result !== null) {
    const fields = Object.entries(result).map(
      ([name, field]) => [name, fromSurface(reader, field)] as const,
    );
    return newRecord(reader, fields);
  }
  return fixed(result as number);
}
