/**
 * Colourings of patterns, greedily and the largest first.
 *
 * Columns that no row has in common can share a direction v: then (J v)ᵢ is the one entry of row i
 * among them. For a symmetric matrix fewer directions do, since an entry may also be read from its
 * mirror image: neighbours differ, and no path of four has two colours only (a star colouring).
 */

/** A pattern by rows, the columns of each ascending. */
export interface Pattern {
  readonly shape: readonly [rows: number, columns: number];
  readonly rowPointers: Int32Array;
  readonly columns: Int32Array;
}

/** The columns of a row. */
export function rowOf({ rowPointers, columns }: Pattern, row: number): Int32Array {
  return columns.subarray(rowPointers[row], rowPointers[row + 1]);
}

export interface Colours {
  /** Of each column (or row), from 0. */
  readonly colours: Int32Array;
  readonly count: number;
}

export interface Colouring extends Colours {
  /**
   * For each entry where it stands in the derivatives along the directions of the colours, one
   * after the other.
   */
  readonly sources: Int32Array;
}

/** Colours for the columns, from the pattern by rows and by columns. */
export function colourColumns(rows: Pattern, byColumns: Pattern): Colours {
  const [, size] = rows.shape;
  const degrees = Float64Array.from({ length: size }, (_, j) =>
    rowOf(byColumns, j).reduce((sum, i) => sum + rowOf(rows, i).length - 1, 0),
  );
  const colours = new Int32Array(size).fill(-1);
  const choice = new Choice(size);
  for (const j of largestFirst(degrees)) {
    for (const i of rowOf(byColumns, j)) {
      for (const other of rowOf(rows, i)) choice.forbid(colours[other], j);
    }
    colours[j] = choice.least(j);
  }
  return { colours, count: choice.count };
}

/** A star colouring of a symmetric pattern. */
export function starColouring(pattern: Pattern): Colouring {
  const [size] = pattern.shape;
  const degrees = Float64Array.from({ length: size }, (_, v) => rowOf(pattern, v).length);
  const colours = new Int32Array(size).fill(-1);
  const choice = new Choice(size);
  const neighbours = new Neighbours(size);
  for (const v of largestFirst(degrees)) {
    for (const w of rowOf(pattern, v)) {
      const colour = colours[w] as number;
      if (w === v || colour < 0) continue;
      choice.forbid(colour, v);
      // A path x w v q with w and q alike: x may not be as v. And a path v w x y with w and y alike.
      const others = neighbours.count(v, colour) > 1 ? rowOf(pattern, w) : neighbours.hubs(w);
      for (const x of others) choice.forbid(colours[x], v);
    }
    colours[v] = choice.least(v);
    for (const w of rowOf(pattern, v)) if (w !== v) neighbours.add(w, v, colours[v]);
  }
  // h(i, j) is alone in row i among the columns of the colour of j, or alone in row j among those of
  // the colour of i.
  const sources = new Int32Array(pattern.columns.length);
  let k = 0;
  for (let i = 0; i < size; i++) {
    for (const j of rowOf(pattern, i)) {
      const [own, other] = [colours[i] as number, colours[j] as number];
      const isAlone = i === j || neighbours.count(i, other) === 1;
      sources[k++] = isAlone ? other * size + i : own * size + j;
    }
  }
  return { colours, count: choice.count, sources };
}

/** The least colour that nothing forbids. */
class Choice {
  /** For each colour the last vertex that may not have it. */
  private readonly forbidden: Int32Array;
  /** How many colours there are so far. */
  count = 0;

  constructor(size: number) {
    this.forbidden = new Int32Array(size).fill(-1);
  }

  /** What has no colour yet has -1, and forbids nothing. */
  forbid(colour: number | undefined, vertex: number): void {
    if (colour !== undefined && colour >= 0) this.forbidden[colour] = vertex;
  }

  least(vertex: number): number {
    let colour = 0;
    while (this.forbidden[colour] === vertex) colour++;
    this.count = Math.max(this.count, colour + 1);
    return colour;
  }
}

/** How many neighbours of a vertex have a colour. */
class Neighbours {
  private readonly size: number;
  private readonly counts = new Map<number, { count: number; readonly first: number }>();
  private readonly hubsOf: (number[] | undefined)[] = [];

  constructor(size: number) {
    this.size = size;
  }

  count(vertex: number, colour: number): number {
    return this.counts.get(vertex * this.size + colour)?.count ?? 0;
  }

  /** The neighbours of a vertex that have more neighbours of its colour. */
  hubs(vertex: number): readonly number[] {
    return this.hubsOf[vertex] ?? [];
  }

  /** A neighbour of `vertex` has got its colour. */
  add(vertex: number, neighbour: number, colour: number | undefined): void {
    const key = vertex * this.size + (colour as number);
    const known = this.counts.get(key);
    if (known === undefined) {
      this.counts.set(key, { count: 1, first: neighbour });
      return;
    }
    if (known.count === 1) this.addHub(known.first, vertex);
    known.count++;
    this.addHub(neighbour, vertex);
  }

  private addHub(vertex: number, hub: number): void {
    (this.hubsOf[vertex] ??= []).push(hub);
  }
}

/** Positions by descending degree; in their order where it is the same. */
function largestFirst(degrees: Float64Array): Int32Array {
  const order = Int32Array.from(degrees, (_, k) => k);
  return order.sort((a, b) => (degrees[b] as number) - (degrees[a] as number) || a - b);
}
