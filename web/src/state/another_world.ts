// The server came back, but not the world that it had: time went back, or the place is
// another. Nothing on the page would be true any more, so it begins anew and says why.

import { signal } from "@preact/signals";

const KEY = "skyhaul.another-world";

/** The page was just opened again for that reason. */
export const beganAnew = signal(taken());

export function anotherWorld(): void {
  try {
    sessionStorage.setItem(KEY, "1");
  } catch {
    // A frame without storage begins anew without a word.
  }
  location.reload();
}

function taken(): boolean {
  try {
    const was = sessionStorage.getItem(KEY) !== null;
    sessionStorage.removeItem(KEY);
    return was;
  } catch {
    return false;
  }
}
