// How much of the window the panels cover, so that the middle of the view is the middle of
// what they leave free. Whatever lies on the map says so with `useCover`.

import { signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

export interface Room {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

type Edge = keyof Room;

const NOTHING: Room = { top: 0, right: 0, bottom: 0, left: 0 };
/** What covers nearly all is looked at instead of the map. */
const ALL = 0.9;
/** From this share of the width on it is a sheet at the bottom, not a column at a side. */
const SHEET = 0.7;
/** However tall a sheet is, the map keeps a place of its own. */
const MOST = 0.66;

export const room = signal<Room>(NOTHING);

const covering = new Map<Element, Edge | undefined>();
const sizes = new ResizeObserver(measure);

/** The element covers the edge that it lies at, or the given one, as long as it is there. */
export function useCover(element: RefObject<HTMLElement | null>, edge?: Edge): void {
  useEffect(() => {
    const { current } = element;
    if (!current) return;
    covering.set(current, edge);
    sizes.observe(current);
    return () => {
      covering.delete(current);
      sizes.unobserve(current);
      measure();
    };
  }, []);
}

addEventListener("resize", measure);

function measure(): void {
  const next = { ...NOTHING };
  for (const [element, edge] of covering) {
    const { left, right, top, bottom, width, height } = element.getBoundingClientRect();
    if (width === 0 || (width > ALL * innerWidth && height > ALL * innerHeight)) continue;
    const covered: Room = { top: bottom, right: innerWidth - left, bottom: innerHeight - top, left: right };
    const at = edge ?? (width > SHEET * innerWidth ? "bottom" : left + right < innerWidth ? "left" : "right");
    const most = MOST * (at === "left" || at === "right" ? innerWidth : innerHeight);
    next[at] = Math.max(next[at], Math.min(most, Math.round(covered[at])));
  }
  const before = room.peek();
  if ((Object.keys(next) as Edge[]).some((edge) => next[edge] !== before[edge])) room.value = next;
}
