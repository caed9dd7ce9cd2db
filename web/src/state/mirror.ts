// Two maps side by side: where one is moved to, or what is chosen on it, goes for the other too.
// Each is a frame of its own; what they say to each other goes through the page around them.

import { effect } from "@preact/signals";
import type { Map as MapLibre } from "maplibre-gl";

import { select, selection, type Selection } from "./selection";

interface View {
  center: [number, number];
  zoom: number;
  pitch: number;
  bearing: number;
}

interface Word {
  mirror: { view?: View; chosen?: Selection | null };
}

/** What one frame says is told to the other. Returns what ends it. */
export function relay(frames: () => (Window | null | undefined)[]): () => void {
  const hear = ({ source, origin, data }: MessageEvent<unknown>) => {
    const all = frames();
    if (origin !== location.origin || !isWord(data) || !all.includes(source as Window)) return;
    for (const frame of all) if (frame && frame !== source) frame.postMessage(data, origin);
  };
  addEventListener("message", hear);
  return () => removeEventListener("message", hear);
}

/** Inside a frame. Returns what ends it. */
export function mirror(map: MapLibre): () => void {
  const say = (mirror: Word["mirror"]) => parent.postMessage({ mirror } satisfies Word, location.origin);
  let chosen = selection.peek();
  const moved = (event: object) => {
    // What it was told it does not tell again.
    if (!("originalEvent" in event || "looked" in event)) return;
    const { lng, lat } = map.getCenter();
    say({ view: { center: [lng, lat], zoom: map.getZoom(), pitch: map.getPitch(), bearing: map.getBearing() } });
  };
  const hear = ({ source, origin, data }: MessageEvent<unknown>) => {
    if (source !== parent || origin !== location.origin || !isWord(data)) return;
    const { view, chosen: theirs } = data.mirror;
    if (view) map.jumpTo(view);
    if (theirs !== undefined && theirs?.id !== chosen?.id) {
      chosen = theirs;
      select(theirs, false);
    }
  };
  map.on("move", moved);
  addEventListener("message", hear);
  const stop = effect(() => {
    const now = selection.value;
    if (now?.id === chosen?.id) return;
    chosen = now;
    // Which drone has it may be otherwise there.
    say({ chosen: now?.kind === "delivery" ? { kind: "delivery", id: now.id } : now });
  });
  return () => {
    map.off("move", moved);
    removeEventListener("message", hear);
    stop();
  };
}

function isWord(data: unknown): data is Word {
  return typeof data === "object" && data !== null && "mirror" in data;
}
