// The selected drone: what it does, and what it carries.

import { DOING, PALETTES, css, doingOf } from "../map/palette";
import { hubName } from "../state/names";
import { following, select, selection } from "../state/selection";
import { theme } from "../state/settings";
import { drone, row, trouble } from "../state/tracking";
import { DroneFigures } from "./DroneFigures";
import { FollowButton } from "./FollowButton";
import { Icon } from "./Icon";

export function DroneCard() {
  const chosen = selection.value;
  if (chosen?.kind !== "drone") return null;
  const known = drone.value;
  const status = row.value?.[7] ?? known?.status;
  const doing = status && doingOf(status);
  return (
    <section class="card panel" aria-label="Drone">
      <header class="card-head">
        <div>
          <p class="eyebrow">Drone</p>
          <h2 data-headline>
            {chosen.id}
          </h2>
        </div>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => select(null)}>
          <Icon name="close" />
        </button>
      </header>
      {trouble.value && (
        <p class="soft">{trouble.value === "unknown" ? "There is no such drone." : "This drone is not yours to see."}</p>
      )}
      {doing && (
        <p class="status-line">
          <span class="dot" style={{ background: css(PALETTES[theme.value].doing[doing]) }} />
          {status === "charging" ? "Charging" : DOING[doing].label}
        </p>
      )}
      {row.value && <DroneFigures row={row.value} />}
      {known && (
        <dl class="pairs">
          <div>
            <dt>Type</dt>
            <dd>{known.model}</dd>
          </div>
          <div>
            <dt>Hub</dt>
            <dd>{hubName(known.hub)}</dd>
          </div>
          {known.deliveryId && (
            <div>
              <dt>Carries out</dt>
              <dd>
                <button
                  type="button"
                  class="text-button"
                  onClick={() => select({ kind: "delivery", id: known.deliveryId!, droneId: known.id })}
                >
                  its delivery
                </button>
              </dd>
            </div>
          )}
        </dl>
      )}
      {known && (
        <div class="button-line">
          <FollowButton following={following} />
        </div>
      )}
    </section>
  );
}
