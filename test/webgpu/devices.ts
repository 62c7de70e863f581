/** The graphics devices that tests run on, in this process. */

import { provider } from "../../runtime/webgl/context.ts";
import type { DeviceTargetName } from "../../compiler/compile.ts";
import { webgl } from "../../runtime/webgl/gl.ts";
import { webgpu } from "../../runtime/webgpu/gpu.ts";
import { openRemoteContext } from "../../transformer/remoteWebgl/context.ts";

Object.assign(globalThis, { [provider]: openRemoteContext });

const all: readonly DeviceTargetName[] = ["webgpu", "webgl"];

/** All, or those that FLUXION_DEVICES names, separated by commas. */
export const devices: readonly DeviceTargetName[] =
  process.env["FLUXION_DEVICES"] === undefined
    ? all
    : all.filter((name) => process.env["FLUXION_DEVICES"]?.split(",").includes(name));

export const queues = { webgpu, webgl } as const;
