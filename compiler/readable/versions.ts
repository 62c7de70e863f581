/**
 * Versions of one variable. Each value of the graph has a name of its own; where the old one of a
 * loop's variable is not read any more, the new one takes its place, as a person would write it:
 *
 *   const v2 = v - g * dt; y = y + v2 * dt; v = v2;   →   v -= g * dt; y += v * dt;
 */

/** Lines of a loop's body, with its variables assigned where they change. */
export function assignedInPlace(
  lines: readonly string[],
  variables: readonly string[],
): readonly string[] {
  let current = lines;
  for (const name of variables) current = renewed(current, name);
  return current;
}

function renewed(given: readonly string[], name: string): readonly string[] {
  let lines = [...given];
  let depth = 0;
  for (let k = 0; k < lines.length; k++) {
    const line = lines[k] as string;
    if (line.startsWith("}")) depth--;
    const version = depth === 0 ? versionIn(line, name) : undefined;
    if (line.endsWith("{")) depth++;
    if (version === undefined) continue;
    const rest = lines.slice(k + 1);
    if (!takesPlace(rest, name, version)) continue;
    const renamed = rest
      .map((later) => shortened(replaced(later, version.name, name), name))
      .filter((later) => later !== `${name} = ${name};`);
    const first = version.text === undefined ? [] : [shortAssignment(name, version.text)];
    lines = [...lines.slice(0, k), ...first, ...withoutEmptyArms(renamed)];
    if (version.text === undefined) k--;
  }
  return lines;
}

interface Version {
  readonly name: string;
  /** What it is; absent where the arms of a branch assign it. */
  readonly text?: string | undefined;
}

/**
 * True where nothing reads the variable once its version is there, in any arm, nor the version once
 * the variable has its next one.
 */
function takesPlace(lines: readonly string[], name: string, version: Version): boolean {
  const levels = [{ there: version.text !== undefined, before: false, inArms: false }];
  let isOver = false;
  for (const line of lines) {
    if (isOver && mentions(line, version.name)) return false;
    if (line.startsWith("}")) {
      const left = levels.pop() as (typeof levels)[0];
      const top = levels.at(-1);
      if (top === undefined) return false;
      const inArms = left.there || left.inArms;
      // Another arm starts as the branch did.
      if (line.endsWith("{")) levels.push({ there: left.before, before: left.before, inArms });
      else top.there ||= inArms;
    } else if (line.endsWith("{")) {
      const { there } = levels.at(-1) as (typeof levels)[0];
      if (there && mentions(line, name)) return false;
      levels.push({ there, before: there, inArms: false });
      continue;
    }
    const level = levels.at(-1) as (typeof levels)[0];
    const isNext = isAssignmentOf(line, name);
    if (level.there && mentions(line, name) && !isNext) return false;
    if (line.startsWith(`${version.name} = `)) level.there = true;
    isOver ||= isNext && levels.length === 1;
  }
  // The next turn reads what the variable has at the end: it must get that after the version.
  return isOver;
}

/** Lines that compute `result`, without numbers that nothing of it reads. */
export function withoutUnread(given: readonly string[], result: string): readonly string[] {
  for (const line of given) {
    const own = /^(?:const (\w+) = |let (\w+): )/.exec(line)?.slice(1).find(Boolean);
    if (own === undefined || mentions(result, own)) continue;
    const isOwn = (one: string): boolean => one === line || one.startsWith(`${own} = `);
    const rest = given.filter((one) => !isOwn(one));
    if (rest.some((one) => mentions(one, own))) continue;
    return withoutUnread(withoutEmptyArms(rest), result);
  }
  return given;
}

/** `if (c) { } else { … }` as `if (!c) { … }`. */
function withoutEmptyArms(given: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const line of given) {
    const before = lines.at(-1) ?? "";
    const test = /^if \((.*)\) \{$/.exec(before)?.[1];
    if (line === "} else {" && test !== undefined) {
      lines[lines.length - 1] = `if (${negatedText(test)}) {`;
    } else if (line === "}" && test !== undefined) lines.pop();
    else if (line === "}" && before === "} else {") lines[lines.length - 1] = "}";
    else lines.push(line);
  }
  return lines;
}

function negatedText(test: string): string {
  const [, left, sign, right] = /^([\w.$]+) (===|!==) ([\w.$]+)$/.exec(test) ?? [];
  if (left === undefined) return `!(${test})`;
  return `${left} ${sign === "===" ? "!==" : "==="} ${right}`;
}

/** `const v2 = …;` or `let v2: number;`, where the variable is v. */
function versionIn(line: string, name: string): Version | undefined {
  const base = name.replace(/\d+$/, "");
  const declared = /^(?:const (\w+) = (.*)|let (\w+): (?:number|boolean));$/s.exec(line);
  const own = declared?.[1] ?? declared?.[3];
  if (own === undefined || own === name || own.replace(/\d+$/, "") !== base) return undefined;
  return { name: own, text: declared?.[2] };
}

/** `v = …` where the right side does not read v. */
function isAssignmentOf(line: string, name: string): boolean {
  const start = `${name} = `;
  return line.startsWith(start) && !mentions(line.slice(start.length), name);
}

/** `v = v + x` as `v += x`, once names have become equal. */
function shortened(line: string, name: string): string {
  const start = `${name} = `;
  return line.startsWith(start) ? shortAssignment(name, line.slice(start.length, -1)) : line;
}

export function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![.\\w$])${name}(?![\\w$])`).test(text);
}

function replaced(text: string, from: string, to: string): string {
  return text.replaceAll(new RegExp(`(?<![.\\w$])${from}(?![\\w$])`, "g"), to);
}

const weaker = ["<", ">", "<=", ">=", "===", "!==", "&", "|", "^", "<<", ">>", ">>>", "&&", "||"];

/** `x = x + y` as `x += y`, where y is one operand: `x + a + b` is not `x + (a + b)`. */
export function shortAssignment(name: string, text: string): string {
  for (const sign of ["+", "-", "*"]) {
    const start = `${name} ${sign} `;
    const rest = text.slice(start.length);
    const others = sign === "*" ? ["+", "-", "*", "/", "%", "?"] : ["+", "-", "?"];
    if (text.startsWith(start) && !hasOutside(rest, [...others, ...weaker])) {
      return rest === "1" && sign !== "*" ? `${name}${sign}${sign};` : `${name} ${sign}= ${rest};`;
    }
  }
  return `${name} = ${text};`;
}

/** True when one of the signs stands in a text outside of all brackets, with spaces around it. */
function hasOutside(text: string, signs: readonly string[]): boolean {
  let depth = 0;
  return text.split(" ").some((word) => {
    if (depth === 0 && signs.includes(word)) return true;
    for (const letter of word) {
      if ("([{".includes(letter)) depth++;
      else if (")]}".includes(letter)) depth--;
    }
    return false;
  });
}
