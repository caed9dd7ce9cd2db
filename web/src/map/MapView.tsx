// The map's place on the page, and what belongs right on it: hint, legend, credits; or why
// there is no map.

import { useEffect, useRef } from "preact/hooks";

import { mapTrouble } from "../state/map";
import { world } from "../state/world";
import { DroneHint } from "./DroneHint";
import { exposeForTests } from "./hook";
import { Legend } from "./Legend";
import { SkyMap } from "./skymap";

export function MapView() {
  const container = useRef<HTMLDivElement>(null);
  const loaded = world.value;
  useEffect(() => {
    if (!container.current || !loaded) return;
    mapTrouble.value = null;
    let map: SkyMap;
    try {
      map = new SkyMap(container.current, loaded);
    } catch (error) {
      console.warn("there is no map", error);
      mapTrouble.value = "impossible";
      return;
    }
    exposeForTests(map);
    return () => map.destroy();
  }, [loaded]);
  return (
    <div class="map">
      <div ref={container} class="map-canvas" aria-label="Map with drones" role="application" hidden={mapTrouble.value === "impossible"} />
      {mapTrouble.value ? <NoMap /> : <Legend />}
      <DroneHint />
    </div>
  );
}

function NoMap() {
  const lost = mapTrouble.value === "lost";
  return (
    <div class="no-map panel" role="status" data-no-map={mapTrouble.value}>
      <h2>{lost ? "The map stopped" : "No map in this browser"}</h2>
      <p class="soft">
        {lost
          ? "The browser took the graphics card away from this page. It may give it back by itself."
          : "It cannot draw with WebGL 2: the graphics card or its driver is missing, or turned off in the settings."}
      </p>
      <p class="soft">Everything else works: deliveries can be found, ordered by place names, and followed.</p>
      {lost && (
        <button type="button" class="quiet" onClick={() => location.reload()}>
          Reload the page
        </button>
      )}
    </div>
  );
}
