/** Functions of the runtime that code imports by name. */

export type Functions = Readonly<Record<string, (x: number, y: number) => number>>;

/** The functions that a program names in its manifest: those of `Math`, and others. */
export function namedFunctions(names: readonly string[], others: Functions = {}): Functions {
  return Object.fromEntries(
    names.map((name) => {
      const found = others[name] ?? (Math as unknown as Functions)[name];
      if (found === undefined) throw new Error(`the program needs a function ${name}`);
      return [name, found];
    }),
  );
}
