// Breaks something on purpose, and shows what the server says to that.

import { Problem } from "@skyhaul/client";
import { useSignal } from "@preact/signals";

import { selectedDrone, selection } from "../state/selection";
import { api } from "../state/session";
import { hubs } from "../state/world";

const KINDS = [
  { kind: "rotor_out", label: "Rotor out", target: "drone" },
  { kind: "battery_cell", label: "Battery cell", target: "drone" },
  { kind: "link_lost", label: "Link lost", target: "drone" },
  { kind: "hub_closed", label: "Hub closed", target: "hub" },
] as const;

export function FaultForm() {
  const kind = useSignal<(typeof KINDS)[number]["kind"]>("rotor_out");
  const typed = useSignal<string | null>(null);
  const duration = useSignal("10m");
  const answer = useSignal<{ good: boolean; text: string } | null>(null);
  const atHub = KINDS.find((entry) => entry.kind === kind.value)!.target === "hub";
  const chosen = selection.value;
  const offered = atHub ? (chosen?.kind === "hub" ? chosen.id : (hubs.value[0]?.id ?? "")) : (selectedDrone.value ?? "");
  const target = typed.value ?? offered;

  const inject = async () => {
    answer.value = null;
    try {
      const body = { kind: kind.value, target: target.trim(), ...(atHub && { duration: duration.value.trim() }) };
      await api.post("/api/simulation/faults", body);
      answer.value = { good: true, text: `Done: ${target}` };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const fields = error.body.errors?.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`).join("; ");
      answer.value = { good: false, text: fields || error.message };
    }
  };
  return (
    <form
      class="fault"
      aria-label="Inject a fault"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void inject();
      }}
    >
      <h3>Inject a fault</h3>
      <div class="field-pair">
        <div class="field">
          <label for="fault-kind">Kind</label>
          <select
            id="fault-kind"
            value={kind.value}
            onChange={(event) => {
              kind.value = event.currentTarget.value as typeof kind.value;
              typed.value = null;
            }}
          >
            {KINDS.map((entry) => (
              <option key={entry.kind} value={entry.kind}>
                {entry.label}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="fault-target">{atHub ? "Hub" : "Drone"}</label>
          <input
            id="fault-target"
            type="text"
            autocomplete="off"
            placeholder={atHub ? "mission" : "d-17, in the air"}
            value={target}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </div>
        {atHub && (
          <div class="field">
            <label for="fault-duration">For</label>
            <input
              id="fault-duration"
              type="text"
              autocomplete="off"
              value={duration.value}
              onInput={(event) => (duration.value = event.currentTarget.value)}
            />
          </div>
        )}
      </div>
      <button type="submit" class="quiet">
        Break it
      </button>
      {answer.value && (
        <p class={answer.value.good ? "small soft" : "field-error"} role="status">
          {answer.value.text}
        </p>
      )}
    </form>
  );
}
