/** The plugin for webpack. */

import { unplugin } from "../unplugin.ts";

export type { PluginOptions } from "../unplugin.ts";
export const fluxion: typeof unplugin.webpack = unplugin.webpack;
export default fluxion;
