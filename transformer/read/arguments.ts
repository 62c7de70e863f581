/** What the calls of one function have in common, and what a call leaves in its arguments. */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import type { Value } from "../../compiler/ir/types.ts";
import { link, possibleAliases } from "./alias.ts";
import type { Place } from "./heap.ts";
import {
  identical,
  join,
  leafTypes,
  sameTemplate,
  type Template,
  templateOf,
  withOlderOrigins,
} from "./join.ts";
import { itemsOf, readField, replace, writeElement, writeField } from "./objects.ts";
import type { Reader } from "./reader.ts";
import { columnsIn } from "./tables.ts";
import { type ArrayReference, fixed, type ReaderValue, scalar, type Shared } from "./values.ts";

/** Templates for these arguments too; undefined where no template stands for both. */
export function generalised(
  reader: Reader,
  known: readonly Template[],
  args: readonly ReaderValue[],
): readonly Template[] | undefined {
  if (known.length !== args.length) return undefined;
  const next = known.map((template, k) =>
    common(reader, template, templateOf(reader, args[k] as ReaderValue)),
  );
  return next.some(hasConflict) ? undefined : next;
}

/** The template of two things: what is the same in both stays fixed, numbers that differ do not. */
export function common(reader: Reader, a: Template, b: Template): Template {
  if (a.value !== undefined && b.value !== undefined && identical(a.value, b.value)) {
    return { kind: "fixed", value: a.value };
  }
  const [x, y] = [opened(reader, a), opened(reader, b)];
  if (x.kind === "record" && y.kind === "record") {
    const others = new Map(y.fields);
    if (others.size !== x.fields.length) return join(x, y);
    const fields = x.fields.map(([name, field]) => {
      const other = others.get(name);
      return [name, other === undefined ? join(x, y) : common(reader, field, other)] as const;
    });
    return { kind: "record", fields, from: x.from };
  }
  if (x.kind === "list" && y.kind === "list" && x.items.length === y.items.length) {
    const items = x.items.map((item, k) => common(reader, item, y.items[k] as Template));
    return { kind: "list", items, from: x.from };
  }
  const joined = join(x, y);
  if (joined.kind !== "integer") return joined;
  // A range that grows would grow with every depth.
  return sameTemplate(joined, x) ? joined : { kind: "scalar", dtype: "f64" };
}

function opened(reader: Reader, template: Template): Template {
  const open = template.kind === "fixed" ? templateOf(reader, template.value) : template;
  return open.kind === "fixed" ? open : { ...open, value: undefined };
}

function hasConflict(template: Template): boolean {
  switch (template.kind) {
    case "conflict":
      return true;
    case "table":
      return hasConflict(template.columns);
    case "list":
      return template.items.some(hasConflict);
    case "record":
      return template.fields.some(([, field]) => hasConflict(field));
    default:
      return false;
  }
}

/** What a function gives back, as its callers see it. */
export interface Released {
  readonly template: Template;
  /** It may be an argument, or made of one. */
  readonly returnsArguments: boolean;
}

/** The result of a body that has been read, joined with what was known of it. */
export function released(
  reader: Reader,
  known: Released | undefined,
  value: ReaderValue,
  args: readonly ReaderValue[],
  name: string,
  node: ts.Node,
): Released {
  const open = withOlderOrigins(
    reader,
    withoutInner(reader, templateOf(reader, value), name, node),
  );
  if (leafTypes(open).some((type) => reader.isBoundHere(type))) {
    reader.fail(messages.lengthEscapes({ name }, reader.span(node)));
  }
  const template = known === undefined ? open : common(reader, known.template, open);
  const own = args.flatMap(sharedIn);
  const returnsArguments = sharedIn(value).some((shared) =>
    own.some((argument) => argument === shared || possibleAliases(argument).has(shared)),
  );
  return {
    template:
      known?.template.kind === "scalar" && template.kind === "scalar" ? known.template : template,
    returnsArguments: (known?.returnsArguments ?? false) || returnsArguments,
  };
}

/** Only what was there before the function can leave it as it is; all else leaves as numbers. */
function withoutInner(reader: Reader, template: Template, name: string, node: ts.Node): Template {
  const { value } = template;
  const isOuter =
    (value?.kind === "record" || (value?.kind === "array" && value.path.length === 0)) &&
    reader.heap.isOuter(value.object.shared.stale as Place<unknown>);
  if (isOuter && value !== undefined) return { kind: "fixed", value };
  switch (template.kind) {
    case "fixed":
      if (template.value.kind === "function" || template.value.kind === "native") {
        return reader.needsStatic(`the function that \`${name}\` returns`, node);
      }
      return template;
    case "table":
      return {
        ...template,
        value: undefined,
        columns: withoutInner(reader, template.columns, name, node),
      };
    case "list":
      return {
        ...template,
        value: undefined,
        items: template.items.map((item) => withoutInner(reader, item, name, node)),
      };
    case "record":
      return {
        ...template,
        value: undefined,
        fields: template.fields.map(
          ([field, inner]) => [field, withoutInner(reader, inner, name, node)] as const,
        ),
      };
    default:
      return { ...template, value: undefined };
  }
}

interface Passing {
  readonly arguments: readonly Template[];
  readonly written: ReadonlySet<number>;
  readonly carried: ReadonlyMap<Place<unknown>, unknown>;
  readonly reads: ReadonlySet<Place<unknown>>;
}

/** Refuses a call that gives the function an array under two names, one of which it writes. */
export function checkNames(
  reader: Reader,
  known: Passing,
  args: readonly ReaderValue[],
  name: string,
  node: ts.Node,
): void {
  const arrays: { readonly array: ArrayReference; readonly written: boolean }[] = [];
  let leaf = 0;
  known.arguments.forEach((template, k) =>
    eachArray(template, args[k] as ReaderValue, (array, count) => {
      const positions = Array.from({ length: count }, (_, n) => leaf + n);
      leaf += count;
      if (array !== undefined) {
        arrays.push({ array, written: positions.some((position) => known.written.has(position)) });
      }
    }),
  );
  arrays.forEach(({ array, written }, k) => {
    const state = array.object.state as Place<unknown>;
    const { shared } = array.object;
    const again = arrays.some(
      (other, n) =>
        n > k && (written || other.written) && mayBeOne(shared, other.array.object.shared),
    );
    if (again || known.carried.has(state) || (written && known.reads.has(state))) {
      reader.fail(
        messages.twoNames({ name: array.object.name }, reader.span(node), [
          { message: `\`${name}\` would have it under two names`, span: reader.span(node) },
        ]),
      );
    }
  });
}

function mayBeOne(a: Shared, b: Shared): boolean {
  return a === b || possibleAliases(a).has(b);
}

/** The leaves of an argument by the arrays that they are of; undefined for other leaves. */
function eachArray(
  template: Template,
  value: ReaderValue,
  visit: (array: ArrayReference | undefined, leaves: number) => void,
): void {
  switch (template.kind) {
    case "fixed":
    case "conflict":
      return;
    case "array":
      return visit(value.kind === "array" ? value : undefined, 1);
    case "table": {
      const state = value.kind === "array" ? value.object.state.content : undefined;
      if (state?.form === "table") eachArray(template.columns, state.columns, visit);
      return;
    }
    case "list": {
      const state = value.kind === "array" ? value.object.state.content : undefined;
      template.items.forEach((item, k) => {
        const place = state?.form === "list" ? state.items[k] : undefined;
        if (place !== undefined) eachArray(item, place.content, visit);
      });
      return;
    }
    case "record": {
      const fields = value.kind === "record" ? value.object.fields.content : undefined;
      for (const [name, field] of template.fields) {
        const place = fields?.get(name);
        if (place !== undefined) eachArray(field, place.content, visit);
      }
      return;
    }
    default:
      return visit(undefined, 1);
  }
}

/** Puts what a function has written of its arguments where the caller has them. */
export function writeBack(
  reader: Reader,
  known: Passing,
  args: readonly ReaderValue[],
  outputs: Iterator<Value>,
  node: ts.Node,
): void {
  let leaf = 0;
  const next = (): Value | undefined =>
    known.written.has(leaf++) ? (outputs.next().value as Value) : undefined;
  const visit = (template: Template, value: ReaderValue): ReaderValue | undefined => {
    switch (template.kind) {
      case "fixed":
      case "conflict":
        return undefined;
      case "scalar": {
        const written = next();
        return written && scalar(written);
      }
      case "integer": {
        const written = next();
        return (
          written && { kind: "integer", value: written, low: template.low, high: template.high }
        );
      }
      case "tensor": {
        const written = next();
        return written && { kind: "tensor", value: written };
      }
      case "array": {
        const written = next();
        if (written !== undefined && value.kind === "array") replace(reader, value, written, node);
        return undefined;
      }
      case "table": {
        const state = value.kind === "array" ? value.object.state.content : undefined;
        if (value.kind !== "array" || state?.form !== "table") return undefined;
        return visit(template.columns, columnsIn(state, value));
      }
      case "list": {
        if (value.kind !== "array") return undefined;
        const items = itemsOf(reader, value, node) ?? [];
        template.items.forEach((item, k) => {
          const written = visit(item, items[k] as ReaderValue);
          if (written !== undefined) writeElement(reader, value, fixed(k), written, node);
        });
        return undefined;
      }
      case "record": {
        if (value.kind !== "record") return undefined;
        for (const [name, field] of template.fields) {
          const own = readField(reader, value, name, node) as ReaderValue;
          const written = visit(field, own);
          if (written !== undefined) writeField(reader, value, name, written, node);
        }
        return undefined;
      }
    }
  };
  known.arguments.forEach((template, k) => visit(template, args[k] as ReaderValue));
}

/** Where a result may be an argument, writing one of them outdates the other. */
export function linkResult(
  known: { readonly result: Released | undefined },
  result: ReaderValue,
  args: readonly ReaderValue[],
): void {
  if (known.result?.returnsArguments !== true) return;
  for (const shared of sharedIn(result)) {
    for (const other of args.flatMap(sharedIn)) link(shared, other);
  }
}

/** All arrays and records in a thing. */
function sharedIn(value: ReaderValue): readonly Shared[] {
  if (value.kind === "record") {
    const fields = [...value.object.fields.content.values()];
    return [value.object.shared, ...fields.flatMap((place) => sharedIn(place.content))];
  }
  if (value.kind !== "array") return [];
  const state = value.object.state.content;
  if (state.form === "table") return [value.object.shared, ...sharedIn(state.columns)];
  const items = state.form === "list" ? state.items : [];
  return [value.object.shared, ...items.flatMap((place) => sharedIn(place.content))];
}
