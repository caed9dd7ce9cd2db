// Changes where and when a delivery is picked up and dropped off, before it is collected.
// Only what was changed is sent.

import type { OrderChange } from "@skyhaul/client";
import { useSignal } from "@preact/signals";

import { simNow } from "../state/clock";
import { placeName } from "../state/names";
import { api } from "../state/session";
import type { Story } from "../state/story";
import { useAttempt } from "./attempt";
import { Combobox } from "./Combobox";
import { placesLike } from "./places";

/** Minutes from now; none leaves it as it is. */
const TIMES: [minutes: number | null, label: string][] = [
  [null, "As it is"],
  [0, "As soon as possible"],
  [15, "In 15 minutes"],
  [30, "In 30 minutes"],
  [60, "In an hour"],
];

const FIELDS = ["/pickupLocation", "/dropOffLocation", "/pickupTime"];

export function ChangeForm({ story, onDone }: { story: Story; onDone: () => void }) {
  const attempt = useAttempt();
  const [from, to] = [story.pickup ? placeName(story.pickup) : "", story.dropoff ? placeName(story.dropoff) : ""];
  const pickup = useSignal(from);
  const dropoff = useSignal(to);
  const time = useSignal(0);

  const change = (): OrderChange => {
    const minutes = TIMES[time.value]![0];
    return {
      ...(pickup.value.trim() !== from && { pickupLocation: pickup.value.trim() }),
      ...(dropoff.value.trim() !== to && { dropOffLocation: dropoff.value.trim() }),
      ...(minutes !== null && { pickupTime: new Date((simNow.peek() ?? 0) + minutes * 60_000).toISOString() }),
    };
  };
  const wanted = change();
  const at = (pointer: string) => attempt.problem?.field(pointer);
  const placed = attempt.problem?.body.errors?.some(({ pointer }) => FIELDS.includes(pointer));
  const submit = async () => {
    if (await attempt.run(() => api.reschedule(story.id, change()))) onDone();
  };
  return (
    <form
      class="asked changing"
      aria-label="Change the delivery"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {([["pickup", "Pick-up", pickup, "/pickupLocation"], ["dropoff", "Drop-off", dropoff, "/dropOffLocation"]] as const).map(
        ([kind, label, text, pointer]) => (
          <Combobox
            key={kind}
            id={`change-${kind}`}
            label={label}
            value={text.value}
            placeholder="Place name or coordinates"
            suggestions={placesLike(text.value)}
            error={at(pointer)}
            onInput={(typed) => {
              attempt.forget();
              text.value = typed;
            }}
            onPick={({ label: picked }) => {
              attempt.forget();
              text.value = picked;
            }}
          />
        ),
      )}
      <div class="field">
        <label for="change-time">To be picked up</label>
        <select id="change-time" value={time.value} onChange={(event) => (time.value = Number(event.currentTarget.value))}>
          {TIMES.map(([, label], index) => (
            <option key={label} value={index}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {attempt.problem && !placed && (
        <p class="field-error" role="alert">
          {attempt.problem.message}
        </p>
      )}
      {at("/pickupTime") && (
        <p class="field-error" role="alert">
          {at("/pickupTime")}
        </p>
      )}
      <div class="button-line">
        <button type="submit" class="quiet" disabled={attempt.busy || Object.keys(wanted).length === 0}>
          {attempt.busy ? "Changing…" : "Change it"}
        </button>
        <button type="button" class="quiet" onClick={onDone}>
          Leave it
        </button>
      </div>
    </form>
  );
}
