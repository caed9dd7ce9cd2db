// Recording what happens from now on: begun and ended here, and looked at on the timeline.

import type { Recording } from "@skyhaul/client";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { tapeChanged } from "../state/playback";
import { api } from "../state/session";
import { useAttempt } from "./attempt";
import { Icon } from "./Icon";

const ASK_EVERY_MS = 5000;

export function RecordForm() {
  const told = useSignal<Recording | null>(null);
  const { run, problem, busy } = useAttempt();
  useEffect(() => {
    const ask = async () => (told.value = await api.recording().catch(() => told.peek()));
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const now = told.value;
  if (!now) return null;
  const isOn = now.state === "recording";
  const change = async () => {
    await run(async () => (told.value = await api.record({ state: isOn ? "off" : "recording" })));
    tapeChanged();
  };
  return (
    <section class="fault" aria-label="Recording of this world">
      <h3>Recording</h3>
      <p class="small soft">{words(now)}</p>
      <div class="button-line">
        <button type="button" class="quiet" disabled={busy} onClick={() => void change()}>
          <Icon name={isOn ? "pause" : "play"} size={16} /> {isOn ? "Stop recording" : "Record"}
        </button>
      </div>
      {problem && (
        <p class="field-error" role="alert">
          {problem.message}
        </p>
      )}
    </section>
  );
}

function words({ state, file, bytes, failure }: Recording): string {
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  if (state === "failed") return `${file}, ${size}, could not be written any more: ${failure}. What was written until then can be played.`;
  if (state === "recording") return `${file}, ${size} so far. The timeline goes back to its beginning.`;
  return file ? `The last one is ${file}, ${size}; skyhaul replay plays it.` : "What happens from now on can be seen again, here and with skyhaul replay.";
}
