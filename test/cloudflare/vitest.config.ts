// Deployments to an account on this machine, one after another.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/cloudflare/**/*.test.ts"],
    globalSetup: "./test/e2e/prebuilt.ts",
    reporters: ["verbose"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
