/** Programs for "auto": on wasm first, on the device of the process once that is ready. */

import { type Given, takeCall } from "../arguments.ts";
import { Elements } from "../gpu/elements.ts";
import { type DeviceProgram, programOn } from "../gpu/program.ts";
import type { Queue } from "../gpu/queue.ts";
import { type HostProgram, type LoadedProgram, loadHost } from "../load.ts";
import {
  type Code,
  type DeviceName,
  type GpuCode,
  isPlain,
  type Layout,
  type Manifest,
} from "../manifest.ts";
import type { Profile } from "../profile.ts";
import { profiled, type Profiler } from "../profiled.ts";
import { buildResult } from "../results.ts";
import { expectSomewhere, isHere, lost, type Storage } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import { choice, type Link, textOf, type Waiting } from "./choice.ts";
import { giverOf, runLater, withCopies } from "./later.ts";

/** What a program brings for a device, or why it cannot run there. */
export type Offer =
  | {
      readonly target: DeviceName;
      readonly queue: Queue;
      /** As the manifest's, which is that of wasm. */
      readonly layout: Layout;
      readonly code: GpuCode;
    }
  | { readonly target: DeviceName; readonly why: string };

/**
 * Builds a program that runs on wasm now and on a device later: `offers` are those that it knows,
 * best first. Results with anything but tensors in them are promises from the first call on.
 */
export function loadAuto(
  manifest: Manifest,
  code: Code,
  offers: readonly Offer[],
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  const program = new AutoProgram(manifest, code, offers);
  const take = (args: readonly unknown[]): Given => takeCall(manifest, args, captured?.());
  return profiled(
    manifest.name,
    (...args) => program.call(take(args)),
    profiler && (async (...args) => program.profile(take(args), profiler)),
  );
}

type DeviceOffer = Extract<Offer, { readonly queue: Queue }>;

interface ProgramLink extends Link {
  readonly target: DeviceName;
  readonly queue: Queue;
  readonly program: DeviceProgram;
}

class AutoProgram implements Waiting {
  private readonly manifest: Manifest;
  private readonly onHost: HostProgram;
  private readonly offers: readonly DeviceOffer[];
  private link: ProgramLink | undefined;

  constructor(manifest: Manifest, code: Code, offers: readonly Offer[]) {
    this.manifest = manifest;
    this.onHost = loadHost(manifest, code);
    this.offers = offers.flatMap((offer) => ("queue" in offer ? [offer] : []));
    for (const offer of offers) {
      if ("why" in offer) choice.stays(manifest.name, offer.target, offer.why);
    }
    choice.add(this, this.offers);
    const aim = choice.aim();
    if (aim !== undefined) this.linkOn(aim);
  }

  linkOn(queue: Queue): ProgramLink | undefined {
    if (this.link?.queue === queue) return this.link;
    const offer = this.offers.find((one) => one.queue === queue);
    if (offer !== undefined) this.link = this.linked(offer);
    return offer === undefined ? undefined : this.link;
  }

  private linked({ target, queue, layout, code }: DeviceOffer): ProgramLink {
    const program = programOn(queue, { ...this.manifest, target, layout }, code);
    const ready = (): void => {
      link.state = "ready";
    };
    const failed = async (error: unknown): Promise<void> => {
      link.state = "failed";
      const isOpen = await queue.open().then(
        () => true,
        () => false,
      );
      // What is wrong with the device itself, the choice says.
      if (isOpen && queue.failure === undefined) {
        choice.stays(this.manifest.name, target, textOf(error));
      }
    };
    const ended = program.ready.then(ready, failed);
    const link: ProgramLink = { target, queue, program, state: "compiling", ended };
    return link;
  }

  call(given: Given): unknown {
    const { link, away } = this.linkOf(given);
    if (link !== undefined) return link.program.prepare(given).result();
    const [first] = away;
    return first === undefined ? this.now(given) : this.later(given, first);
  }

  /** Of the kernels, where a device is in use, or of the whole call. */
  profile(given: Given, profiler: Profiler): Promise<Profile> {
    const { link } = this.linkOf(given);
    if (link === undefined) {
      return profiler.ofCall(this.manifest.name, () => this.call(given), 1);
    }
    return profiler.on[link.target](link.program.prepare(given));
  }

  /** Where a call is done, and which of its arguments are not here. */
  private linkOf(given: Given): {
    readonly link: ProgramLink | undefined;
    readonly away: readonly Storage[];
  } {
    const storages = given.inputs.flatMap((input) =>
      input.kind === "tensor" ? [Tensor.storageOf(input.tensor)] : [],
    );
    storages.forEach(expectSomewhere);
    const away = storages.filter((storage) => !isHere(storage));
    return { link: this.linkFor(away), away };
  }

  /** The device that takes a call with such arguments: that in use, or one that has some of them. */
  private linkFor(away: readonly Storage[]): ProgramLink | undefined {
    const aim = choice.aim();
    if (aim === undefined) return undefined;
    const link = this.linkOn(aim);
    if (link === undefined || link.state === "failed") return undefined;
    const isThere = ({ remote }: Storage): boolean =>
      remote instanceof Elements && remote.queue === aim;
    // What another device has comes by way of the host.
    if (!away.every((storage) => isThere(storage) || storage.awaited !== undefined)) {
      return undefined;
    }
    const isInUse = choice.current() === aim && link.state === "ready";
    return isInUse || away.some(isThere) ? link : undefined;
  }

  /** On the host, at once. What fails is said where it would be said on a device. */
  private now(given: Given): unknown {
    const { result } = this.manifest;
    let values;
    try {
      values = this.onHost(given);
    } catch (error) {
      // An argument that does not fit is refused by the call.
      withCopies(given);
      const give = giverOf(this.manifest, given.extents);
      if (give === undefined) throw error;
      return give(Promise.reject(error as Error));
    }
    let k = 0;
    const built = buildResult(result, () => values[k++]);
    return isPlain(result) ? Promise.resolve(built) : built;
  }

  /** On the host, when what is not there of the arguments has been read. */
  private later(given: Given, away: Storage): unknown {
    const give = giverOf(this.manifest, given.extents);
    if (give === undefined) throw lost(away);
    return give(runLater(this.manifest, this.onHost, given));
  }
}
