// The two ends of an order in the making, as pins that can be dragged; and the click that
// sets the one that is wanted next.

import { effect } from "@preact/signals";
import { Marker, type LngLat, type Map as MapLibre } from "maplibre-gl";

import { pins, placing, type Pin, type PinKind } from "../state/draft";

const LABEL: Record<PinKind, string> = { pickup: "Pick-up", dropoff: "Drop-off" };

/** Takes a click on the map for the pin that is being placed; false where none is. */
export function setPinOnClick(at: LngLat): boolean {
  const kind = placing.peek();
  if (!kind) return false;
  pins[kind].value = pinAt(at);
  placing.value = kind === "pickup" && !pins.dropoff.peek() ? "dropoff" : null;
  return true;
}

/** Shows both pins on the map; returns what ends it. */
export function showPins(map: MapLibre): () => void {
  const ends = [showPin(map, "pickup"), showPin(map, "dropoff"), crosshair(map)];
  return () => ends.forEach((end) => end());
}

function showPin(map: MapLibre, kind: PinKind): () => void {
  let marker: Marker | undefined;
  const stop = effect(() => {
    const pin = pins[kind].value;
    if (!pin) {
      marker?.remove();
      marker = undefined;
      return;
    }
    marker ??= make(map, kind);
    marker.setLngLat([pin.longitude, pin.latitude]).addTo(map);
  });
  return () => {
    stop();
    marker?.remove();
  };
}

function make(map: MapLibre, kind: PinKind): Marker {
  const element = document.createElement("div");
  element.className = `pin pin-${kind}`;
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", LABEL[kind]);
  const marker = new Marker({ element, draggable: true, anchor: "bottom" });
  marker.on("dragend", () => (pins[kind].value = pinAt(marker.getLngLat())));
  // A click on the pin is none on the map.
  element.addEventListener("click", (event) => event.stopPropagation());
  map.on("remove", () => marker.remove());
  return marker;
}

function crosshair(map: MapLibre): () => void {
  return effect(() => {
    map.getContainer().classList.toggle("placing", placing.value !== null);
  });
}

/** To the six decimals that the server shows. */
function pinAt({ lng, lat }: LngLat): Pin {
  return { latitude: Number(lat.toFixed(6)), longitude: Number(lng.toFixed(6)) };
}
