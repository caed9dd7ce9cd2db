// A real browser that draws with its processor, and pages that are held to good manners:
// no error on the console, and no request to any other host.

import { existsSync } from "node:fs";

import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const CANDIDATES = [
  process.env.SKYHAUL_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

export async function launch(): Promise<Browser> {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("missing: chromium (apt-get install chromium, or name one in SKYHAUL_CHROMIUM)");
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--ignore-gpu-blocklist",
    ],
  });
}

export interface Visit {
  page: Page;
  /** What the page should not have done; tests expect this to be empty. */
  misdeeds: string[];
  close(): Promise<void>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** The test takes the server away, so failed requests are no misdeeds. */
  serverMayGo?: boolean;
}

/** Opens an address of the server in a profile of its own. */
export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { serverMayGo = false, ...context } = options;
  const profile = await browser.newContext({ viewport: { width: 800, height: 600 }, ...context });
  const page = await profile.newPage();
  const misdeeds: string[] = [];
  const own = new URL(url).host;
  page.on("console", (message) => {
    const from = message.location().url;
    const gone = serverMayGo && /Failed to load resource|WebSocket connection/.test(message.text());
    // A drone may land while its route is asked for.
    const landed = /404/.test(message.text()) && /\/api\/drones\/[^/]+\/route$/.test(from);
    if (message.type() === "error" && !gone && !landed) misdeeds.push(`console: ${message.text()} ${from}`);
  });
  page.on("pageerror", (error) => misdeeds.push(`error: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (/^(https?|wss?):$/.test(protocol) && host !== own) misdeeds.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  return { page, misdeeds, close: () => profile.close() };
}

/** Waits until the page shows drones. */
export async function dronesDrawn(page: Page): Promise<void> {
  await page.waitForFunction(() => (window.__skyhaul?.airborne() ?? 0) > 0);
}
