// The page's own state, honestly: connecting, lost, back, paused, stalled, nothing to see.

import { api } from "../state/session";
import { notice, type Notice } from "../state/notices";
import { viewer } from "../state/viewer";
import { openOrder } from "./OrderForm";

/** A gate is no notice: see `Gate`. */
export function Notices({ plain = false }: { plain?: boolean }) {
  const now = notice.value;
  const words = now && (plain ? customerWords(now) : operatorWords(now));
  return (
    <div class="notices" role="status" aria-live="polite">
      {words && (
        <div class={`notice panel ${tone(now)}`} data-notice={now.kind}>
          <span class="notice-mark" aria-hidden="true" />
          <p>{words}</p>
          {!plain && <Remedy notice={now} />}
        </div>
      )}
    </div>
  );
}

function Remedy({ notice }: { notice: Notice }) {
  if (viewer.value.role !== "operator") return null;
  if (notice.kind === "paused") {
    return (
      <button type="button" class="quiet" onClick={() => void api.control({ state: "running" })}>
        Resume
      </button>
    );
  }
  if (notice.kind === "nothing-flies") {
    return (
      <button type="button" class="quiet" onClick={openOrder}>
        Order a delivery
      </button>
    );
  }
  return null;
}

function tone({ kind }: Notice): "good" | "calm" | "warn" | "bad" {
  switch (kind) {
    case "resumed":
      return "good";
    case "lost":
    case "stalled":
    case "refused":
      return "bad";
    case "connecting":
    case "paused":
      return "warn";
    default:
      return "calm";
  }
}

function operatorWords(notice: Notice): string | null {
  switch (notice.kind) {
    case "connecting":
      return `Connecting…${notice.reason ? ` ${sentence(notice.reason)}` : ""}`;
    case "lost": {
      const since = `since ${localClock(notice.since)}`;
      if (notice.gone) return `The server is gone, ${since}. This page comes back by itself when the server does.`;
      return `Connection lost ${since}. ${notice.reason ? `${sentence(notice.reason)} ` : ""}Trying again…`;
    }
    case "resumed":
      return notice.sameWorld ? "Connected again. Nothing was missed." : "The server runs another world than before. What you looked at is gone with the old one.";
    case "stalled":
      return "The clock stands still: the server cannot write to its store. Nothing is lost; it goes on when the store is back.";
    case "paused":
      return "The world is paused.";
    case "ended":
      return viewer.value.role === "operator" ? null : "The recording ends here.";
    case "no-drones":
      return "This scenario has no drones. Add a [[fleet]] to it, or start the server with another --scenario.";
    case "nothing-flies":
      return "Nobody has ordered anything yet.";
    case "refused":
      return null;
  }
}

function customerWords(notice: Notice): string | null {
  switch (notice.kind) {
    case "connecting":
      return "Connecting…";
    case "lost":
      return notice.gone ? `No connection since ${localClock(notice.since)}. What you see may be out of date.` : "Connection lost. Trying again…";
    case "resumed":
      return notice.sameWorld ? "Back again." : "Tracking began anew.";
    case "stalled":
      return "Tracking is interrupted. It goes on soon.";
    case "paused":
      return "Tracking is paused.";
    case "ended":
      return "The recording ends here.";
    default:
      return null;
  }
}

/** The user's own clock: this is about the connection, not about the simulated world. */
function localClock(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

function sentence(words: string): string {
  const first = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
