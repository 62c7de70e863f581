/** The plugin for esbuild. */

import { unplugin } from "../unplugin.ts";

export type { PluginOptions } from "../unplugin.ts";
export const fluxion: typeof unplugin.esbuild = unplugin.esbuild;
export default fluxion;
