// The track of a recording: how many deliveries were completed when, what went wrong, and the
// moment that is shown, which is dragged, clicked, or moved by keys.

import type { Timeline, TimelineMark } from "@skyhaul/client";
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";

import { elapsed, seek, timeline, type Playback } from "../state/playback";
import { clock, figure } from "./format";
import { FAR_MS, NEAR_MS } from "./shortcuts";
import { markWords } from "./words";

/** The drawing's own units; it is stretched over the track. */
const WIDTH = 1000;
const HEIGHT = 40;
/** What went wrong stands above the deliveries, each kind in a lane of its own. */
const LANES: Record<TimelineMark["kind"], number> = { failure: 0, fault: 5, loss: 10 };
const LANE = 4;
const FLOOR = 16;
const NEAR_PX = 5;

export function Track({ excerpt, at }: { excerpt: Playback; at: number }) {
  const track = useRef<HTMLDivElement>(null);
  const hovered = useSignal<number | null>(null);
  const dragging = useSignal(false);
  const { from, to } = excerpt;
  const span = Math.max(1, to - from);
  const momentAt = (clientX: number) => {
    const { left, width } = track.current!.getBoundingClientRect();
    return from + Math.min(1, Math.max(0, (clientX - left) / width)) * span;
  };
  const share = (moment: number) => `${(100 * (moment - from)) / span}%`;

  const onPointerMove = (event: PointerEvent) => {
    hovered.value = momentAt(event.clientX);
    if (dragging.peek()) seek(hovered.value);
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    track.current!.setPointerCapture(event.pointerId);
    dragging.value = true;
    hovered.value = momentAt(event.clientX);
    seek(hovered.value);
  };
  const onPointerUp = (event: PointerEvent) => {
    dragging.value = false;
    if (event.pointerType !== "mouse") hovered.value = null;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = keyed(event, at, excerpt);
    if (next === null) return;
    event.preventDefault();
    seek(next);
  };

  return (
    <div
      ref={track}
      class={`track ${dragging.value ? "dragging" : ""}`}
      role="slider"
      tabIndex={0}
      aria-label="Moment of the recording"
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.round(span / 1000)}
      aria-valuenow={Math.round((at - from) / 1000)}
      aria-valuetext={`${elapsed(at)} of ${elapsed(to)}, ${clock(at)} UTC`}
      onPointerMove={onPointerMove}
      onPointerDown={onPointerDown}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => (hovered.value = dragging.peek() ? hovered.peek() : null)}
      onKeyDown={onKeyDown}
    >
      <Drawing told={timeline.value} />
      <i class="track-played" style={{ width: share(at) }} />
      <i class="track-thumb" style={{ left: share(at) }} />
      {hovered.value !== null && (
        <Preview at={hovered.value} left={share(hovered.value)} near={(NEAR_PX * span) / (track.current?.clientWidth || WIDTH)} />
      )}
    </div>
  );
}

function keyed({ key, shiftKey }: KeyboardEvent, at: number, { from, to }: Playback): number | null {
  const near = shiftKey ? FAR_MS : NEAR_MS;
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return at - near;
    case "ArrowRight":
    case "ArrowUp":
      return at + near;
    case "PageDown":
      return at - FAR_MS;
    case "PageUp":
      return at + FAR_MS;
    case "Home":
      return from;
    case "End":
      return to;
    default:
      return null;
  }
}

/** Drawn anew only when there is more to draw. */
function Drawing({ told }: { told: Timeline | null }) {
  return useMemo(() => {
    if (!told) return null;
    const from = Date.parse(told.from);
    const span = Math.max(1, Date.parse(told.to) - from);
    return (
      <svg class="track-drawing" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="density" d={area(told.buckets)} />
        {told.marks.map((mark) => {
          const x = (WIDTH * (Date.parse(mark.at) - from)) / span;
          const top = LANES[mark.kind];
          return (
            <path key={`${mark.at} ${mark.kind} ${mark.id}`} class={`mark ${mark.kind}`} d={`M${x.toFixed(2)} ${top}v${LANE}`}>
              <title>{`${clock(Date.parse(mark.at))} ${markWords(mark)}`}</title>
            </path>
          );
        })}
      </svg>
    );
  }, [told]);
}

/** Smoothed over neighbours, so that single deliveries look like traffic and not like a comb. */
function area(buckets: number[]): string {
  const reach = Math.max(1, Math.round(buckets.length / 80));
  const smooth = buckets.map((_, at) => {
    const near = buckets.slice(Math.max(0, at - reach), at + reach + 1);
    return near.reduce((sum, count) => sum + count, 0) / near.length;
  });
  const most = Math.max(...smooth);
  if (!(most > 0)) return "";
  const step = WIDTH / buckets.length;
  const heights = smooth.map((count) => HEIGHT - (count / most) * (HEIGHT - FLOOR));
  const points = heights.map((height, at) => `${((at + 0.5) * step).toFixed(1)} ${height.toFixed(1)}`);
  return `M0 ${HEIGHT}L0 ${heights[0]!.toFixed(1)}L${points.join("L")}L${WIDTH} ${heights.at(-1)!.toFixed(1)}L${WIDTH} ${HEIGHT}Z`;
}

function Preview({ at, left, near }: { at: number; left: string; near: number }) {
  const marks = timeline.value?.marks.filter((mark) => Math.abs(Date.parse(mark.at) - at) <= near) ?? [];
  const [first] = marks;
  return (
    <div class="track-preview panel" style={{ left: `clamp(70px, ${left}, calc(100% - 70px))` }} aria-hidden="true">
      <p class="figures">
        <b>{elapsed(at)}</b> <span class="soft">{clock(at)}</span>
      </p>
      {first && <p class="small">{markWords(first)}</p>}
      {marks.length > 1 && <p class="small soft">and {figure(marks.length - 1)} more</p>}
    </div>
  );
}
