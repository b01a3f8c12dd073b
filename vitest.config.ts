// Three kinds of tests: pure code in Node, Workers and their Durable Objects in workerd, whole deployed jobs from outside.
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { CountReporter } from "./test/support/count-reporter.ts";
import { otherAgent } from "./test/support/other-agent.ts";
import { probedAgents } from "./test/support/probed-agents.ts";
import { scriptedModel } from "./test/support/scripted-model.ts";
import { testCollector } from "./test/support/test-collector.ts";
import { testControlPlane } from "./test/support/test-control-plane.ts";
import { testInternet } from "./test/support/test-internet.ts";

/** What is waited for takes longer on a busy machine. */
const patience = { poll: { timeout: 15_000 } };

export default defineConfig({
  test: {
    reporters: ["default", new CountReporter()],
    projects: [
      { test: { name: "unit", environment: "node", include: ["test/unit/**/*.test.ts"], expect: patience } },
      {
        plugins: [
          cloudflareTest({
            main: "./test/workers/entry.ts",
            wrangler: { configPath: "./test/workers/wrangler.jsonc" },
            miniflare: {
              bindings: {
                FUZZ_REQUESTS: process.env["FUZZ_REQUESTS"] ?? "10000",
                FUZZ_SEED: process.env["FUZZ_SEED"] ?? "1",
              },
              outboundService: testInternet,
              serviceBindings: {
                PROBE: probedAgents,
                MODEL: scriptedModel,
                PEER_OTHER: otherAgent,
                CONTROL_PLANE: testControlPlane,
                COLLECTOR: testCollector,
              },
            },
          }),
        ],
        // The first call of an object loads the entry with all Workers, which takes seconds on a busy machine.
        test: {
          name: "workers",
          include: ["test/workers/**/*.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          expect: patience,
        },
      },
      {
        test: {
          name: "e2e",
          globalSetup: "./test/e2e/prebuilt.ts",
          environment: "node",
          include: ["test/e2e/**/*.test.ts"],
          expect: patience,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
