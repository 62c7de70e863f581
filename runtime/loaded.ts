/** What has been loaded into this process: the targets of its programs. */

import type { Manifest } from "./manifest.ts";

export const loaded = new Set<Manifest["target"]>();
