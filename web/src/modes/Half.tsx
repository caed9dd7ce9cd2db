// One of two maps side by side: nothing but the map, and a line about what is chosen on it.

import { customerHeadline } from "../panels/words";
import { selection } from "../state/selection";
import { story, trouble } from "../state/tracking";

export function Half() {
  const chosen = selection.value;
  if (!chosen) return null;
  const told = story.value;
  const words = chosen.kind !== "delivery" ? chosen.id : trouble.value ? "Not there at this moment" : told ? customerHeadline(told) : "One moment…";
  return (
    <p class="half-line panel" data-headline>
      {words}
    </p>
  );
}
