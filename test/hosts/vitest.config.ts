// Jobs over hosts of a network of their own. One file after another: there is one network.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/hosts/**/*.test.ts"],
    globalSetup: "./test/e2e/prebuilt.ts",
    reporters: ["verbose", "./test/hosts/table-reporter.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
