// What is on the page: the map over the whole window, and whatever lies on top of it.

import { MapView } from "./map/MapView";
import { Pair } from "./panels/Pair";
import { Panels } from "./panels/Panels";
import { paired } from "./state/forks";

export function App() {
  return (
    <>
      {paired.value ? <Pair /> : <MapView />}
      <Panels />
    </>
  );
}
