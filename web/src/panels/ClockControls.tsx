// Pause, speed, step: what an operator may do to time.

import { Problem } from "@skyhaul/client";
import { useSignal } from "@preact/signals";

import { api } from "../state/session";
import { clockState, paused } from "../state/simulation";
import { Icon } from "./Icon";

const SPEEDS = [1, 5, 20, 100, "max"] as const;

export function ClockControls() {
  const failed = useSignal<string | null>(null);
  const now = clockState.value;
  const attempt = async (what: () => Promise<unknown>) => {
    failed.value = null;
    try {
      await what();
    } catch (error) {
      failed.value = error instanceof Problem ? error.message : String(error);
    }
  };
  return (
    <section class="controls" aria-label="Clock">
      <div class="button-line">
        <button
          type="button"
          class="quiet"
          onClick={() => void attempt(() => api.control({ state: paused.peek() ? "running" : "paused" }))}
        >
          <Icon name={paused.value ? "play" : "pause"} size={16} /> {paused.value ? "Resume" : "Pause"}
        </button>
        <button type="button" class="quiet" disabled={!paused.value} onClick={() => void attempt(() => api.step())}>
          <Icon name="step" size={16} /> One tick
        </button>
        <div class="segments" role="group" aria-label="Speed">
          {SPEEDS.map((speed) => (
            <button
              key={speed}
              type="button"
              aria-pressed={now?.speed === speed}
              onClick={() => void attempt(() => api.control({ speed }))}
            >
              {speed === "max" ? "max" : `×${speed}`}
            </button>
          ))}
        </div>
      </div>
      {now && now.state === "running" && (
        <p class="small soft figures">Measured: ×{now.realTimeFactor.toFixed(1)}</p>
      )}
      {failed.value && (
        <p class="field-error" role="alert">
          {failed.value}
        </p>
      )}
    </section>
  );
}
