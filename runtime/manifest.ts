/** What the compiler tells the runtime of a program: plain JSON data. */

export type DType = "f64" | "f32" | "f16" | "i32" | "u32" | "u8" | "bool";

/** A dimension: an integer, or a polynomial with integer coefficients over symbolic extents. */
export type Dim = number | SymbolicDim;
export interface SymbolicDim {
  readonly terms: readonly Term[];
}
interface Term {
  readonly coefficient: number;
  readonly factors: readonly (string | Quotient)[];
}
/** The floor of a quotient. */
interface Quotient {
  readonly dividend: SymbolicDim;
  readonly divisor: number;
}

/** How a value of the program stands in JavaScript. */
export type Tree = Leaf | RecordTree | TupleTree | TableTree | ConstantTree;

/** One value of the graph. `typed` is a `Float64Array`…, `array` a `number[]`, nested by rank. */
export interface Leaf {
  readonly kind: "leaf";
  readonly as: "number" | "boolean" | "typed" | "array" | "tensor";
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}
export interface RecordTree {
  readonly kind: "record";
  readonly fields: readonly (readonly [name: string, tree: Tree])[];
}
export interface TupleTree {
  readonly kind: "tuple";
  readonly items: readonly Tree[];
}
/**
 * An array of records, tuples or tables: a leaf of `columns` has the length of the array as an extent,
 * after those of the tables around it, and `as` says what one element is.
 */
export interface TableTree {
  readonly kind: "table";
  readonly columns: Tree;
}
/** A value known when the program was compiled: no value of the graph stands for it. */
export interface ConstantTree {
  readonly kind: "constant";
  readonly value: Constant | OtherNumber;
}
export type Constant = undefined | null | string | number | boolean;
/** A number that JSON cannot write, as text: `Infinity`, `-Infinity`, `NaN`, `-0`. */
interface OtherNumber {
  readonly number: string;
}

export function constantTree(value: Constant): ConstantTree {
  const isOther = typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0));
  const text = Object.is(value, -0) ? "-0" : String(value);
  return { kind: "constant", value: isOther ? { number: text } : value };
}

export function constantOf({ value }: ConstantTree): Constant {
  return typeof value === "object" && value !== null ? Number(value.number) : value;
}

/** The values of the graph in a tree, in order. */
export function leavesOf(tree: Tree): readonly Leaf[] {
  switch (tree.kind) {
    case "leaf":
      return [tree];
    case "record":
      return tree.fields.flatMap(([, field]) => leavesOf(field));
    case "tuple":
      return tree.items.flatMap(leavesOf);
    case "table":
      return leavesOf(tree.columns);
    case "constant":
      return [];
  }
}

/**
 * Whether there is more than tensors in a result: where programs answer later it is a promise then,
 * as `OnDevice` in `lang/roots.ts` says.
 */
export function isPlain(result: Tree): boolean {
  switch (result.kind) {
    case "leaf":
      return result.as !== "tensor";
    case "record":
      return result.fields.some(([, field]) => isPlain(field));
    case "tuple":
      return result.items.some(isPlain);
    case "table":
      return true;
    case "constant":
      return result.value !== undefined;
  }
}

export interface Argument {
  readonly name: string;
  readonly tree: Tree;
  /** What stands for an argument that is not given: a tree without leaves. */
  readonly default?: Tree | undefined;
}

/** Graphics devices. */
export type DeviceName = "webgpu" | "webgl";

export interface Manifest {
  readonly name: string;
  readonly target: "js" | "wasm" | DeviceName;
  /** Their leaves, then those of `captured`, are the root parameters of the graph, in order. */
  readonly parameters: readonly Argument[];
  readonly captured: readonly Argument[];
  /** Its leaves are the results of the root, in order. */
  readonly result: Tree;
  readonly layout: Layout;
  /** What the launches of a program for a graphics device compute, where the build keeps that. */
  readonly kernels?: readonly KernelOrigin[] | undefined;
}

/** What a kernel computes, and the code that it comes from, as `file:line`. */
export interface KernelOrigin {
  readonly name: string;
  readonly places: readonly string[];
}

/**
 * How to call the exported function `run`. Its parameters are: one a leaf (a scalar by value, an
 * array as its address), one address for each array result whose shape is known before the call,
 * one i32 for each symbol, and the address of the arena.
 */
export interface Layout {
  /** Symbolic extents, bound from the shapes of the arguments. */
  readonly symbols: readonly string[];
  /** Size of the arena in bytes: for each slot the largest of its sizes, each rounded up to 16. */
  readonly arena: readonly (readonly Dim[])[];
  readonly results: readonly ResultPlace[];
  /** Leaves of arguments that the program takes over. */
  readonly donated: readonly number[];
  /** Of a donated leaf, the result that may be passed the same address. */
  readonly inPlace: readonly (readonly [leaf: number, result: number])[];
  /** Extents that the program binds itself and that shapes of results mention. */
  readonly bound: readonly { readonly symbol: string; readonly offset: number }[];
  /** Arrays of constants, as text (`binary.ts`); the program is given its address as the import `constants`. */
  readonly constants: string;
  readonly sites: readonly Site[];
  /** Names of the functions of `Math` and of our own that the code imports. */
  readonly imports: readonly string[];
}

/** Where a result is after the call. Offsets are bytes from the start of the arena. */
export type ResultPlace =
  /** The function's own result. */
  | { readonly kind: "returned" }
  | { readonly kind: "stored"; readonly offset: number }
  /** Written to the address that was passed. */
  | { readonly kind: "passed" }
  /** Allocated by the program, which stored the address. */
  | { readonly kind: "allocated"; readonly offset: number };

/** A place in the program that can fail at run time. */
export interface Site {
  /** `index`: out of range; `length`: below zero; `extent`: not the one that belongs here; … */
  readonly kind: "index" | "start" | "length" | "extent" | "stack";
  readonly op: string;
  /** What the user calls the array, when it has a name. */
  readonly name?: string | undefined;
  /** `file:line`, when known. */
  readonly place: string;
}

/** Bytes, or the text of them (`binary.ts`). */
export type Binary = Uint8Array | string;

/**
 * A binary in pieces of another one, `[skip, length]`, and bytes in between. `skip` counts from the
 * end of the piece before.
 */
type Edits = readonly (readonly [skip: number, length: number] | Binary)[];

/**
 * The code of a program: WebAssembly, and how to make of it the variant for engines with relaxed
 * SIMD; or the text of a JavaScript function.
 */
export type Code =
  | { readonly kind: "wasm"; readonly plain: Binary; readonly relaxed?: Edits | undefined }
  | { readonly kind: "js"; readonly text: string };

/** Entries that a graphics device runs, and the host's part, which starts them. */
export type GpuCode = WebgpuCode | WebglCode;

export interface HostPart {
  /** From its environment to `run`, or the text of that function. */
  readonly host: string | ((environment: HostEnvironment) => (...operands: number[]) => void);
  /** The entry that each launch of the host's part starts. */
  readonly launches: readonly number[];
  /** Words that entries leave for each other. */
  readonly cells: number;
}

export interface WebgpuCode extends HostPart {
  readonly kind: "webgpu";
  /** What all entries begin with, and functions that some of them call. */
  readonly frame: string;
  readonly functions: readonly string[];
  readonly entries: readonly WebgpuEntry[];
}

/** A kernel, `entry_0`, `entry_1` and so on, which is a module of its own for the device. */
export interface WebgpuEntry {
  /** `1` or `n` threads, then the types of its parameters, `i` or `f` each. */
  readonly types: string;
  readonly text: string;
  /** The functions that it calls, and those that they call, callees first. */
  readonly uses: readonly number[];
}

export interface WebglCode extends HostPart {
  readonly kind: "webgl";
  /** Functions that some fragment programs call. */
  readonly functions: readonly string[];
  readonly entries: readonly (WebglEntry | HostEntry)[];
}

/** A fragment program, `thread`, in which each thread stores at most once in each of its sites. */
export interface WebglEntry {
  /** `1` or `n` threads, then the types of its parameters, `i` or `f` each. */
  readonly types: string;
  /** Its texts; the first one whose conditions hold is run. The last one has none. */
  readonly forms: readonly WebglForm[];
  readonly sites: number;
  /** True where each thread stores in the word after the one of the thread before it. */
  readonly isDirect: boolean;
  readonly mayFail: boolean;
}

export interface WebglForm {
  readonly text: string;
  readonly uses: readonly number[];
  /** Where a call of `thread` does four threads: the parameters that it takes for multiples of 16. */
  readonly aligned?: readonly number[];
  /** The parameters that have to be multiples of four. */
  readonly fours?: readonly number[];
  /**
   * The same for four rows of threads at once, each `neighbours` threads after the one before: so
   * many, or as many as a parameter says.
   */
  readonly rows?: { readonly neighbours: number | readonly number[]; readonly text: string };
}

/** What the processor does in the words of the device: `entry(threads, cells, …parameters)`. */
export interface HostEntry {
  readonly types: string;
  readonly host: string | ((environment: WordsEnvironment) => (...operands: number[]) => void);
}

export interface WordsEnvironment {
  readonly constants: number;
  readonly math: Readonly<Record<string, (...operands: number[]) => number>>;
  readonly views: {
    readonly f32: Float32Array;
    readonly i32: Int32Array;
    /** Not zero for the rows that were stored in. */
    readonly written: Uint8Array;
  };
  readonly fault: (site: number, index: number, extent: number) => never;
  readonly copy: (to: number, from: number, bytes: number) => void;
  readonly clear: (to: number, bytes: number) => void;
}

export interface HostEnvironment {
  /** Where constants are; cells follow them. */
  readonly constants: number;
  readonly math: Readonly<Record<string, (...operands: number[]) => number>>;
  /** Starts the entry of a launch with so many threads. */
  readonly launch: (launch: number, threads: number, ...operands: number[]) => void;
  readonly allocate: (bytes: number) => number;
  readonly release: (address: number) => void;
  readonly fault: (site: number, index: number, extent: number) => never;
  /** An address or an extent that the call's frame would hold at that offset. */
  readonly hand_over: (offset: number, value: number) => void;
}
