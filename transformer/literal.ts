/**
 * Data as literals of JavaScript, where what occurs again is written once: as a function, which is
 * there before the file has run, as roots are called from its first line on.
 */

/** Shorter than this, a value is as short as the call that gives it. */
const shortest = 30;

interface Node {
  readonly parts: readonly (readonly [key: string, value: string | Node])[];
  readonly isList: boolean;
  /** How many places hold it, each node that does counting once. */
  uses: number;
  name?: string;
}

export interface Literals {
  /** An expression for each of the data. */
  readonly texts: readonly string[];
  /** The functions that the expressions call. */
  readonly functions: readonly string[];
}

/** As `JSON.stringify`, fields without a value are left out. */
export function literals(data: readonly unknown[], prefix: string): Literals {
  const nodes = new Map<string, Node>();
  const node = (value: unknown): string | Node => {
    const key = JSON.stringify(value);
    if (typeof value !== "object" || value === null) return key;
    let known = nodes.get(key);
    if (known === undefined) {
      const fields = Object.entries(value).filter(([, part]) => part !== undefined);
      const parts = fields.map(([name, part]) => [name, node(part)] as const);
      known = { parts, isList: Array.isArray(value), uses: 0 };
      nodes.set(key, known);
      for (const [, part] of parts) if (typeof part !== "string") part.uses++;
    }
    return known;
  };
  const roots = data.map(node);
  const functions: string[] = [];
  const written = (value: string | Node): string => {
    if (typeof value === "string") return value;
    if (value.name !== undefined) return `${value.name}()`;
    const parts = value.parts.map(([key, part]) =>
      value.isList ? written(part) : `${keyText(key)}: ${written(part)}`,
    );
    const text = value.isList ? `[${parts.join(", ")}]` : `{ ${parts.join(", ")} }`;
    if (value.uses < 2 || text.length < shortest) return text;
    value.name = `${prefix}${functions.length}`;
    functions.push(`function ${value.name}() { return ${text}; }`);
    return `${value.name}()`;
  };
  return { texts: roots.map(written), functions };
}

function keyText(key: string): string {
  return /^[a-z]\w*$/i.test(key) ? key : JSON.stringify(key);
}
