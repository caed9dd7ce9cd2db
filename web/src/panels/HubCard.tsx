// The selected hub, with what stands and waits there.

import { select, selection } from "../state/selection";
import { hubs } from "../state/world";
import { clock } from "./format";
import { Icon } from "./Icon";

export function HubCard() {
  const chosen = selection.value;
  if (chosen?.kind !== "hub") return null;
  const hub = hubs.value.find(({ id }) => id === chosen.id);
  if (!hub) return null;
  return (
    <section class="card panel" aria-label="Hub">
      <header class="card-head">
        <div>
          <p class="eyebrow">Hub {hub.id}</p>
          <h2 data-headline>{hub.name}</h2>
        </div>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => select(null)}>
          <Icon name="close" />
        </button>
      </header>
      {hub.closed && (
        <p class="late" role="status">
          Closed{hub.closedUntil ? ` until ${clock(Date.parse(hub.closedUntil))}` : ""}: nobody takes off.
        </p>
      )}
      {hub.groundStops.length > 0 && (
        <p class="late" role="status">
          Weather keeps {hub.groundStops.map(({ model, reason }) => `${model} (${reason})`).join(", ")} on the ground.
        </p>
      )}
      <dl class="facts figures">
        <div>
          <dt>Ready</dt>
          <dd>{hub.parked ?? "–"}</dd>
        </div>
        <div>
          <dt>Charging</dt>
          <dd>
            {hub.charging ?? "–"} <span class="unit">of {hub.chargers}</span>
          </dd>
        </div>
        <div>
          <dt>Queued</dt>
          <dd>{hub.queued ?? "–"}</dd>
        </div>
        <div>
          <dt>Pads</dt>
          <dd>{hub.pads}</dd>
        </div>
        <div>
          <dt>Holding</dt>
          <dd>{hub.holding ?? "–"}</dd>
        </div>
        <div>
          <dt>To take off</dt>
          <dd>{hub.departing ?? "–"}</dd>
        </div>
      </dl>
    </section>
  );
}
