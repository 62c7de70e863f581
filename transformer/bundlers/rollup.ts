/** The plugin for rollup. */

import { unplugin } from "../unplugin.ts";

export type { PluginOptions } from "../unplugin.ts";
export const fluxion: typeof unplugin.rollup = unplugin.rollup;
export default fluxion;
