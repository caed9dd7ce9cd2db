// Which panels are open. What they show is elsewhere.

import { signal } from "@preact/signals";

export const ordering = signal(false);
export const operations = signal(false);
export const help = signal(false);
