/** Arrays of records, tuples or tables, which are an array for each leaf of an element. */

import { constantOf, leavesOf, type TableTree, type Tree } from "../manifest.ts";
import { takeArray } from "./arrays.ts";
import { type Kind, type Taking, wrong } from "./kind.ts";

export const tableKind: Kind<TableTree> = {
  take: (tree, value, path, taking) => takeColumns(tree, value, 0, path, taking),
  build: ({ columns }, leaf) =>
    rowsOf(columns, leavesOf(columns).map(leaf) as readonly unknown[][]),
};

/** An array for each leaf of what stands in arrays nested `axes` deep. */
function takeColumns(
  tree: Tree,
  values: unknown,
  axes: number,
  path: string,
  taking: Taking,
): void {
  const check = (fits: (value: unknown) => boolean, expected: string): void =>
    visitAt(values, axes, (value) => {
      if (!fits(value)) throw wrong(path, expected, value);
    });
  const take = (part: Tree, step: string, of: (value: never) => unknown): void => {
    const parts = mapAt(values, axes, of as (value: unknown) => unknown);
    takeColumns(part, parts, axes, path + step, taking);
  };
  switch (tree.kind) {
    case "constant": {
      const constant = constantOf(tree);
      return check((value) => Object.is(value, constant), String(constant));
    }
    case "record":
      check((value) => typeof value === "object" && value !== null, "a record");
      for (const [name, field] of tree.fields) {
        take(field, `.${name}`, (row: Record<string, unknown>) => row[name]);
      }
      return;
    case "tuple": {
      const { length } = tree.items;
      const fits = (value: unknown): boolean => Array.isArray(value) && value.length === length;
      check(fits, `a list of ${length}`);
      tree.items.forEach((item, k) => take(item, `[${k}]`, (row: readonly unknown[]) => row[k]));
      return;
    }
    case "table":
      check(Array.isArray, `an array of ${wordFor(tree.columns)}`);
      takeColumns(tree.columns, values, axes + 1, `${path}[…]`, taking);
      return;
    case "leaf": {
      const { as } = tree;
      if (as !== "number" && as !== "boolean") {
        takeArray(tree, values, path, taking);
        return;
      }
      check((value) => typeof value === as, `a ${as}`);
      takeArray({ ...tree, as: "array" }, mapAt(values, axes, Number), path, taking);
    }
  }
}

function wordFor(columns: Tree): string {
  return columns.kind === "tuple" ? "tuples" : columns.kind === "table" ? "arrays" : "records";
}

/** What stands in arrays nested `axes` deep, one after the other. */
function visitAt(values: unknown, axes: number, visit: (value: unknown) => void): void {
  if (axes === 0) return visit(values);
  for (const value of values as readonly unknown[]) visitAt(value, axes - 1, visit);
}

function mapAt(values: unknown, axes: number, each: (value: unknown) => unknown): unknown {
  if (axes === 0) return each(values);
  return (values as readonly unknown[]).map((value) => mapAt(value, axes - 1, each));
}

/** The elements of a table, from an array for each leaf. */
function rowsOf(columns: Tree, leaves: readonly unknown[][]): unknown {
  return Array.from({ length: leaves[0]?.length ?? 0 }, (_, k) => {
    const parts = leaves.map((leaf) => leaf[k]).values();
    return elementOf(columns, parts);
  });
}

function elementOf(tree: Tree, parts: Iterator<unknown>): unknown {
  switch (tree.kind) {
    case "leaf": {
      const part = parts.next().value;
      return tree.as === "boolean" ? part !== 0 : part;
    }
    case "record":
      return Object.fromEntries(
        tree.fields.map(([name, field]) => [name, elementOf(field, parts)]),
      );
    case "tuple":
      return tree.items.map((item) => elementOf(item, parts));
    case "table": {
      const leaves = leavesOf(tree.columns).map(() => parts.next().value as unknown[]);
      return rowsOf(tree.columns, leaves);
    }
    case "constant":
      return constantOf(tree);
  }
}
