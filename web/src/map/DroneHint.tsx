// A few words beside the drone under the pointer.

import { DOING, PALETTES, css, doingOf } from "./palette";
import { hovered } from "./hover";
import { theme } from "../state/settings";

export function DroneHint() {
  const at = hovered.value;
  if (!at) return null;
  const { drone, x, y } = at;
  const doing = doingOf(drone.status);
  return (
    <div class="hint panel figures" style={{ transform: `translate(${x + 16}px, ${y + 14}px)` }}>
      <div class="hint-title">
        <span class="dot" style={{ background: css(PALETTES[theme.value].doing[doing]) }} />
        <b>{drone.id}</b>
        <span class="soft">{DOING[doing].label.toLowerCase()}</span>
      </div>
      <div class="hint-figures">
        <span>{Math.round(drone.height)} m</span>
        <span>{Math.round(drone.speed * 3.6)} km/h</span>
        <span>{Math.round(drone.battery * 100)} %</span>
      </div>
    </div>
  );
}
