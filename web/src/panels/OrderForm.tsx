// Orders a delivery: two clicks on the map or two names, a weight, and go. What the server
// finds wrong stands at the field that it is about.

import { Problem, type Location, type Order } from "@skyhaul/client";
import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { clearDraft, pins, placing, type PinKind } from "../state/draft";
import { mapTrouble } from "../state/map";
import { knownName, placeName } from "../state/names";
import { ordering } from "../state/panels";
import { rememberOrder } from "../state/recent";
import { select } from "../state/selection";
import { api } from "../state/session";
import { recall, remember } from "../state/storage";
import { viewer } from "../state/viewer";
import { world } from "../state/world";
import { Combobox } from "./Combobox";
import { Icon } from "./Icon";
import { placesLike } from "./places";

const POUNDS_IN_A_KG = 1 / 0.45359237;
const ACCOUNT_KEY = "skyhaul.account";
type Word = NonNullable<Order["confirmationRequired"]>;
const WORDS: Record<Word, string> = {
  None: "Nobody has to be there",
  FingerPrint: "Waits for a fingerprint",
  Picture: "Waits for a picture",
  Voice: "Waits for a voice",
};
const LABELS: Record<PinKind, string> = { pickup: "Pick-up", dropoff: "Drop-off" };
const POINTERS: Record<PinKind, string> = { pickup: "/pickupLocation", dropoff: "/dropOffLocation" };

/** What stands in the two fields; a pin on the map writes it, and typing takes the pin away. */
const texts: Record<PinKind, ReturnType<typeof signal<string>>> = { pickup: signal(""), dropoff: signal("") };

for (const kind of ["pickup", "dropoff"] as const) {
  effect(() => {
    const pin = pins[kind].value;
    if (pin) texts[kind].value = pin.name ?? placeName(pin as Location);
  });
}

export function openOrder(): void {
  ordering.value = true;
  placing.value = mapTrouble.peek() ? null : pins.pickup.peek() ? (pins.dropoff.peek() ? null : "dropoff") : "pickup";
}

export function cancelOrder(): void {
  ordering.value = false;
  clearDraft();
  texts.pickup.value = texts.dropoff.value = "";
}

export function OrderForm() {
  const weight = useSignal("0.5");
  const expedited = useSignal(false);
  const word = useSignal<Word>("None");
  const account = useSignal(recall(ACCOUNT_KEY) ?? "walk-in");
  const sending = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  // The same for every attempt at this one order, so that a lost answer orders nothing twice.
  const key = useRef(randomKey());
  const own = viewer.value.account;
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (!problem.value) return;
    form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [problem.value]);

  const changed = () => {
    problem.value = null;
    key.current = randomKey();
  };
  const submit = async () => {
    if (sending.value) return;
    sending.value = true;
    problem.value = null;
    const [from, to] = [texts.pickup.peek()!, texts.dropoff.peek()!];
    try {
      const accepted = await api.order(
        {
          ownerId: own ?? account.value.trim(),
          pickupLocation: spoken("pickup"),
          dropOffLocation: spoken("dropoff"),
          packageInfo: { packageId: `page-${key.current.slice(0, 8)}`, size: "Small", weight: Number(weight.value) * POUNDS_IN_A_KG },
          expedited: expedited.value,
          confirmationRequired: word.value,
        },
        key.current,
      );
      if (!own) remember(ACCOUNT_KEY, account.value.trim());
      rememberOrder({ id: accepted.deliveryId, from, to });
      cancelOrder();
      select({ kind: "delivery", id: accepted.deliveryId });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem.value = error;
    } finally {
      sending.value = false;
    }
  };

  const at = (pointer: string) => problem.value?.field(pointer);
  const elsewhere = problem.value && unplaced(problem.value);
  return (
    <form
      ref={form}
      class="card panel order"
      aria-label="Order a delivery"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <header class="card-head">
        <h2>New delivery</h2>
        <button type="button" class="icon-button" aria-label="Cancel the order" onClick={cancelOrder}>
          <Icon name="close" />
        </button>
      </header>
      <p class="soft small" aria-live="polite">
        {hint()}
      </p>
      <Stop kind="pickup" error={at(POINTERS.pickup)} onChange={changed} />
      <Stop kind="dropoff" error={at(POINTERS.dropoff)} onChange={changed} />
      <div class="field-pair">
        <div class="field">
          <label for="order-weight">Weight, kg</label>
          <input
            id="order-weight"
            type="number"
            inputMode="decimal"
            step="0.1"
            min="0"
            value={weight.value}
            aria-invalid={at("/packageInfo/weight") ? true : undefined}
            aria-describedby={at("/packageInfo/weight") ? "order-weight-error" : undefined}
            onInput={(event) => {
              changed();
              weight.value = event.currentTarget.value;
            }}
          />
        </div>
        {!own && (
          <div class="field">
            <label for="order-account">Account</label>
            <input
              id="order-account"
              type="text"
              autocomplete="off"
              value={account.value}
              aria-invalid={at("/ownerId") ? true : undefined}
              aria-describedby={at("/ownerId") ? "order-account-error" : undefined}
              onInput={(event) => {
                changed();
                account.value = event.currentTarget.value;
              }}
            />
          </div>
        )}
      </div>
      <FieldError id="order-weight-error" label="Weight" text={inKg(at("/packageInfo/weight"))} />
      <FieldError id="order-account-error" label="Account" text={at("/ownerId")} />
      <div class="field">
        <label for="order-word">At the door</label>
        <select
          id="order-word"
          value={word.value}
          onChange={(event) => {
            changed();
            word.value = event.currentTarget.value as Word;
          }}
        >
          {Object.entries(WORDS).map(([kind, label]) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={expedited.value}
          onChange={(event) => {
            changed();
            expedited.value = event.currentTarget.checked;
          }}
        />
        <span>
          Expedited <span class="soft">goes before others</span>
        </span>
      </label>
      {elsewhere && (
        <p class="field-error" role="alert">
          {elsewhere}
        </p>
      )}
      <button type="submit" class="primary" disabled={sending.value}>
        {sending.value ? "Ordering…" : "Order"}
      </button>
    </form>
  );
}

function Stop({ kind, error, onChange }: { kind: PinKind; error?: string; onChange: () => void }) {
  const text = texts[kind].value ?? "";
  const choosing = placing.value === kind;
  return (
    <div class={`stop stop-${kind}`}>
      <Combobox
        id={`order-${kind}`}
        label={LABELS[kind]}
        value={text}
        placeholder={choosing ? "Click the map or type a name" : "Place name or coordinates"}
        suggestions={placesLike(text)}
        error={error}
        onInput={(typed) => {
          onChange();
          texts[kind].value = typed;
          pins[kind].value = null;
        }}
        onPick={({ label }) => {
          onChange();
          setByName(kind, label);
        }}
      >
        {!mapTrouble.value && (
          <button
            type="button"
            class="icon-button in-field"
            aria-pressed={choosing}
            aria-label={`Choose the ${LABELS[kind].toLowerCase()} on the map`}
            onClick={() => (placing.value = choosing ? null : kind)}
          >
            <Icon name="pin" />
          </button>
        )}
      </Combobox>
    </div>
  );
}

function FieldError({ id, label, text }: { id: string; label: string; text?: string }) {
  if (!text) return null;
  return (
    <p class="field-error" id={id} role="alert">
      {label} {text}
    </p>
  );
}

/** A place chosen by name has its pin too; the next click sets what is still missing. */
function setByName(kind: PinKind, name: string): void {
  texts[kind].value = name;
  const place = world.peek()?.places.find((place) => place.name === name);
  if (place) {
    const { latitude, longitude } = place.location;
    pins[kind].value = { latitude, longitude, name };
  }
  const other: PinKind = kind === "pickup" ? "dropoff" : "pickup";
  placing.value = mapTrouble.peek() || pins[other].peek() || texts[other].peek() ? null : other;
}

/** As the server wants it: coordinates of a pin, else the words as they stand. */
function spoken(kind: PinKind): string {
  const pin = pins[kind].peek();
  if (!pin) return (texts[kind].peek() ?? "").trim();
  return pin.name && knownName(pin) === pin.name ? pin.name : `${pin.latitude},${pin.longitude}`;
}

function hint(): string {
  if (mapTrouble.value) return "Type places or coordinates. Escape cancels.";
  if (placing.value === "pickup") return "Click the map where the package is, or type a place.";
  if (placing.value === "dropoff") return "Now click where it should go.";
  return "Pins can be dragged. Escape cancels.";
}

/** The interface speaks of pounds; this form does not. */
function inKg(text?: string): string | undefined {
  return text?.replace("a number of pounds above 0", "a number of kilograms above 0");
}

const SHOWN_AT_FIELDS = new Set(["/pickupLocation", "/dropOffLocation", "/packageInfo/weight", "/ownerId"]);

/** What no field of the form can show. */
function unplaced({ body, retryAfter }: Problem): string | null {
  const others = (body.errors ?? []).filter(({ pointer }) => !SHOWN_AT_FIELDS.has(pointer));
  if (others.length > 0) return others.map(({ pointer, detail }) => `${pointer} ${detail}`).join("; ");
  if (body.errors && body.errors.length > 0) return null;
  if (body.status === 0) return "The server cannot be reached. Nothing was ordered.";
  if (body.status === 503) return `The server takes no orders right now${retryAfter ? `; try again in ${retryAfter} s` : ""}.`;
  if (body.status === 403) return "This link may not order here.";
  return body.detail || body.title;
}

/** Not `randomUUID`, which browsers keep from pages without TLS. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
