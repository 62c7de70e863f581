/** Programs with `profile`, where the profiler ships with them. */

import type { LoadedProgram, Program } from "./load.ts";
import type { Call } from "./gpu/program.ts";
import type { DeviceName } from "./manifest.ts";
import type { Profile } from "./profile.ts";

/** What makes profiles. A build that asks for none leaves it out. */
export interface Profiler {
  /** Of a whole call, which so many threads share. */
  readonly ofCall: (name: string, call: () => unknown, threads: number) => Promise<Profile>;
  /** Of the launches of a call that has been prepared and not started. */
  readonly on: Readonly<Record<DeviceName, (call: Call) => Promise<Profile>>>;
}

export function profiled(
  name: string,
  call: Program,
  profile?: LoadedProgram["profile"],
): LoadedProgram {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new Error(
        `${name}.profile: this build has no profiler, which weighs something; ` +
          "build with fluxion({ profile: true }), or start the program with `fluxion run`",
      ),
    );
  return Object.assign(call, { profile: profile ?? refuse });
}
