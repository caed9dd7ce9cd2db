// The map's place on the page, and what belongs right on it: hint, legend, credits.

import { useEffect, useRef } from "preact/hooks";

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
    const map = new SkyMap(container.current, loaded);
    exposeForTests(map);
    return () => map.destroy();
  }, [loaded]);
  return (
    <div class="map">
      <div ref={container} class="map-canvas" aria-label="Map with drones" role="application" />
      <DroneHint />
      <Legend />
    </div>
  );
}
