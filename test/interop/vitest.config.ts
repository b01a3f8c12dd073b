// `npm run test:interop`: real receivers of OTLP, built from source or installed. Apart from `npm test`, since it needs Go, Python,
// their registries and, the first time, many minutes.
import { join } from "node:path";

import { defineConfig } from "vitest/config";

import { OutcomeReporter } from "./outcome-reporter.ts";

const MINUTE_MS = 60_000;

export default defineConfig({
  test: {
    name: "interop",
    environment: "node",
    root: join(import.meta.dirname, "../.."),
    include: ["test/interop/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 3 * MINUTE_MS,
    // The hooks build.
    hookTimeout: 60 * MINUTE_MS,
    reporters: ["default", new OutcomeReporter()],
  },
});
