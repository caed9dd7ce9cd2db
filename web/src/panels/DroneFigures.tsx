// What the drone does now: speed, height, battery.

import type { PositionRow } from "@skyhaul/client";

import { percent } from "./format";

const LOW = 0.2;

export function DroneFigures({ row }: { row: PositionRow }) {
  const [, , , height, , speed, battery] = row;
  return (
    <dl class="facts figures">
      <div>
        <dt>Speed</dt>
        <dd>
          {Math.round(speed * 3.6)} <span class="unit">km/h</span>
        </dd>
      </div>
      <div>
        <dt>Height</dt>
        <dd>
          {Math.round(height)} <span class="unit">m</span>
        </dd>
      </div>
      <div>
        <dt>Battery</dt>
        <dd class={battery < LOW ? "low" : undefined}>
          {percent(battery)}
          <span class="battery" aria-hidden="true">
            <i style={{ width: `${Math.round(battery * 100)}%` }} />
          </span>
        </dd>
      </div>
    </dl>
  );
}
