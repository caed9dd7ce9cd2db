// How long it will take, counted down in simulated time, beside what was promised first.

import { simNow } from "../state/clock";
import type { Story } from "../state/story";
import { clock, countdown, shift, span } from "./format";

export function Eta({ story }: { story: Story }) {
  const { deliveryEta, firstQuote, times } = story;
  if (story.ending === "delivered") {
    const took = times.ended !== undefined && times.accepted !== undefined ? times.ended - times.accepted : null;
    return (
      <div class="eta figures">
        {took !== null && (
          <p class="eta-figure">
            <span class="eta-number">{span(took)}</span> <span class="soft">from order to door</span>
          </p>
        )}
        <Quote story={story} ended />
      </div>
    );
  }
  // At the door there is nothing left to count.
  if (story.ending || story.confirming !== null || deliveryEta === null) return null;
  const now = simNow.value;
  return (
    <div class="eta figures">
      <p class="eta-figure">
        <span class="eta-number" role="timer" aria-label="Time to the drop-off">
          {now === null ? "–:––" : countdown(deliveryEta - now)}
        </span>{" "}
        <span class="soft">to the drop-off, at {clock(deliveryEta)}</span>
      </p>
      {firstQuote !== null && <Quote story={story} />}
    </div>
  );
}

function Quote({ story: { firstQuote, deliveryEta }, ended = false }: { story: Story; ended?: boolean }) {
  if (firstQuote === null || deliveryEta === null) return null;
  const moved = deliveryEta - firstQuote;
  const tone = Math.abs(moved) < 1000 ? "soft" : moved > 0 ? "late" : "early";
  return (
    <p class="small soft" data-quote>
      First quote {clock(firstQuote)} <span class={tone}>{ended ? off(moved) : shift(moved)}</span>
    </p>
  );
}

function off(ms: number): string {
  if (Math.abs(ms) < 1000) return "and so it was";
  return `${span(ms)} ${ms > 0 ? "late" : "early"}`;
}
