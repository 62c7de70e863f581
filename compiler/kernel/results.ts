/** Where the array results of a function go: memory of the caller, written directly if it can be. */

import type { Equation, Fn, Value } from "../ir/types.ts";
import { movesOf } from "../ir/walk.ts";
import { type Buffer, rootsOf } from "./buffer.ts";
import { movedInto } from "./calls.ts";
import { type Expr, type Local, local, read } from "./loop.ts";
import type { Program } from "./program.ts";

export class ResultTargets {
  /** Parameters of the function: addresses that the caller gives. */
  readonly pointers: Local[] = [];
  private readonly targets: (Buffer | undefined)[] = [];
  private readonly program: Program;
  private readonly results: readonly Value[];
  private readonly moves: Fn["moves"];

  constructor(program: Program, results: readonly Value[], moves?: Fn["moves"]) {
    this.program = program;
    this.results = results;
    this.moves = moves;
  }

  /** Called with the parameters in place: `parameters` are the buffers of those that are arrays. */
  prepare(parameters: readonly (Buffer | undefined)[]): void {
    const { program, results } = this;
    const origins = movedInto(this.moves, results);
    results.forEach((result, k) => {
      const { type, name } = result;
      const bytes = program.bytesOf(type);
      const origin = origins[k];
      if (origin !== undefined) {
        this.targets.push(parameters[origin]);
        return;
      }
      if (type.stack || type.shape.length === 0 || !program.isPlanned(bytes)) {
        this.targets.push(undefined);
        return;
      }
      const pointer = local(`result${k}`, "i32");
      this.pointers.push(pointer);
      const target = program.makeBuffer("result", name ?? `result${k}`, bytes, pointer);
      this.targets.push(target);
      const source = this.origin(result);
      if (!program.resultBuffers.has(source)) program.resultBuffers.set(source, target);
    });
  }

  target(k: number): Buffer | undefined {
    return this.targets[k];
  }

  /** The array results in memory; none lies where another one is about to be written. */
  settle(results: readonly Value[]): readonly (Buffer | undefined)[] {
    const { program, targets } = this;
    const buffers = results.map(({ type }, k) =>
      type.stack || type.shape.length === 0 ? undefined : program.buffer(results[k] as Value),
    );
    return buffers.map((buffer, k) => {
      if (buffer === undefined || buffer === targets[k]) return buffer;
      const written = targets.filter((target, j) => j !== k && target !== buffers[j]);
      if (!rootsOf(buffer).some((root) => written.includes(root))) return buffer;
      const kept = program.allocate("kept", program.bytesOf((results[k] as Value).type));
      this.copyOut(results[k] as Value, buffer, read(kept.pointer));
      return kept;
    });
  }

  /** Copies a result to its target, unless it can only be there. */
  bring(result: Value, buffer: Buffer, target: Buffer): void {
    if (rootsOf(buffer).some((root) => root !== target)) {
      this.copyOut(result, buffer, read(target.pointer));
    }
  }

  copyOut(result: Value, buffer: Buffer, to: Expr): void {
    const { program } = this;
    program.buffer(result);
    const bytes = program.dim(program.bytesOf(result.type));
    const span = program.definition(result)?.span;
    program.emit({ kind: "copy", to, from: read(buffer.pointer), bytes, span });
  }

  /** The value whose memory the result takes over: through renamings and updates in place. */
  private origin(value: Value): Value {
    const producer = this.program.frames[0]?.block.equations.find((equation) =>
      equation.outputs.includes(value),
    );
    if (producer === undefined) return value;
    const input = this.sameMemory(producer, value);
    if (input === undefined || this.program.uses.count(input) !== 1) return value;
    return input.type.shape.length === 0 ? value : this.origin(input);
  }

  private sameMemory(producer: Equation, value: Value): Value | undefined {
    const { op, inputs, outputs } = producer;
    switch (op) {
      case "if":
      case "map":
        return undefined;
      case "for":
        return inputs[outputs.indexOf(value) + 1];
      case "while":
        return inputs[outputs.indexOf(value)];
      case "call":
        return movesOf(producer).find(([, output]) => output === value)?.[0];
      default: {
        const { laws, lower } = this.program.op(op);
        const consumed = laws.consumes?.[0];
        if (consumed !== undefined) return inputs[consumed];
        return lower.kind === "element" && lower.alias === true ? inputs[0] : undefined;
      }
    }
  }
}
