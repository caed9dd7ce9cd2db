// What the colours say.

import { theme } from "../state/settings";
import { world } from "../state/world";
import { DOING, PALETTES, css, type Doing } from "./palette";

/** Only what can be seen: parked drones are not on the map. */
const SHOWN: Doing[] = ["underway", "handover", "home", "holding", "trouble"];

export function Legend() {
  const colours = PALETTES[theme.value];
  return (
    <div class="legend-line">
      <ul class="legend panel" aria-label="Colours of the drones">
        {SHOWN.map((doing) => (
          <li key={doing}>
            <span class="dot" style={{ background: css(colours.doing[doing]) }} />
            {DOING[doing].label}
          </li>
        ))}
      </ul>
      {world.value?.area.land && (
        <p class="credits">
          Coastline © <a href="https://www.openstreetmap.org/copyright">OpenStreetMap contributors</a>
        </p>
      )}
    </div>
  );
}
