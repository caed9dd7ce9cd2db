// The selected delivery, followed: where it stands, when it will be there, and its drone.

import { following, select, selection } from "../state/selection";
import { placeName } from "../state/names";
import type { Story } from "../state/story";
import { row, story, trouble } from "../state/tracking";
import { paused } from "../state/simulation";
import { DeliveryActions, isChanging } from "./DeliveryActions";
import { DroneFigures } from "./DroneFigures";
import { Eta } from "./Eta";
import { FollowButton } from "./FollowButton";
import { shortId } from "./format";
import { Icon } from "./Icon";
import { Share } from "./Share";
import { StageLine } from "./StageLine";
import { headline, more } from "./words";

export function DeliveryCard() {
  const chosen = selection.value;
  if (chosen?.kind !== "delivery") return null;
  const told = story.value;
  return (
    <section class="card panel delivery" aria-label="Delivery">
      <header class="card-head">
        <div>
          <p class="eyebrow" title={chosen.id}>
            Delivery {shortId(chosen.id)}
          </p>
          <h2 tabIndex={-1} data-headline aria-live="polite">
            {trouble.value ? TROUBLE[trouble.value] : told ? headline(told) : "Looking it up…"}
          </h2>
        </div>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => select(null)}>
          <Icon name="close" />
        </button>
      </header>
      {trouble.value && <p class="soft">{TROUBLE_MORE[trouble.value]}</p>}
      {told && !trouble.value && (
        <>
          {told.at === null && paused.value && (
            <p class="soft">The world is paused, so nothing happens until it goes on.</p>
          )}
          {more(told) && <p class="soft">{more(told)}</p>}
          <Eta story={told} />
          {!isChanging(told) && <More story={told} />}
          <DeliveryActions story={told} />
          <Share story={told} />
        </>
      )}
    </section>
  );
}

function More({ story: told }: { story: Story }) {
  return (
    <>
      <StageLine story={told} />
      {told.pickup && told.dropoff && (
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
      <p class="small soft">
        {[
          told.payloadKg === null ? null : `${told.payloadKg.toFixed(1)} kg`,
          told.expedited ? "expedited" : null,
          told.account === null ? null : `for ${told.account}`,
          told.carrier === null ? null : `by ${told.carrier}`,
          told.price === null ? null : `price ${told.price.toFixed(2)}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {told.droneId && !told.ending && (
        <div class="carried">
          <div class="carried-head">
            <button type="button" class="text-button" onClick={() => select({ kind: "drone", id: told.droneId! })}>
              Drone {told.droneId}
            </button>
            <FollowButton following={following} />
          </div>
          {row.value && <DroneFigures row={row.value} />}
        </div>
      )}
    </>
  );
}

const TROUBLE = {
  unknown: "There is no such delivery",
  forbidden: "This is not yours to see",
  gone: "This delivery is long over",
  "not-yet": "Not ordered yet",
};

const TROUBLE_MORE = {
  unknown: "The world that runs now does not know this id.",
  forbidden: "The link that you opened this page with does not show this delivery.",
  gone: "What became of it was moved out of the server’s store, into a file for each day.",
  "not-yet": "At this moment of the recording there is no such delivery; it is followed as soon as there is.",
};
