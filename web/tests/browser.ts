// A real browser that draws with its processor, and pages that are held to good manners:
// no error on the console, and no request to any other host.

import { existsSync } from "node:fs";

import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type BrowserServer,
  type LaunchOptions,
  type Page,
} from "playwright-core";

const CANDIDATES = [
  process.env.SKYHAUL_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

function options(): LaunchOptions {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("missing: chromium (apt-get install chromium, or name one in SKYHAUL_CHROMIUM)");
  return {
    executablePath,
    args: [
      "--no-sandbox",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--ignore-gpu-blocklist",
      // Only the maps are drawn as a graphics card would: four times as many frames.
      "--disable-gpu-compositing",
      "--disable-gpu-rasterization",
    ],
  };
}

/** Generous: a machine may have other things to do. */
const PATIENCE_MS = 60_000;
/** About six a second: enough for anything that is clicked or read. */
const MS_A_FRAME = 150;

export function launch(): Promise<Browser> {
  return chromium.launch(options());
}

/** For others to connect to. */
export function launchServer(): Promise<BrowserServer> {
  return chromium.launchServer(options());
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
  /** The test asks for what it is refused, which browsers report as errors. */
  mayBeRefused?: boolean;
  /** A host beside its own that the page shows in a frame. */
  mayShow?: string;
  /** Before the page is there. */
  prepare?: (page: Page) => Promise<void>;
}

/** Opens an address of the server in a profile of its own. */
export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { serverMayGo = false, mayBeRefused = false, mayShow, prepare, ...context } = options;
  // Half as many dots each way: the processor draws them, and no story is about them.
  const profile = await browser.newContext({ viewport: { width: 800, height: 600 }, deviceScaleFactor: 0.5, ...context });
  profile.setDefaultTimeout(PATIENCE_MS);
  await profile.addInitScript(drawSeldom, MS_A_FRAME);
  const page = await profile.newPage();
  const misdeeds: string[] = [];
  page.on("console", (message) => {
    const from = message.location().url;
    const text = message.text();
    const gone = serverMayGo && /Failed to load resource|WebSocket connection|Worker failed to load/.test(text);
    const refused = mayBeRefused && /Failed to load resource.* 4\d\d/.test(text);
    // A drone may land while its route is asked for.
    const landed = /404/.test(text) && /\/api\/drones\/[^/]+\/route$/.test(from);
    if (message.type() === "error" && !gone && !refused && !landed) misdeeds.push(`console: ${text} ${from}`);
  });
  page.on("pageerror", (error) => misdeeds.push(`error: ${error.stack ?? error.message}`));
  forbidStrangers(profile, [new URL(url).host, mayShow], misdeeds);
  await prepare?.(page);
  await page.goto(url);
  return { page, misdeeds, close: () => profile.close() };
}

/** The processor draws, and it has a server and other tests to run besides. */
function drawSeldom(ms: number): void {
  const draw = window.requestAnimationFrame.bind(window);
  const drop = window.cancelAnimationFrame.bind(window);
  const drawn = new Map<number, number>();
  window.requestAnimationFrame = (callback) => {
    // A number that `cancelAnimationFrame` may be called with, until it has been drawn.
    const timer = window.setTimeout(() => {
      const frame = draw((time) => {
        drawn.delete(timer);
        callback(time);
      });
      drawn.set(timer, frame);
    }, ms);
    return timer;
  };
  window.cancelAnimationFrame = (timer) => {
    window.clearTimeout(timer);
    const frame = drawn.get(timer);
    if (frame !== undefined) drop(frame);
    drawn.delete(timer);
  };
}

/** Whatever is asked, by page, worker or socket, is asked of these hosts. */
function forbidStrangers(profile: BrowserContext, known: (string | undefined)[], misdeeds: string[]): void {
  const check = (address: string) => {
    const { host, protocol } = new URL(address);
    if (/^(https?|wss?):$/.test(protocol) && !known.includes(host)) misdeeds.push(`request to ${address}`);
  };
  profile.on("request", (request) => check(request.url()));
  profile.on("page", (page) => page.on("websocket", (socket) => check(socket.url())));
  for (const page of profile.pages()) page.on("websocket", (socket) => check(socket.url()));
}

/** Waits until the page shows drones. */
export async function dronesDrawn(page: Page): Promise<void> {
  await page.waitForFunction(() => (window.__skyhaul?.airborne() ?? 0) > 0);
}
