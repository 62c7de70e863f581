/** Names of the code being read, by block. */

import type { Place } from "./heap.ts";
import type { ReaderValue } from "./values.ts";

export interface Binding {
  readonly place: Place<ReaderValue>;
  readonly constant: boolean;
}

/** A call of a user's function that is being read. */
export interface Activation {
  readonly returned: Place<ReaderValue>;
  readonly returnTarget: number;
  readonly name: string;
}

/** A loop, `switch` or labelled block that `break` and `continue` may leave. */
export interface Jump {
  readonly label: string | undefined;
  readonly breakTarget: number;
  /** Undefined where `continue` does not stop. */
  readonly continueTarget: number | undefined;
  /** False for a labelled block, which a plain `break` passes by. */
  readonly plain: boolean;
}

export class Scope {
  readonly parent: Scope | undefined;
  readonly activation: Activation | undefined;
  readonly jump: Jump | undefined;
  private readonly names = new Map<string, Binding>();

  constructor(parent?: Scope, inside: { activation?: Activation; jump?: Jump } = {}) {
    this.parent = parent;
    this.activation = inside.activation ?? parent?.activation;
    this.jump = inside.jump;
  }

  declare(name: string, binding: Binding): void {
    this.names.set(name, binding);
  }

  lookup(name: string): Binding | undefined {
    return this.names.get(name) ?? this.parent?.lookup(name);
  }

  /** The jump that `break` or `continue` with this label means. */
  findJump(label: string | undefined, kind: "break" | "continue"): Jump | undefined {
    const jump = this.jump;
    const fits =
      jump !== undefined &&
      (label === undefined ? jump.plain : jump.label === label) &&
      (kind === "break" || jump.continueTarget !== undefined);
    if (fits) return jump;
    if (this.parent?.activation !== this.activation) return undefined;
    return this.parent?.findJump(label, kind);
  }
}
