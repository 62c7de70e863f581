/** Bytes that are appended to, in the encodings of WebAssembly. */

export class Bytes {
  private data = new Uint8Array(64);
  private size = 0;

  static unsigned(value: number): Bytes {
    const bytes = new Bytes();
    bytes.unsigned(value);
    return bytes;
  }

  get length(): number {
    return this.size;
  }

  finish(): Uint8Array {
    return this.data.slice(0, this.size);
  }

  byte(value: number): void {
    this.room(1);
    this.data[this.size++] = value;
  }

  raw(values: readonly number[]): void {
    for (const value of values) this.byte(value);
  }

  append(other: Bytes): void {
    this.room(other.size);
    this.data.set(other.data.subarray(0, other.size), this.size);
    this.size += other.size;
  }

  /** LEB128: seven bits a byte, lowest first. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest & 127) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  signed(value: bigint): void {
    let rest = value;
    for (;;) {
      const low = Number(rest & 127n);
      rest >>= 7n;
      if ((rest === 0n && low < 64) || (rest === -1n && low >= 64)) {
        this.byte(low);
        return;
      }
      this.byte(low | 128);
    }
  }

  float32(value: number): void {
    this.room(4);
    new DataView(this.data.buffer).setFloat32(this.size, value, true);
    this.size += 4;
  }

  float64(value: number): void {
    this.room(8);
    new DataView(this.data.buffer).setFloat64(this.size, value, true);
    this.size += 8;
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.unsigned(bytes.length);
    this.raw([...bytes]);
  }

  /** A section of a module: a list of entries. */
  section(id: number, entries: readonly Bytes[]): void {
    if (entries.length === 0) return;
    const content = Bytes.unsigned(entries.length);
    for (const entry of entries) content.append(entry);
    this.byte(id);
    this.unsigned(content.length);
    this.append(content);
  }

  truncate(length: number): void {
    this.size = length;
  }

  private room(more: number): void {
    const needed = this.size + more;
    if (needed <= this.data.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.data.length));
    larger.set(this.data.subarray(0, this.size));
    this.data = larger;
  }
}
