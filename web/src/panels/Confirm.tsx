// The recipient's word, given by whoever looks on: the drone waits at the door for it.

import type { Confirmation } from "@skyhaul/client";

import { simNow } from "../state/clock";
import { playback } from "../state/playback";
import { api } from "../state/session";
import type { Story } from "../state/story";
import { useAttempt } from "./attempt";
import { Icon } from "./Icon";

export function Confirm({ story, words }: { story: Story; words: string }) {
  const attempt = useAttempt();
  const { id, confirming, dropoff } = story;
  if (confirming === null || !dropoff || playback.value) return null;
  const confirm = () => {
    const kind = confirming as Confirmation["kind"];
    return api.confirm(id, { kind, at: new Date(simNow.peek() ?? 0).toISOString(), location: dropoff });
  };
  return (
    <div class="actions">
      <button type="button" class="primary" disabled={attempt.busy} onClick={() => void attempt.run(confirm)}>
        <Icon name="check" size={16} /> {words}
      </button>
      {attempt.problem && (
        <p class="field-error" role="alert">
          {attempt.problem.message}
        </p>
      )}
    </div>
  );
}
