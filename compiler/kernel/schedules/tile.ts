/**
 * The functions of matrix products, shared by all products of a program: packing of operands in
 * panels, and a tile of the result kept in registers.
 * A panel of width w holds, for each k, w neighbouring rows (columns): `panel[k*w + r]`.
 */

import { byteSize } from "../../ir/types.ts";
import {
  add,
  constant,
  divide,
  type Expr,
  type Lanes,
  load,
  type Local,
  local,
  type LoopFunction,
  loop,
  madd,
  minimum,
  multiply,
  op,
  read,
  set,
  splat,
  type Statement,
  store,
  subtract,
} from "../loop.ts";
import { machine } from "../loop.ts";

export type TileType = "f32" | "f64";

/**
 * How a sum takes its products. `fused`: rounded once or twice, and parts of it may be summed apart.
 * `exact`: each product is rounded, then the sum, one after the other from what was there.
 */
export type Rounding = "fused" | "exact";

/**
 * Rows of tiles, and how fast each is: with six, two vectors wide, V8 still keeps everything in
 * registers; with fewer, the multiply-adds wait for each other. Measured on one core, GFLOP/s.
 */
const tileSpeeds: readonly (readonly [rows: number, speed: number])[] = [
  [6, 57.6],
  [5, 55.3],
  [4, 53.9],
];

/** Values of k that are packed for all panels before the next ones. */
const packedTogether = 8;

/** The rows of a tile with which that many rows are done soonest. */
export function chooseRows(rows: number): number {
  const time = ([height, speed]: readonly [number, number]): number =>
    (Math.ceil(rows / height) * height) / speed;
  return tileSpeeds.reduce((best, next) => (time(next) < time(best) ? next : best))[0];
}

export function lanesOf(dtype: TileType): 2 | 4 {
  return dtype === "f32" ? 4 : 2;
}

/** Columns of a tile. */
export function tileColumns(dtype: TileType): number {
  return 2 * lanesOf(dtype);
}

/**
 * `c[r, v] (+)= Σ_k a[k*rows + r] · b[k, v]` for a tile: a panel of rows, and rows of b that are
 * `ldb` bytes apart; rows of c are `ldc` bytes apart.
 */
export function tileFunction(dtype: TileType, tileRows: number, rounding: Rounding): LoopFunction {
  const lanes = lanesOf(dtype);
  const size = byteSize(dtype);
  const [a, b, c, ldb, ldc, count, accumulate] = parameters(
    "a",
    "b",
    "c",
    "ldb",
    "ldc",
    "count",
    "accumulate",
  );
  const rows = range(tileRows);
  const columns = range(2);
  const sums = rows.map((r) => columns.map((v) => local(`sum${r}${v}`, machine(dtype, lanes))));
  const starts = rows.map((r) => (r === 0 ? c : local(`c${r}`, "i32")));
  const k = local("k", "i32");
  const at = (r: number): Expr => read(starts[r] as Local);
  const sum = (r: number, v: number): Local => (sums[r] as Local[])[v] as Local;
  const each = (make: (r: number, v: number) => Statement): readonly Statement[] =>
    rows.flatMap((r) => columns.map((v) => make(r, v)));
  const [b0, b1] = [local("b0", machine(dtype, lanes)), local("b1", machine(dtype, lanes))];
  const row = local("row", machine(dtype, lanes));
  const grown = (total: Local, factor: Local): Expr => {
    const [x, y, z] = [read(row), read(factor), read(total)];
    if (rounding === "fused") return madd(x, y, z, dtype, lanes);
    return op("add", dtype, [z, op("mul", dtype, [x, y], lanes)], lanes);
  };
  const step = (offset: number): readonly Statement[] => [
    set(b0, load(read(b), constant(0), dtype, lanes)),
    set(b1, load(read(b), constant(lanes), dtype, lanes)),
    set(b, add(read(b), read(ldb))),
    ...rows.flatMap((r) => [
      set(row, splat(load(read(a), constant(offset + r), dtype), dtype, lanes)),
      set(sum(r, 0), grown(sum(r, 0), b0)),
      set(sum(r, 1), grown(sum(r, 1), b1)),
    ]),
  ];
  const even = op("bit_and", "i32", [read(count), constant(-2)]);
  return {
    name: tileName(dtype, tileRows, rounding),
    comment: `a tile of ${tileRows} by ${tileColumns(dtype)} of a matrix product`,
    parameters: [a, b, c, ldb, ldc, count, accumulate],
    body: [
      ...rows.slice(1).map((r) => set(starts[r] as Local, add(at(r - 1), read(ldc)))),
      {
        kind: "if",
        condition: read(accumulate),
        then: each((r, v) => set(sum(r, v), load(at(r), constant(v * lanes), dtype, lanes))),
        otherwise: each((r, v) => set(sum(r, v), constant(0, dtype, lanes))),
      },
      loop(
        k,
        even,
        [...step(0), ...step(tileRows), set(a, add(read(a), constant(2 * tileRows * size)))],
        2,
      ),
      {
        kind: "if",
        condition: op("bit_and", "i32", [read(count), constant(1)]),
        then: step(0),
        otherwise: [],
      },
      ...each((r, v) => store(at(r), constant(v * lanes), dtype, read(sum(r, v)), lanes)),
    ],
    results: [],
    resultTypes: [],
  };
}

function tileName(dtype: TileType, tileRows: number, rounding: Rounding): string {
  return `tile_${dtype}_${tileRows}${rounding === "exact" ? "_exact" : ""}`;
}

/**
 * Packs `extent` rows (of stride `across` elements) of `count` elements (of stride `along`) in
 * panels of `width`, the last one filled up with zeros.
 */
export function packFunction(dtype: TileType, width: number): LoopFunction {
  const lanes = lanesOf(dtype);
  const size = byteSize(dtype);
  const [from, across, along, extent, count, to] = parameters(
    "from",
    "across",
    "along",
    "extent",
    "count",
    "to",
  );
  const [i, k, r, rows, source] = locals("i", "k", "r", "rows", "source");
  const [target, start, head, whole0] = locals("target", "start", "head", "whole");
  const vectors = Math.floor(width / lanes);
  const single = range(width - vectors * lanes).map((r) => vectors * lanes + r);
  // Neighbours along the panel: whole vectors are copied, a few k at a time for all panels, so that
  // lines of the source are still in the cache when the next panel needs their other part.
  const [kb, some] = locals("kb", "some");
  const wholeExtent = subtract(
    read(extent),
    op("index_rem", "i32", [read(extent), constant(width)]),
  );
  const panelBytes = multiply(read(count), constant(width * size));
  const copyPanels = loop(
    kb,
    read(count),
    [
      set(some, minimum(constant(packedTogether), subtract(read(count), read(kb)))),
      set(source, add(read(from), multiply(multiply(read(kb), read(along)), constant(size)))),
      set(start, add(read(to), multiply(read(kb), constant(width * size)))),
      loop(
        i,
        read(whole0),
        [
          set(target, read(start)),
          set(head, read(source)),
          loop(k, read(some), [
            ...range(vectors).map((v) =>
              store(
                read(target),
                constant(v * lanes),
                dtype,
                load(read(head), constant(v * lanes), dtype, lanes),
                lanes,
              ),
            ),
            ...single.map((e) =>
              store(read(target), constant(e), dtype, load(read(head), constant(e), dtype)),
            ),
            set(target, add(read(target), constant(width * size))),
            set(head, add(read(head), multiply(read(along), constant(size)))),
          ]),
          set(source, add(read(source), constant(width * size))),
          set(start, add(read(start), panelBytes)),
        ],
        width,
      ),
    ],
    packedTogether,
  );
  const scalarLoop = (first: Expr): Statement =>
    loop(
      k,
      read(count),
      [
        loop(r, read(rows), [
          store(
            read(to),
            add(multiply(read(k), constant(width)), read(r)),
            dtype,
            load(
              read(from),
              add(multiply(add(read(i), read(r)), read(across)), multiply(read(k), read(along))),
              dtype,
            ),
          ),
        ]),
        loop(
          r,
          constant(width),
          [
            store(
              read(to),
              add(multiply(read(k), constant(width)), read(r)),
              dtype,
              constant(0, dtype),
            ),
          ],
          1,
          read(rows),
        ),
      ],
      1,
      first,
    );
  const whole = op("bit_and", "i32", [read(count), constant(-lanes)]);
  return {
    name: `pack_${dtype}_${width}`,
    comment: `rows of a matrix in panels of ${width}`,
    parameters: [from, across, along, extent, count, to],
    body: [
      set(whole0, constant(0)),
      {
        kind: "if",
        condition: op("eq", "i32", [read(across), constant(1)]),
        then: [
          set(whole0, wholeExtent),
          copyPanels,
          set(
            to,
            add(
              read(to),
              multiply(op("index_div", "i32", [read(whole0), constant(width)]), panelBytes),
            ),
          ),
        ],
        otherwise: [],
      },
      loop(
        i,
        read(extent),
        [
          set(rows, minimum(constant(width), subtract(read(extent), read(i)))),
          set(source, add(read(from), multiply(multiply(read(i), read(across)), constant(size)))),
          set(target, read(to)),
          {
            kind: "if",
            condition: op("and", "bool", [
              op("eq", "i32", [read(rows), constant(width)]),
              op("eq", "i32", [read(along), constant(1)]),
            ]),
            then: [
              ...transposeLoop(dtype, width, whole, k, source, across, target),
              scalarLoop(whole),
            ],
            otherwise: [scalarLoop(constant(0))],
          },
          set(to, add(read(to), panelBytes)),
        ],
        width,
        read(whole0),
      ),
    ],
    results: [],
    resultTypes: [],
  };
}

/** Elements that are neighbours along k: blocks of lanes by lanes are transposed in registers. */
function transposeLoop(
  dtype: TileType,
  width: number,
  whole: Expr,
  k: Local,
  source: Local,
  across: Local,
  target: Local,
): readonly Statement[] {
  const lanes = lanesOf(dtype);
  const size = byteSize(dtype);
  const heads = range(width).map((r) => (r === 0 ? source : local(`source${r}`, "i32")));
  const vectors = range(lanes).map((v) => local(`x${v}`, machine(dtype, lanes)));
  const halves = range(lanes).map((v) => local(`y${v}`, machine(dtype, lanes)));
  const head = (r: number): Local => heads[r] as Local;
  const groups = Math.floor(width / lanes);
  const block = (group: number): readonly Statement[] => {
    const loads = vectors.map((x, v) =>
      set(x, load(read(head(group * lanes + v)), constant(0), dtype, lanes)),
    );
    const [transposed, before] = transpose(dtype, vectors, halves);
    return [
      ...loads,
      ...before,
      ...transposed.map((value, step) =>
        store(read(target), constant(step * width + group * lanes), dtype, value, lanes),
      ),
    ];
  };
  return [
    ...range(width - 1).map((r) =>
      set(head(r + 1), add(read(head(r)), multiply(read(across), constant(size)))),
    ),
    loop(
      k,
      whole,
      [
        ...range(groups).flatMap(block),
        // Rows that do not fill a group are copied one element at a time.
        ...range(lanes).flatMap((step) =>
          range(width - groups * lanes).map((r) => {
            const at = groups * lanes + r;
            const value = load(read(head(at)), constant(step), dtype);
            return store(read(target), constant(step * width + at), dtype, value);
          }),
        ),
        set(target, add(read(target), constant(lanes * width * size))),
        ...heads.map((of) => set(of, add(read(of), constant(lanes * size)))),
      ],
      lanes,
    ),
  ];
}

/** Rows of a small square block as columns. */
function transpose(
  dtype: TileType,
  x: readonly Local[],
  y: readonly Local[],
): readonly [readonly Expr[], readonly Statement[]] {
  const lanes: Lanes = lanesOf(dtype);
  const shuffle = (a: Local, b: Local, ...picks: number[]): Expr => ({
    kind: "shuffle",
    dtype,
    lanes,
    picks,
    a: read(a),
    b: read(b),
  });
  if (lanes === 2) {
    const [x0, x1] = x as [Local, Local];
    return [[shuffle(x0, x1, 0, 2), shuffle(x0, x1, 1, 3)], []];
  }
  const [x0, x1, x2, x3] = x as [Local, Local, Local, Local];
  const [y0, y1, y2, y3] = y as [Local, Local, Local, Local];
  return [
    [
      shuffle(y0, y1, 0, 1, 4, 5),
      shuffle(y0, y1, 2, 3, 6, 7),
      shuffle(y2, y3, 0, 1, 4, 5),
      shuffle(y2, y3, 2, 3, 6, 7),
    ],
    [
      set(y0, shuffle(x0, x1, 0, 4, 1, 5)),
      set(y1, shuffle(x2, x3, 0, 4, 1, 5)),
      set(y2, shuffle(x0, x1, 2, 6, 3, 7)),
      set(y3, shuffle(x2, x3, 2, 6, 3, 7)),
    ],
  ];
}

/**
 * All tiles of a block: `c (+)= A · B` for packed A (`rows` by `count`) and rows of B in panels, or
 * B itself: `panel` bytes from one panel of columns to the next, `ldb` from one k to the next.
 * Tiles that reach over the edge are made in `spare` and copied in part; exact ones start there
 * from what c holds.
 */
export function blockFunction(dtype: TileType, tileRows: number, rounding: Rounding): LoopFunction {
  const size = byteSize(dtype);
  const width = tileColumns(dtype);
  const [a, b, panel, ldb, c, ldc, rows, columns, count, accumulate, spare] = parameters(
    "a",
    "b",
    "panel",
    "ldb",
    "c",
    "ldc",
    "rows",
    "columns",
    "count",
    "accumulate",
    "spare",
  );
  const [i, j, ap, bp, cp] = locals("i", "j", "ap", "bp", "cp");
  const [r, v, high, wide] = locals("r", "v", "high", "wide");
  const tile = (target: Expr, stride: Expr, add_: Expr): Statement => ({
    kind: "call",
    callee: tileName(dtype, tileRows, rounding),
    operands: [read(ap), read(bp), target, read(ldb), stride, read(count), add_],
    results: [],
  });
  const spareAt = add(multiply(read(r), constant(width)), read(v));
  const target = add(read(cp), multiply(read(r), read(ldc)));
  const eachOfTile = (statement: Statement): Statement =>
    loop(r, read(high), [loop(v, read(wide), [statement])]);
  const copyOut = (value: Expr): Statement => eachOfTile(store(target, read(v), dtype, value));
  const fromSpare = load(read(spare), spareAt, dtype);
  const inSpare = (add_: Expr): Statement => tile(read(spare), constant(width * size), add_);
  const old = load(target, read(v), dtype);
  const edge: readonly Statement[] =
    rounding === "fused"
      ? [
          inSpare(constant(0)),
          {
            kind: "if",
            condition: read(accumulate),
            then: [copyOut(op("add", dtype, [old, fromSpare]))],
            otherwise: [copyOut(fromSpare)],
          },
        ]
      : [
          {
            kind: "if",
            condition: read(accumulate),
            then: [eachOfTile(store(read(spare), spareAt, dtype, old))],
            otherwise: [],
          },
          inSpare(read(accumulate)),
          copyOut(fromSpare),
        ];
  const full = op("and", "bool", [
    op("eq", "i32", [read(high), constant(tileRows)]),
    op("eq", "i32", [read(wide), constant(width)]),
  ]);
  return {
    name: `block_${dtype}_${tileRows}${rounding === "exact" ? "_exact" : ""}`,
    comment: "the tiles of a block of a matrix product",
    parameters: [a, b, panel, ldb, c, ldc, rows, columns, count, accumulate, spare],
    body: [
      loop(
        j,
        read(columns),
        [
          set(wide, minimum(constant(width), subtract(read(columns), read(j)))),
          set(bp, add(read(b), multiply(divide(read(j), constant(width)), read(panel)))),
          loop(
            i,
            read(rows),
            [
              set(high, minimum(constant(tileRows), subtract(read(rows), read(i)))),
              set(ap, add(read(a), multiply(multiply(read(i), read(count)), constant(size)))),
              set(
                cp,
                add(add(read(c), multiply(read(i), read(ldc))), multiply(read(j), constant(size))),
              ),
              {
                kind: "if",
                condition: full,
                then: [tile(read(cp), read(ldc), read(accumulate))],
                otherwise: edge,
              },
            ],
            tileRows,
          ),
        ],
        width,
      ),
    ],
    results: [],
    resultTypes: [],
  };
}

/** Changes the signs of that many elements. */
export function negateFunction(dtype: TileType): LoopFunction {
  const [at, count, i] = locals("at", "count", "i");
  const element = load(read(at), read(i), dtype);
  return {
    name: `negate_${dtype}`,
    comment: "elements with their signs changed",
    parameters: [at, count],
    body: [loop(i, read(count), [store(read(at), read(i), dtype, op("neg", dtype, [element]))])],
    results: [],
    resultTypes: [],
  };
}

export function range(count: number): readonly number[] {
  return [...Array(count).keys()];
}

function locals<const N extends readonly string[]>(...names: N): { [K in keyof N]: Local } {
  return names.map((name) => local(name, "i32")) as { [K in keyof N]: Local };
}

function parameters<const N extends readonly string[]>(...names: N): { [K in keyof N]: Local } {
  return locals(...names);
}
