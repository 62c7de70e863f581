/** Scalar ops as TypeScript expressions. */

/** The text of an expression, and how tightly it binds (JavaScript's table; 20 for atoms). */
export interface Text {
  readonly text: string;
  readonly binds: number;
}

export function atom(text: string): Text {
  return { text, binds: 20 };
}

/** In parentheses where it binds less than what stands around it needs. */
export function within(expression: Text, needed: number): string {
  return expression.binds < needed ? `(${expression.text})` : expression.text;
}

export function numberText(value: number): Text {
  if (value < 0 || Object.is(value, -0)) return { text: `-${numberText(-value).text}`, binds: 14 };
  return atom(Number.isNaN(value) ? "NaN" : String(value));
}

export function call(name: string, ...operands: readonly Text[]): Text {
  return { text: `${name}(${operands.map(({ text }) => text).join(", ")})`, binds: 17 };
}

interface Infix {
  readonly sign: string;
  readonly binds: number;
}

const infix: Readonly<Record<string, Infix>> = {
  mul: { sign: "*", binds: 12 },
  div: { sign: "/", binds: 12 },
  rem: { sign: "%", binds: 12 },
  add: { sign: "+", binds: 11 },
  sub: { sign: "-", binds: 11 },
  shift_left: { sign: "<<", binds: 10 },
  shift_right: { sign: ">>", binds: 10 },
  lt: { sign: "<", binds: 9 },
  le: { sign: "<=", binds: 9 },
  gt: { sign: ">", binds: 9 },
  ge: { sign: ">=", binds: 9 },
  eq: { sign: "===", binds: 8 },
  ne: { sign: "!==", binds: 8 },
  xor: { sign: "!==", binds: 8 },
  bit_and: { sign: "&", binds: 7 },
  bit_xor: { sign: "^", binds: 6 },
  bit_or: { sign: "|", binds: 5 },
  and: { sign: "&&", binds: 4 },
  or: { sign: "||", binds: 3 },
};

const prefix: Readonly<Record<string, string>> = { neg: "-", not: "!", bit_not: "~" };

const functions: Readonly<Record<string, string>> = {
  max: "Math.max",
  min: "Math.min",
  atan2: "Math.atan2",
  hypot: "Math.hypot",
  is_nan: "Number.isNaN",
};

const mathFunctions = new Set(
  (
    "abs sign floor ceil round trunc sqrt cbrt exp expm1 log log1p log2 log10 sin cos tan asin " +
    "acos atan sinh cosh tanh asinh acosh atanh"
  ).split(" "),
);

/** An op on doubles or booleans; undefined where TypeScript has no word for it. */
export function scalarText(op: string, dtype: string, operands: readonly Text[]): Text | undefined {
  const [x, y, z] = operands as readonly [Text, Text, Text];
  if (op === "shift_right" && dtype === "u32") return binary({ sign: ">>>", binds: 10 }, x, y);
  if (op === "add" && isNegative(y)) return binary(infix["sub"] as Infix, x, withoutSign(y));
  if (op === "sub" && isNegative(y)) return binary(infix["add"] as Infix, x, withoutSign(y));
  const sign = infix[op];
  if (sign !== undefined && operands.length === 2) return binary(sign, x, y);
  const before = prefix[op];
  if (before !== undefined) {
    // `- -x` must not become `--x`.
    const operand = within(x, 14);
    const gap = operand.startsWith(before) ? " " : "";
    return { text: `${before}${gap}${operand}`, binds: 14 };
  }
  if (mathFunctions.has(op)) return call(`Math.${op}`, x);
  const named = functions[op];
  if (named !== undefined) return call(named, ...operands);
  switch (op) {
    case "pow":
      return { text: `${within(x, 15)} ** ${within(y, 13)}`, binds: 13 };
    case "rsqrt":
      return binary(infix["div"] as Infix, atom("1"), call("Math.sqrt", x));
    case "select":
      return { text: `${within(x, 3)} ? ${within(y, 2)} : ${within(z, 2)}`, binds: 2 };
    case "stop_gradient":
      return x;
    case "to_int32":
      return signed(x);
    case "to_uint32":
      return unsigned(x);
    default:
      return undefined;
  }
}

const leavingSingles = (
  "add sub mul div rem sqrt cbrt rsqrt exp expm1 log log1p log2 log10 sin cos tan asin acos atan " +
  "sinh cosh tanh asinh acosh atanh pow atan2 hypot"
).split(" ");

/** Ops whose result may lie outside of the type of their operands, as doubles compute them. */
const leaving: Readonly<Record<string, readonly string[]>> = {
  i32: ["add", "sub", "neg", "div", "rem", "abs"],
  u32: "add sub neg div rem shift_left bit_and bit_or bit_xor bit_not".split(" "),
  f32: leavingSingles,
  f16: leavingSingles,
};

/** An op as numbers of a type compute it, where they are not doubles. */
export function narrowText(op: string, dtype: string, operands: readonly Text[]): Text | undefined {
  const [x, y] = operands as readonly [Text, Text];
  if (op === "mul" && (dtype === "i32" || dtype === "u32")) {
    const product = call("Math.imul", x, y);
    return dtype === "i32" ? product : unsigned(product);
  }
  const text = scalarText(op, dtype, operands);
  if (text === undefined || leaving[dtype]?.includes(op) !== true) return text;
  if (dtype === "f32") return call("Math.fround", text);
  if (dtype === "f16") return call("Math.f16round", text);
  return dtype === "i32" ? signed(text) : unsigned(text);
}

/** The low 32 bits. */
function signed(x: Text): Text {
  return binary({ sign: "|", binds: 5 }, x, atom("0"));
}

function unsigned(x: Text): Text {
  return binary({ sign: ">>>", binds: 10 }, x, atom("0"));
}

const integerTypes = ["i32", "u32", "u8"];

/** A number or a boolean as another dtype. */
export function castText(from: string, to: string, x: Text): Text | undefined {
  if (from === to) return x;
  if (from === "bool") return call("Number", x);
  if (to === "bool") return binary({ sign: "!==", binds: 8 }, x, atom("0"));
  if (to === "f64" || (to === "i32" && from === "u8") || (to === "u32" && from === "u8")) return x;
  if (to === "f32") return from === "u8" || from === "f16" ? x : call("Math.fround", x);
  if (to === "f16") return from === "u8" ? x : call("Math.f16round", x);
  if (integerTypes.includes(from)) {
    if (to === "i32") return signed(x);
    return to === "u32" ? unsigned(x) : binary({ sign: "&", binds: 7 }, x, atom("255"));
  }
  return to === "i32" ? binary(infix["or"] as Infix, call("Math.trunc", x), atom("0")) : undefined;
}

export function choice(test: Text, yes: Text, no: Text): Text {
  if (no.text === "false") return binary(infix["and"] as Infix, test, yes);
  if (yes.text === "true") return binary(infix["or"] as Infix, test, no);
  return scalarText("select", "f64", [test, yes, no]) as Text;
}

/** `-x`, and `-x * y`, which is the same as `-(x * y)`. */
function isNegative(text: Text | undefined): boolean {
  return (
    text !== undefined && (text.binds === 14 || text.binds === 12) && /^-(?!\d)/.test(text.text)
  );
}

function withoutSign({ text, binds }: Text): Text {
  return { text: text.slice(1), binds: Math.min(binds, 12) };
}

const opposites: Readonly<Record<string, string>> = { "===": "!==", "!==": "===" };

/** `!x`, and `a !== b` for what is not `a === b`. */
export function negated(test: Text): Text {
  const equality = test.binds === 8 ? / (===|!==) /.exec(test.text) : null;
  if (equality !== null && test.text.split(/ [=!]== /).length === 2) {
    const sign = opposites[equality[1] as string] as string;
    return { text: test.text.replace(equality[0], ` ${sign} `), binds: 8 };
  }
  if (test.binds === 14 && test.text.startsWith("!")) return atom(test.text.slice(1));
  return { text: `!${within(test, 14)}`, binds: 14 };
}

function binary({ sign, binds }: Infix, x: Text, y: Text): Text {
  // Equal signs group to the left; what stands right of one needs to bind more.
  return { text: `${within(x, binds)} ${sign} ${within(y, binds + 1)}`, binds };
}
