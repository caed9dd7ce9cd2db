// What a text may mean among the places that this world knows by name.

import { hubs, world } from "../state/world";
import type { Suggestion } from "./Combobox";

const MOST = 7;

/** Names that hold the text; those that begin with it come first. */
export function placesLike(text: string): Suggestion[] {
  const wanted = text.trim().toLowerCase();
  const names = (world.value?.places ?? []).map(({ name }) => name);
  const fitting = names.filter((name) => name.toLowerCase().includes(wanted));
  const rank = (name: string) => {
    const at = name.toLowerCase().indexOf(wanted);
    return at === 0 ? 0 : name[at - 1] === " " ? 1 : 2;
  };
  const sorted = fitting.sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
  return sorted.slice(0, MOST).map((name) => ({ key: `place/${name}`, label: name }));
}

export function hubsLike(text: string): Suggestion[] {
  const wanted = text.trim().toLowerCase();
  const fitting = hubs.value.filter(({ id, name }) => id.includes(wanted) || name.toLowerCase().includes(wanted));
  return fitting.slice(0, MOST).map(({ id, name }) => ({ key: `hub/${id}`, label: name, note: "Hub" }));
}
