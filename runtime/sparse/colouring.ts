/**
 * Colourings of patterns, greedily and the largest first.
 *
 * Columns that no row has in common can share a direction v: then (J v)ᵢ is the one entry of row i
 * among them. For a symmetric matrix fewer directions do, since an entry may also be read from its
 * mirror image: neighbours differ, and so do some two on every path of four (a star colouring).
 */

/** Ascending columns of each row. */
interface Pattern {
  readonly shape: readonly [number, number];
  readonly rowPointers: Int32Array;
  readonly columns: Int32Array;
}

export interface Colouring {
  /** Of each column (or row), from 0. */
  readonly colours: Int32Array;
  readonly count: number;
  /**
   * For each entry where it stands in the derivatives along the directions of the colours, one
   * after the other.
   */
  readonly sources: Int32Array;
}

/** Colours for the columns, from the pattern by rows and by columns. */
export function colourColumns(
  rows: Pattern,
  byColumns: Pattern,
): { readonly colours: Int32Array; readonly count: number } {
  const columns = rows.shape[1];
  const degrees = new Float64Array(columns);
  for (let j = 0; j < columns; j++) {
    for (let k = byColumns.rowPointers[j]!; k < byColumns.rowPointers[j + 1]!; k++) {
      const i = byColumns.columns[k]!;
      degrees[j]! += rows.rowPointers[i + 1]! - rows.rowPointers[i]! - 1;
    }
  }
  const colours = new Int32Array(columns).fill(-1);
  /** For each colour the last column that may not have it. */
  const forbidden = new Int32Array(columns).fill(-1);
  let count = 0;
  for (const j of largestFirst(degrees)) {
    for (let k = byColumns.rowPointers[j]!; k < byColumns.rowPointers[j + 1]!; k++) {
      const i = byColumns.columns[k]!;
      for (let n = rows.rowPointers[i]!; n < rows.rowPointers[i + 1]!; n++) {
        const colour = colours[rows.columns[n]!]!;
        if (colour >= 0) forbidden[colour] = j;
      }
    }
    const colour = firstAllowed(forbidden, j);
    colours[j] = colour;
    count = Math.max(count, colour + 1);
  }
  return { colours, count };
}

/** A star colouring of a symmetric pattern. */
export function starColouring({ shape, rowPointers, columns }: Pattern): Colouring {
  const size = shape[0];
  const degrees = Float64Array.from(
    { length: size },
    (_, v) => rowPointers[v + 1]! - rowPointers[v]!,
  );
  const colours = new Int32Array(size).fill(-1);
  const forbidden = new Int32Array(size).fill(-1);
  /** How many neighbours of a vertex have a colour, and the first of them. */
  const sharing = new Map<number, { count: number; readonly first: number }>();
  const keyOf = (vertex: number, colour: number): number => vertex * size + colour;
  /** Of a vertex the neighbours that have more neighbours of its colour. */
  const hubs: (number[] | undefined)[] = [];
  const addHub = (vertex: number, hub: number): void => {
    (hubs[vertex] ??= []).push(hub);
  };
  let count = 0;
  for (const v of largestFirst(degrees)) {
    for (let k = rowPointers[v]!; k < rowPointers[v + 1]!; k++) {
      const w = columns[k]!;
      const shared = colours[w]!;
      if (w === v || shared < 0) continue;
      forbidden[shared] = v;
      if (sharing.get(keyOf(v, shared))!.count > 1) {
        // Two neighbours of v have the colour of w: nothing else beside w may have that of v.
        for (let n = rowPointers[w]!; n < rowPointers[w + 1]!; n++) {
          const colour = colours[columns[n]!]!;
          if (colour >= 0) forbidden[colour] = v;
        }
      } else {
        for (const hub of hubs[w] ?? []) {
          if (colours[hub]! >= 0) forbidden[colours[hub]!] = v;
        }
      }
    }
    const colour = firstAllowed(forbidden, v);
    colours[v] = colour;
    count = Math.max(count, colour + 1);
    for (let k = rowPointers[v]!; k < rowPointers[v + 1]!; k++) {
      const w = columns[k]!;
      if (w === v) continue;
      const known = sharing.get(keyOf(w, colour));
      if (known === undefined) {
        sharing.set(keyOf(w, colour), { count: 1, first: v });
        continue;
      }
      if (known.count === 1) addHub(known.first, w);
      known.count++;
      addHub(v, w);
    }
  }
  // h(i, j) is alone in row i among the columns of the colour of j, or alone in row j among those of
  // the colour of i.
  const sources = new Int32Array(columns.length);
  for (let i = 0; i < size; i++) {
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) {
      const j = columns[k]!;
      const alone = i === j || sharing.get(keyOf(i, colours[j]!))!.count === 1;
      sources[k] = alone ? colours[j]! * size + i : colours[i]! * size + j;
    }
  }
  return { colours, count, sources };
}

/** Positions by descending degree; in their order where it is the same. */
function largestFirst(degrees: Float64Array): Int32Array {
  const order = Int32Array.from(degrees, (_, k) => k);
  return order.sort((a, b) => degrees[b]! - degrees[a]! || a - b);
}

function firstAllowed(forbidden: Int32Array, vertex: number): number {
  let colour = 0;
  while (forbidden[colour] === vertex) colour++;
  return colour;
}
