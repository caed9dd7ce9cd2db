// Where the selected delivery comes from and goes to. Its story knows them from the start,
// long before a drone has a plan, and after the last one is home.

import type { Story } from "../state/story";
import { isPast } from "../state/story";
import type { Place, Route } from "./route";

export interface End {
  kind: "pickup" | "dropoff";
  /** Where the package changes hands, in the air where a drone lowers it. */
  at: Place;
  /** The package has left it behind. */
  past: boolean;
}

/** Without a story those of the drone's own plan. */
export function endsOf(story: Story | null, route: Route | null): End[] {
  const planned = (kind: End["kind"]) => route?.wayPoints.find((wayPoint) => wayPoint.kind === kind)?.at;
  if (!story?.pickup || !story.dropoff) {
    return (["pickup", "dropoff"] as const).flatMap((kind) => {
      const at = planned(kind);
      return at ? [{ kind, at, past: false }] : [];
    });
  }
  const { pickup, dropoff } = story;
  return [
    { kind: "pickup", at: planned("pickup") ?? [pickup.longitude, pickup.latitude, 0], past: !story.ending && isPast(story, "pickedUp") },
    { kind: "dropoff", at: planned("dropoff") ?? [dropoff.longitude, dropoff.latitude, 0], past: false },
  ];
}
