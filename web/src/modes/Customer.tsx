// The page that one sends to a customer: when it will be there, where it is, and nothing
// about anything else.

import { useRef } from "preact/hooks";

import { Confirm } from "../panels/Confirm";
import { DroneFigures } from "../panels/DroneFigures";
import { countdown, span } from "../panels/format";
import { Gate } from "../panels/Gate";
import { Notices } from "../panels/Notices";
import { StageLine } from "../panels/StageLine";
import { customerHeadline, more, wordOf } from "../panels/words";
import { simNow } from "../state/clock";
import { placeName } from "../state/names";
import { useCover } from "../state/room";
import { selection } from "../state/selection";
import { embedded } from "../state/settings";
import { isAboard, type Story } from "../state/story";
import { row, story, trouble } from "../state/tracking";

export function Customer() {
  return (
    <>
      {/* In another page's frame nothing but the map may be wanted. */}
      {selection.value || !embedded ? <Followed /> : null}
      <Notices plain />
      <Gate />
    </>
  );
}

function Followed() {
  const told = story.value;
  const card = useRef<HTMLElement>(null);
  useCover(card);
  return (
    <main class={`customer ${embedded ? "embedded" : ""}`}>
      <section ref={card} class="card panel" aria-label="Your delivery">
        {!embedded && (
          <p class="brand small">
            <img src="/favicon.svg" alt="" width="18" height="18" /> Skyhaul
          </p>
        )}
        <h1 data-headline aria-live="polite">
          {trouble.value ? TROUBLE[trouble.value] : told ? customerHeadline(told) : "One moment…"}
        </h1>
        {trouble.value === "forbidden" && <p class="soft">It was made for another delivery, and shows that one only.</p>}
        {told && !trouble.value && <Told story={told} />}
      </section>
    </main>
  );
}

function Told({ story: told }: { story: Story }) {
  return (
    <>
      <Arrival story={told} />
      {more(told) && <p class="soft">{more(told)}</p>}
      <Confirm story={told} words={`I have it: give my ${wordOf(told.confirming ?? "")}`} />
      <StageLine story={told} plain />
      {!embedded && told.pickup && told.dropoff && (
        <dl class="ends">
          <div class="end-pickup">
            <dt>From</dt>
            <dd>{placeName(told.pickup)}</dd>
          </div>
          <div class="end-dropoff">
            <dt>To</dt>
            <dd>{placeName(told.dropoff)}</dd>
          </div>
        </dl>
      )}
      {row.value && isAboard(told) && !embedded && <DroneFigures row={row.value} />}
    </>
  );
}

const NEARLY_MS = 10_000;

function Arrival({ story: { ending, confirming, deliveryEta, times } }: { story: Story }) {
  if (ending === "delivered") {
    const took = times.ended !== undefined && times.accepted !== undefined ? times.ended - times.accepted : null;
    return took === null ? null : <p class="soft">{span(took)} after it was ordered.</p>;
  }
  const now = simNow.value;
  if (ending || confirming !== null || deliveryEta === null || now === null) return null;
  const left = deliveryEta - now;
  return (
    <p class="arrival figures">
      <span class="arrival-number" role="timer" aria-label="Time to arrival">
        {left < NEARLY_MS ? "Any moment" : countdown(left)}
      </span>
      {left >= NEARLY_MS && <span class="soft">until it arrives</span>}
    </p>
  );
}

const TROUBLE = {
  unknown: "We do not know this delivery",
  forbidden: "This link does not show this delivery",
  gone: "This delivery is long over",
  "not-yet": "Not ordered yet",
};
