/** Records, tuples, and values that were known when the program was compiled. */

import { constantOf, type ConstantTree, type RecordTree, type TupleTree } from "../manifest.ts";
import { build, type Kind, take, wrong } from "./kind.ts";

export const recordKind: Kind<RecordTree> = {
  take({ fields }, value, path, taking) {
    if (typeof value !== "object" || value === null) throw wrong(path, "a record", value);
    for (const [name, field] of fields) {
      take(field, (value as Record<string, unknown>)[name], `${path}.${name}`, taking);
    }
  },
  build: ({ fields }, leaf, kinds) =>
    Object.fromEntries(fields.map(([name, field]) => [name, build(field, leaf, kinds)])),
};

export const tupleKind: Kind<TupleTree> = {
  take({ items }, value, path, taking) {
    if (!Array.isArray(value) || value.length !== items.length) {
      throw wrong(path, `a list of ${items.length}`, value);
    }
    items.forEach((item, k) => take(item, value[k], `${path}[${k}]`, taking));
  },
  build: ({ items }, leaf, kinds) => items.map((item) => build(item, leaf, kinds)),
};

export const constantKind: Kind<ConstantTree> = {
  take(tree, value, path) {
    const constant = constantOf(tree);
    if (!Object.is(value, constant)) throw wrong(path, String(constant), value);
  },
  build: constantOf,
};
