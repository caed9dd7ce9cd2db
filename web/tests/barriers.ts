// What keeps people out of a page, as far as a tool can tell.

import axe from "axe-core";
import type { Page } from "playwright-core";

/** What tools find that would keep somebody out. */
export async function serious(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
