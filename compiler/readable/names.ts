/** Names of variables: those of the user, and never one twice in one scope. */

export class Names {
  /** Names taken, in the blocks around the current place. */
  private scopes: Set<string>[] = [new Set()];

  /** Names given inside of `body` are free again after it. */
  within<T>(body: () => T): T {
    this.scopes.push(new Set());
    const result = body();
    this.scopes.pop();
    return result;
  }

  /** In a function of its own, which sees only these names of what is around it. */
  inFunction<T>(seen: Iterable<string>, body: () => T): T {
    const around = this.scopes;
    this.scopes = [new Set(seen)];
    const result = body();
    this.scopes = around;
    return result;
  }

  /** A name that is not taken: letters, digits and underscores. */
  fresh(wanted: string): string {
    const plain = wanted.replaceAll(/\W+/g, "_").replace(/^(?=\d)/, "_");
    const base = reserved.has(plain) ? `${plain}_` : plain;
    let name = base;
    for (let k = 2; this.isTaken(name); k++) name = `${base}${k}`;
    return this.take(name);
  }

  /** A name for a counter: the user's, or the next of i, j, k. */
  counter(wanted?: string): string {
    const letter = ["i", "j", "k", "l", "m"].find((name) => !this.isTaken(name));
    if (wanted !== undefined && !(wanted === "i" && this.isTaken("i"))) return this.fresh(wanted);
    return letter === undefined ? this.fresh("i") : this.take(letter);
  }

  private isTaken(name: string): boolean {
    return this.scopes.some((scope) => scope.has(name));
  }

  private take(name: string): string {
    this.scopes.at(-1)?.add(name);
    return name;
  }
}

const reserved = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum " +
    "eval export extends false finally for function if implements import in instanceof interface " +
    "let new null package private protected public return static super switch this throw true try " +
    "typeof undefined var void while with yield number boolean Math Number Array NaN Infinity " +
    "Float64Array Float32Array Float16Array Int32Array Uint8Array Uint32Array Tensor"
  ).split(" "),
);
