/** The plugin for vite. */

import { unplugin } from "../unplugin.ts";

export type { PluginOptions } from "../unplugin.ts";
export const fluxion: typeof unplugin.vite = unplugin.vite;
export default fluxion;
