// What lies on top of the map.

export function Panels() {
  return null;
}
