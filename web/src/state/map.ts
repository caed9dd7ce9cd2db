// Whether there is a map at all: some browsers cannot draw one, or lose what they draw with.

import { signal } from "@preact/signals";

/** `impossible`: without WebGL 2. `lost`: the graphics card was taken away from the page. */
export const mapTrouble = signal<"impossible" | "lost" | null>(null);
