// The fleet's figures with all that the server may tell beyond the least. An older server,
// or a recording, leaves some of them out.

import type { Fleet } from "@skyhaul/client";
import { computed } from "@preact/signals";

import { fleet as message } from "./session";

export interface ErrorSpread {
  p50Seconds: number;
  p95Seconds: number;
  /** Of the trip from the first quote to the door. */
  p50Share?: number;
  p95Share?: number;
}

export interface EtaError extends ErrorSpread {
  samples: number;
  biasSeconds: number;
  lateShare: number;
  atPickup?: ErrorSpread | null;
  /** Beside each error that of the same trips' first quotes. */
  byTimeToGo?: (ErrorSpread & { seconds: number; trips?: number; atQuote?: ErrorSpread })[];
  /** A delivery. */
  jumps?: number;
}

export type Figures = Omit<Fleet, "byStatus" | "completedPerMinute" | "etaError" | "tickMs" | "sessions"> & {
  byStatus?: Record<string, number>;
  completedPerMinute?: number | null;
  etaError?: EtaError | null;
  tickMs?: number | null;
  sessions?: number;
};

export const figures = computed<Figures | null>(() => message.value as Figures | null);
