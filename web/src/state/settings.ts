// What this browser prefers, and how the page was opened.

import { computed, effect, signal } from "@preact/signals";

import { recall, remember } from "./storage";

export type Theme = "dark" | "light";
export type ThemeChoice = Theme | "system";

const THEME_KEY = "skyhaul.theme";

const query = new URLSearchParams(location.search);
/** A wall screen: nobody touches it. */
export const kiosk = query.has("kiosk");
/** Inside another page's frame. */
export const embedded = query.has("embed");
/** One of two maps side by side, in a frame of this page itself. */
export const half = query.has("half");
/** Before the paths of what is asked for: a recording that is shown beside another has one. */
export const base = /^\/beside(\/|$)/.test(location.pathname) ? "/beside" : "";

export const themeChoice = signal<ThemeChoice>(storedTheme());

const light = matchMedia("(prefers-color-scheme: light)");
const systemTheme = signal<Theme>(light.matches ? "light" : "dark");
light.addEventListener("change", () => (systemTheme.value = light.matches ? "light" : "dark"));

export const theme = computed<Theme>(() =>
  themeChoice.value === "system" ? systemTheme.value : themeChoice.value,
);

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
export const reducedMotion = signal(stillness.matches);
stillness.addEventListener("change", () => (reducedMotion.value = stillness.matches));

/** Keeps the document in step with the theme. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
  effect(() => remember(THEME_KEY, themeChoice.value));
}

function storedTheme(): ThemeChoice {
  const stored = recall(THEME_KEY);
  return stored === "dark" || stored === "light" ? stored : "system";
}
