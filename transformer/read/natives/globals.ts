/** The names of JavaScript itself. */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { DType } from "../../../compiler/ir/types.ts";
import type { Reader } from "../reader.ts";
import { fixed, isBoolean, type NativeValue, type ReaderValue, scalar } from "../values.ts";
import { truth } from "../numbers.ts";
import { arrayFrom, isTypedArray, newArray, newTypedArray } from "./arrays.ts";
import { mathObject, numberObject, numberTests } from "./math.ts";

const typedArrays: Readonly<Record<string, DType>> = {
  Float64Array: "f64",
  Float32Array: "f32",
  Float16Array: "f16",
  Int32Array: "i32",
  Uint8Array: "u8",
};

const globals: Readonly<Record<string, ReaderValue>> = {
  undefined: fixed(undefined),
  NaN: fixed(NaN),
  Infinity: fixed(Infinity),
  Math: mathObject,
  Number: numberObject,
  isNaN: numberTests["isNaN"] as NativeValue,
  isFinite: numberTests["isFinite"] as NativeValue,
  Boolean: {
    kind: "native",
    name: "Boolean",
    call(reader, { arguments: [x], node }) {
      if (x === undefined) return fixed(false);
      if (isBoolean(x)) return x;
      const known = truth(reader, x, node);
      return typeof known === "boolean" ? fixed(known) : scalar(known);
    },
  },
  Array: {
    kind: "native",
    name: "Array",
    call: newArray,
    construct: newArray,
    property(_, name) {
      if (name === "from") return { kind: "native", name: "Array.from", call: arrayFrom };
      if (name === "isArray") {
        return {
          kind: "native",
          name: "Array.isArray",
          call: (__, { arguments: [x] }) => fixed(x?.kind === "array" && !isTypedArray(x)),
        };
      }
      return undefined;
    },
  },
  Object: {
    kind: "native",
    name: "Object",
    property(_, name) {
      if (name !== "is") return undefined;
      return undefined;
    },
  },
};

export function globalValue(reader: Reader, name: string, node: ts.Node): ReaderValue {
  const element = typedArrays[name];
  if (element !== undefined) return typedArray(name, element);
  const known = Object.hasOwn(globals, name) ? globals[name] : undefined;
  return known ?? hostObject(reader, name, node);
}

function typedArray(name: string, element: DType): NativeValue {
  return {
    kind: "native",
    name,
    construct: (reader, call) => newTypedArray(reader, call, element),
    property(_, property) {
      if (property !== "from" && property !== "of") return undefined;
      return {
        kind: "native",
        name: `${name}.${property}`,
        call: (reader, call) => {
          if (property === "of") return newTypedArray(reader, call, element, "items");
          return newTypedArray(reader, { ...call, arguments: [arrayFrom(reader, call)] }, element);
        },
      };
    },
  };
}

/** `console`, `fetch`, `Date`: an error where it is used. */
function hostObject(reader: Reader, name: string, node: ts.Node): NativeValue {
  const refuse = (called: string, at: ts.Node): never =>
    reader.fail(messages.hostCall({ name: called }, reader.span(at)));
  void node;
  return {
    kind: "native",
    name,
    call: (_, call) => refuse(name, call.node),
    construct: (_, call) => refuse(name, call.node),
    property: (_, property, at) => ({
      kind: "native",
      name: `${name}.${property}`,
      call: (__, call) => refuse(`${name}.${property}`, call.node),
      property: (__, inner, place) => refuse(`${name}.${property}.${inner}`, place),
      construct: () => refuse(`${name}.${property}`, at),
    }),
  };
}
