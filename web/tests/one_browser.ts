// One browser for all test files: each opens profiles of its own in it. Starting one costs
// more than most of the stories do.

import type { TestProject } from "vitest/node";

import { launchServer } from "./browser";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the browser listens. */
    browser: string;
  }
}

/** Returns what ends it. */
export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const server = await launchServer();
  project.provide("browser", server.wsEndpoint());
  return () => server.close();
}
