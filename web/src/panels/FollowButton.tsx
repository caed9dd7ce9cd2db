// Whether the camera stays with the drone.

import type { Signal } from "@preact/signals";

import { Icon } from "./Icon";

export function FollowButton({ following }: { following: Signal<boolean> }) {
  return (
    <button
      type="button"
      class="quiet"
      aria-pressed={following.value}
      onClick={() => (following.value = !following.peek())}
    >
      <Icon name="target" size={16} /> {following.value ? "Following" : "Follow"}
    </button>
  );
}
