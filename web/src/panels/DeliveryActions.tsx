// What can be done about a delivery: until it is collected it can be changed and called off,
// and at the door the recipient's word can be given.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { playback } from "../state/playback";
import { api } from "../state/session";
import { canChange, type Story } from "../state/story";
import { useAttempt } from "./attempt";
import { ChangeForm } from "./ChangeForm";
import { Confirm } from "./Confirm";
import { Icon } from "./Icon";

/** What is being asked for. */
const open = signal<"change" | "cancel" | null>(null);

/** The form takes the place of what the card shows otherwise. */
export function isChanging(story: Story): boolean {
  return open.value === "change" && canChange(story);
}

export function DeliveryActions({ story }: { story: Story }) {
  useEffect(() => {
    open.value = null;
  }, [story.id]);
  const close = () => (open.value = null);
  const toggle = (what: "change" | "cancel") => (open.value = open.peek() === what ? null : what);
  if (playback.value) return null;
  if (!canChange(story)) return <Confirm story={story} words="Confirm for the recipient" />;
  return (
    <div class="actions">
      <div class="button-line">
        <button type="button" class="quiet" aria-expanded={open.value === "change"} onClick={() => toggle("change")}>
          <Icon name="clock" size={16} /> Change
        </button>
        <button type="button" class="quiet" aria-expanded={open.value === "cancel"} onClick={() => toggle("cancel")}>
          <Icon name="close" size={16} /> Cancel delivery
        </button>
      </div>
      {open.value === "change" && <ChangeForm story={story} onDone={close} />}
      {open.value === "cancel" && <CallOff id={story.id} onDone={close} />}
    </div>
  );
}

function CallOff({ id, onDone }: { id: string; onDone: () => void }) {
  const attempt = useAttempt();
  return (
    <div
      class="asked"
      role="group"
      aria-label="Cancel delivery"
      ref={(element) => element?.scrollIntoView({ block: "nearest" })}
    >
      <p class="small">Call it off? A drone on its way to the pick-up turns home.</p>
      <div class="button-line">
        <button type="button" class="quiet bad" disabled={attempt.busy} onClick={() => void attempt.run(() => api.cancel(id))}>
          Yes, cancel it
        </button>
        <button type="button" class="quiet" onClick={onDone}>
          Keep it
        </button>
      </div>
      {attempt.problem && (
        <p class="field-error" role="alert">
          {attempt.problem.message}
        </p>
      )}
    </div>
  );
}
