/**
 * Which device programs for "auto" run on. There is one choice for the process: programs start on
 * wasm, and when a device is open and has compiled those that are loaded, all go there from their
 * next call on.
 */

import type { Queue } from "../gpu/queue.ts";
import { loaded } from "../loaded.ts";
import type { DeviceName, Manifest } from "../manifest.ts";

type Target = Manifest["target"];

/** The devices that there may be, best first. */
const deviceNames = ["webgpu", "webgl"] as const satisfies readonly DeviceName[];

/** What programs run on, and why not on something else. */
export interface DeviceReport {
  /**
   * Where programs for `"auto"` run now. Without any, the best target of the programs that are
   * loaded; `"js"` where nothing was compiled.
   */
  readonly inUse: Target;
  /** The other targets, and why they are not in use. */
  readonly others: readonly { readonly target: Target; readonly why: string }[];
  /** Programs for `"auto"` that stay on wasm while others run on a device, and why. */
  readonly staying: readonly { readonly program: string; readonly why: string }[];
}

/** A program that a device is to compile before it is in use. */
export interface Waiting {
  /** Has the device compile it; undefined where it cannot run there. */
  readonly linkOn: (queue: Queue) => Link | undefined;
}

/** A program that a device compiles. */
export interface Link {
  /** What became of it; `ended` never rejects. */
  state: "compiling" | "ready" | "failed";
  readonly ended: Promise<unknown>;
}

interface Candidate {
  readonly target: DeviceName;
  readonly queue: Queue;
  /** Why it cannot be used. */
  refused?: string;
  /** What it is doing, while it is tried. */
  doing?: string;
}

export class Choice {
  private readonly names: readonly DeviceName[];
  private readonly candidates = new Map<DeviceName, Candidate>();
  private trying: Candidate | undefined;
  private inUse: Candidate | undefined;
  private count = 0;
  /** Programs that the device that is tried compiles first. */
  private readonly waiting = new Set<Waiting>();
  /** By devices, why programs do not go there. */
  private readonly staying = new Map<DeviceName, Map<string, string>>();
  private listeners: (() => void)[] = [];

  /** Of devices with such names, the best first. */
  constructor(names: readonly DeviceName[] = deviceNames) {
    this.names = names;
  }

  /** One more program, and the devices that it can run on. */
  add(program: Waiting, devices: readonly Pick<Candidate, "target" | "queue">[]): void {
    this.count++;
    for (const { target, queue } of devices) {
      if (!this.candidates.has(target)) this.candidates.set(target, { target, queue });
    }
    if (this.inUse === undefined) this.start();
    if (this.trying !== undefined) this.waiting.add(program);
  }

  /** A program that does not leave wasm for a device. */
  stays(program: string, target: DeviceName, why: string): void {
    const reasons = this.staying.get(target) ?? new Map<string, string>();
    this.staying.set(target, reasons.set(program, why));
  }

  /** The device that programs go to; undefined on wasm. One that is lost is in use no longer. */
  current(): Queue | undefined {
    const { inUse } = this;
    const failure = inUse?.queue.failure;
    if (inUse === undefined || failure === undefined) return inUse?.queue;
    inUse.refused = textOf(failure);
    this.inUse = undefined;
    this.start();
    return undefined;
  }

  /** The device that is in use, or else tried. */
  aim(): Queue | undefined {
    return this.current() ?? this.trying?.queue;
  }

  report(): DeviceReport {
    this.current();
    if (this.count === 0) return reportWithout(this.names);
    const inUse = this.inUse?.target ?? "wasm";
    const others = [...this.names, "wasm" as const]
      .filter((target) => target !== inUse)
      .map((target) => ({ target, why: this.whyNot(target) }));
    const aim = this.inUse?.target ?? this.trying?.target ?? this.names[0];
    const staying = [...((aim && this.staying.get(aim)) ?? [])];
    return { inUse, others, staying: staying.map(([program, why]) => ({ program, why })) };
  }

  /** Calls a function once, as soon as it is known what programs run on. */
  onReady(callback: (report: DeviceReport) => void): void {
    // Programs that are loaded in this turn count.
    queueMicrotask(() => {
      const tell = (): void => callback(this.report());
      if (this.trying === undefined) tell();
      else this.listeners.push(tell);
    });
  }

  private start(): void {
    if (this.trying === undefined && this.untried() !== undefined) void this.seek();
  }

  private untried(): Candidate | undefined {
    return this.names
      .flatMap((name) => this.candidates.get(name) ?? [])
      .find(({ refused }) => refused === undefined);
  }

  private async seek(): Promise<void> {
    for (let next = this.untried(); next !== undefined; next = this.untried()) {
      this.trying = next;
      const why = await this.fault(next);
      if (why === undefined) {
        this.inUse = next;
        break;
      }
      next.refused = why;
    }
    this.trying = undefined;
    this.waiting.clear();
    const { listeners } = this;
    this.listeners = [];
    // Each in a turn of its own: what one throws is not for the others.
    for (const tell of listeners) queueMicrotask(tell);
  }

  /** Opens a device, and has it compile what is loaded. Why it cannot be used, if it cannot. */
  private async fault(candidate: Candidate): Promise<string | undefined> {
    const { queue } = candidate;
    try {
      candidate.doing = `${queue.name} is being opened`;
      await queue.open();
    } catch (error) {
      return textOf(error);
    }
    candidate.doing = `${queue.name} compiles the kernels`;
    const open = (): readonly Link[] =>
      [...this.waiting]
        .flatMap((program) => program.linkOn(queue) ?? [])
        .filter(({ state }) => state === "compiling");
    // While these are compiled, more may be loaded.
    for (let links = open(); links.length > 0; links = open()) {
      await Promise.all(links.map(({ ended }) => ended));
    }
    return queue.failure === undefined ? undefined : textOf(queue.failure);
  }

  private whyNot(target: Target): string {
    const { inUse } = this;
    const candidate = this.candidates.get(target as DeviceName);
    if (candidate?.refused !== undefined) return candidate.refused;
    if (inUse !== undefined) return `${inUse.queue.name} goes first, and is there`;
    if (candidate === undefined) return "none of the programs that are loaded can run there";
    return candidate.doing ?? "it is tried after those that go first";
  }
}

/** What there is to say where no program is for "auto". */
function reportWithout(names: readonly DeviceName[]): DeviceReport {
  const targets: readonly Target[] = [...names, "wasm", "js"];
  const inUse = targets.find((target) => loaded.has(target)) ?? "js";
  const why = (target: Target): string =>
    loaded.size === 0
      ? "nothing here is compiled: the files run as they are, eagerly"
      : loaded.has(target)
        ? "programs run on it as well: each where it was compiled for"
        : 'no program was compiled for it, nor for "auto"';
  const others = targets
    .filter((target) => target !== inUse)
    .map((target) => ({ target, why: why(target) }));
  return { inUse, others, staying: [] };
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The one of the process. */
export const choice = new Choice();

/** As in `lang/device.ts`, where it is explained. */
export function device(): DeviceReport {
  return choice.report();
}

/** As in `lang/device.ts`. */
export function onReady(callback: (report: DeviceReport) => void): void {
  choice.onReady(callback);
}
