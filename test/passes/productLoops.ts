/** Functions that multiply matrices in loops, in all the ways that people write them, as text. */

/** How an operand lies in memory. */
export type Layout = "rows" | "columns" | "offset" | "nested";
export type Order = "ijk" | "ikj" | "jik" | "jki" | "kij" | "kji";
export const layouts: readonly Layout[] = ["rows", "columns", "offset", "nested"];
export const orders: readonly Order[] = ["ijk", "ikj", "jik", "jki", "kij", "kji"];

export interface Form {
  readonly a: Layout;
  readonly b: Layout;
  readonly c: Layout;
  /** The loops from the outermost in. A sum in a variable has k innermost. */
  readonly order: Order;
  /** What is done with the products. */
  readonly style: Style;
  /** How a product is spelled, of `x` and `y`. */
  readonly term: string;
}

/** `grow`: in memory. Others sum in a variable: what it starts from, and what becomes of it. */
export type Style =
  | { readonly kind: "grow"; readonly write: "+=" | "-=" | "= +"; readonly filled: boolean }
  | {
      readonly kind: "sum";
      readonly start: string;
      readonly combine: "+=" | "-=";
      /** Of `s`, and of `old`, the element of c that is written. */
      readonly store: string;
    };

const shapes = { a: ["i", "k"], b: ["k", "j"], c: ["i", "j"] } as const;
const extents = { i: "m", j: "n", k: "count" } as const;

/** The element of an operand that its two counters name. */
export function element(operand: "a" | "b" | "c", layout: Layout): string {
  const [first, second] = shapes[operand];
  const [rows, columns] = [extents[first], extents[second]];
  switch (layout) {
    case "rows":
      return `${operand}[${first} * ${columns} + ${second}]`;
    case "columns":
      return `${operand}[${second} * ${rows} + ${first}]`;
    case "offset":
      return `${operand}[2 + ${first} * (${columns} + 3) + ${second}]`;
    case "nested":
      return `${operand}[${first}][${second}]`;
  }
}

export function text(form: Form): string {
  const [a, b, c] = [element("a", form.a), element("b", form.b), element("c", form.c)];
  const term = form.term.replaceAll("x", a).replaceAll("y", b);
  const nested = form.c === "nested";
  const fresh = nested
    ? "like.map((row) => row.slice())"
    : `new Float64Array(${form.c === "offset" ? "2 + m * (n + 3)" : "m * n"})`;
  const loop = (counter: string, body: string): string =>
    `for (let ${counter} = 0; ${counter} < ${extents[counter as "i"]}; ${counter}++) {${body}}`;
  const nest = (counters: string, body: string): string =>
    [...counters].reduceRight((inner, counter) => loop(counter, inner), body);
  const { style } = form;
  const fill = nest("ij", `${c} = i - 0.5 * j;`);
  const write = style.kind === "grow" && style.write === "= +" ? `= ${c} +` : "";
  const work =
    style.kind === "grow"
      ? (style.filled ? fill : "") + nest(form.order, `${c} ${write || style.write} ${term};`)
      : (/old|at/.test(style.start + style.store) ? fill : "") +
        nest(
          form.order.slice(0, 2),
          `let s = ${style.start.replaceAll("old", c)};
           ${loop("k", `s ${style.combine} ${term};`)}
           ${c} = ${style.store.replaceAll("old", c)};`,
        );
  const type = (layout: Layout): string => (layout === "nested" ? "number[][]" : "Float64Array");
  return `(a: ${type(form.a)}, b: ${type(form.b)}, bias: Float64Array, like: number[][], m: number, n: number, count: number) => {
    const c = ${fresh};
    ${work}
    return c;
  }`;
}

const plainTerm = "x * y";

/** Elements that grow in memory: all orders, with layouts that change along. */
export const growing: readonly Form[] = orders.flatMap((order, k) =>
  layouts.flatMap((a, p) =>
    layouts.map((b, q): Form => {
      const which = k + 3 * p + q;
      return {
        a,
        b,
        c: layouts[(which + 2 * k) % layouts.length] as Layout,
        order,
        style: {
          kind: "grow",
          write: (["+=", "-=", "= +"] as const)[which % 3] as "+=",
          filled: which % 2 === 0,
        },
        term: ["x * y", "y * x", "-x * y"][(p + q) % 3] as string,
      };
    }),
  ),
);

/** Sums in a variable: what they start from, and what becomes of them. */
export const summing: readonly Form[] = [
  ["0", "+=", "s"],
  ["0", "-=", "s"],
  ["old", "+=", "s"],
  ["old", "-=", "s"],
  ["old * 2 - 1", "+=", "s"],
  ["bias[j]", "+=", "s"],
  ["-0", "+=", "s"],
  ["0", "+=", "old + s"],
  ["0", "+=", "old - s"],
  ["0", "+=", "bias[i] * s"],
  ["0", "+=", "0.5 * old + bias[0] * s"],
  ["bias[j]", "+=", "s / Math.sqrt(1 + s * s)"],
  ["bias[i] + j", "-=", "Math.max(0, s)"],
].flatMap(([start, combine, store], which) =>
  layouts.flatMap((a, p) =>
    layouts.map((b, q): Form => ({
      a,
      b,
      c: layouts[(which + p + 2 * q) % layouts.length] as Layout,
      order: (which + p + q) % 2 === 0 ? "ijk" : "jik",
      style: {
        kind: "sum",
        start: start as string,
        combine: combine as "+=",
        store: store as string,
      },
      term: (p + q) % 2 === 0 ? plainTerm : "y * x",
    })),
  ),
);

export interface Arguments {
  readonly a: Float64Array | number[][];
  readonly b: Float64Array | number[][];
  readonly bias: Float64Array;
  /** The shape of a nested c. */
  readonly like: number[][];
  readonly sizes: readonly [m: number, n: number, count: number];
}

/** Numbers of many magnitudes, so that a sum tells the order that it was taken in. */
function noise(k: number, phase: number): number {
  if (k % 41 === 17) return phase === 0 ? -0 : 0;
  return Math.sin(k * 1.7 + phase) * 2 ** (((k * 7) % 40) - 20);
}

export function argumentsFor(
  { a, b }: Pick<Form, "a" | "b">,
  sizes: readonly [number, number, number],
): Arguments {
  const [m, n, count] = sizes;
  const operand = (
    layout: Layout,
    rows: number,
    columns: number,
    phase: number,
  ): Float64Array | number[][] => {
    if (layout === "nested") {
      return Array.from({ length: rows }, (_, i) =>
        Array.from({ length: columns }, (_, j) => noise(i * columns + j, phase)),
      );
    }
    const length = layout === "offset" ? 2 + rows * (columns + 3) : rows * columns;
    return Float64Array.from({ length }, (_, k) => noise(k, phase));
  };
  return {
    a: operand(a, m, count, 0),
    b: operand(b, count, n, 1),
    bias: Float64Array.from({ length: Math.max(m, n, 1) }, (_, k) => noise(k, 2)),
    like: Array.from({ length: m }, () => new Array<number>(n).fill(0)),
    sizes,
  };
}
