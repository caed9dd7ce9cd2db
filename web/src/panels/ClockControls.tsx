// Pause, speed, step: what an operator may do to time.

import { api } from "../state/session";
import { clockState, paused } from "../state/simulation";
import { useAttempt } from "./attempt";
import { Icon } from "./Icon";

const SPEEDS = [1, 5, 20, 100, "max"] as const;

export function ClockControls() {
  const { run, problem } = useAttempt();
  const now = clockState.value;
  return (
    <section class="controls" aria-label="Clock">
      <div class="button-line">
        <button
          type="button"
          class="quiet"
          onClick={() => void run(() => api.control({ state: paused.peek() ? "running" : "paused" }))}
        >
          <Icon name={paused.value ? "play" : "pause"} size={16} /> {paused.value ? "Resume" : "Pause"}
        </button>
        <button type="button" class="quiet" disabled={!paused.value} onClick={() => void run(() => api.step())}>
          <Icon name="step" size={16} /> One tick
        </button>
        <div class="segments" role="group" aria-label="Speed">
          {SPEEDS.map((speed) => (
            <button
              key={speed}
              type="button"
              aria-pressed={now?.speed === speed}
              onClick={() => void run(() => api.control({ speed }))}
            >
              {speed === "max" ? "max" : `×${speed}`}
            </button>
          ))}
        </div>
      </div>
      {now && now.state === "running" && (
        <p class="small soft figures">Measured: ×{now.realTimeFactor.toFixed(1)}</p>
      )}
      {problem && (
        <p class="field-error" role="alert">
          {problem.message}
        </p>
      )}
    </section>
  );
}
