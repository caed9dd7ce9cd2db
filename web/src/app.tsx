// What is on the page: the map over the whole window, and whatever lies on top of it.

import { MapView } from "./map/MapView";
import { Panels } from "./panels/Panels";

export function App() {
  return (
    <>
      <MapView />
      <Panels />
    </>
  );
}
