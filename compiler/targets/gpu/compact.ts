/** The text of shaders as it ships: for devices, which read no names, no comments and no lines. */

import type { Dialect } from "./shaderText.ts";

/** The texts of one module: what has one name still has one. */
export function compact(texts: readonly string[]): readonly string[] {
  const names = new Map<string, string>();
  const short = (text: string): string =>
    text
      .replaceAll(/\/\/.*$/gm, "")
      .replaceAll(/\b[vkR]_\w+/g, (name) => {
        const known = names.get(name) ?? `${name[0]}${names.size.toString(36)}_`;
        names.set(name, known);
        return known;
      })
      .replaceAll(/\s+/g, " ")
      .replaceAll(/ ?([-+*/%<>=&|^!?:;,(){}[\]]) ?/g, "$1")
      .trim();
  return texts.map(short);
}

/** The functions that a text calls, and those that they call, by their numbers: callees first. */
export function calledIn(
  text: string,
  functions: readonly string[],
  { defined }: Dialect,
): readonly number[] {
  const numbers = new Map(functions.map((fn, k) => [defined.exec(fn)?.[1] ?? "", k]));
  const found = new Set<number>();
  const visit = (caller: string): void => {
    for (const [, name = ""] of caller.matchAll(/\b(\w+)\(/g)) {
      const number = numbers.get(name);
      if (number === undefined || functions[number] === caller || found.has(number)) continue;
      visit(functions[number] as string);
      found.add(number);
    }
  };
  visit(text);
  return [...found].sort((a, b) => a - b);
}
