// Everybody can use the page: with keys alone, with a screen reader, with weak eyes.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { PALETTES } from "../src/map/palette";
import { serious } from "./barriers";
import { headline, scene } from "./scene";

const here = scene("calm");

for (const colorScheme of ["dark", "light"] as const) {
  test(`nothing keeps anybody out of the main views, ${colorScheme}`, async () => {
    const page = await here.look("/", { colorScheme, mayBeRefused: true });
    await page.waitForFunction(() => window.__skyhaul?.connection() === "open");
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press("n");
    await page.getByRole("button", { name: "Order", exact: true }).click();
    await page.locator("#order-pickup-error").waitFor();
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("o");
    await page.getByRole("complementary", { name: "Operations" }).getByText("Under way").waitFor();
    expect(await serious(page)).toEqual([]);
    const order = await here.order();
    const other = await here.look(`/#d=${order}`, { colorScheme });
    await headline(other, /pick-up/);
    expect(await serious(other)).toEqual([]);
  }, 180_000);
}

test("keys alone reach every control, and a dialog keeps them until it is closed", async () => {
  const page = await here.look("/");
  await page.waitForFunction(() => window.__skyhaul?.connection() === "open");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press("Tab");
    seen.add((await focused()).trim());
  }
  expect([...seen]).toEqual(expect.arrayContaining(["Operations", "Keyboard shortcuts", "Order a delivery", "Map"]));

  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog", { name: "Keyboard" });
  await dialog.waitFor();
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press("Tab");
    // The browser's own bar comes in turn; nothing behind the dialog does.
    expect(await page.evaluate(() => document.activeElement === document.body || !!document.activeElement?.closest("dialog"))).toBe(true);
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
});

/** WCAG 2.2, 1.4.3. */
const LEAST = 4.5;

test("text can be read on what it stands on, in both themes", () => {
  const css = readFileSync(join(import.meta.dirname, "../src/styles/tokens.css"), "utf8");
  for (const theme of ["dark", "light"] as const) {
    const block = css.split(`[data-theme="${theme}"]`)[1]!.split("}")[0]!;
    const token = (name: string) => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(block)![1]!;
    const map = PALETTES[theme];
    const pairs: [what: string, text: string, ground: string][] = [
      ...["ink", "soft", "faint", "accent", "good", "warn", "bad"].flatMap((name) => [
        [`${name} on a panel`, token(name), token("panel-solid")] as [string, string, string],
        [`${name} in a field`, token(name), token("raised")] as [string, string, string],
      ]),
      ["a main button", token("accent-ink"), token("accent")],
      ["hub names", map.ink, map.land],
      ["place names", map.soft, map.land],
      ["zone names", map.zone, map.land],
      ["credits", token("soft"), map.water],
    ];
    const faint = pairs.filter(([, text, ground]) => contrast(text, ground) < LEAST).map(([what]) => `${theme}: ${what}`);
    expect(faint).toEqual([]);
  }
});

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
