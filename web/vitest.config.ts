// The page's tests: the real program and a real browser, one story after the other.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: "tests/one_browser.ts",
    // One browser at a time: it draws on the processor.
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 90_000,
  },
});
