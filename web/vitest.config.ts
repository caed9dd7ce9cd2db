// The page's tests: the real program and a real browser, one story after the other.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // `npm run screenshots` makes the pictures of the documentation in the same way.
    include: [process.env.SKYHAUL_SCREENSHOTS ? "tests/screenshots.ts" : "tests/**/*.test.ts"],
    globalSetup: "tests/one_browser.ts",
    // One browser at a time: it draws on the processor.
    fileParallelism: false,
    // A story waits for what it expects, and that may take long on a machine that is busy.
    expect: { poll: { timeout: 60_000 } },
    // A machine that is busy with something else for a while is given a second chance; it is told of.
    retry: 1,
    testTimeout: process.env.SKYHAUL_SCREENSHOTS ? 900_000 : 120_000,
    hookTimeout: 120_000,
  },
});
