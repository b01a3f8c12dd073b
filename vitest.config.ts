// Three kinds of tests: pure code in Node, Workers and their Durable Objects in workerd, whole deployed jobs from outside.
// Files of all kinds go side by side; those of a kind that need no process or runtime of their own share some.
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { reachBinding } from "./shared/http/reach.ts";
import { defineConfig } from "vitest/config";
import { CountReporter } from "./test/support/count-reporter.ts";
import { LongestFirst } from "./test/support/longest-first.ts";
import { otherAgent } from "./test/support/other-agent.ts";
import { pushReceivers } from "./test/support/push-receivers.ts";
import { probedAgents } from "./test/support/probed-agents.ts";
import { scriptedModel } from "./test/support/scripted-model.ts";
import { testCollector } from "./test/support/test-collector.ts";
import { testControlPlane } from "./test/support/test-control-plane.ts";
import { privateKeyOf } from "./test/support/test-signers.ts";
import { testInternet } from "./test/support/test-internet.ts";

/** What is waited for takes longer on a busy machine. */
const expect = { poll: { timeout: 15_000 } };

/** Files at the same time, on a machine of two cores: deployed jobs wait more than they compute. */
const maxWorkers = 4;

/** Bundled once, since each module by itself costs every runtime a request. */
const bundled = [
  "@a2a-js/sdk",
  "@a2a-js/sdk/client",
  "@a2a-js/sdk/errors",
  "@anthropic-ai/sdk/client",
  "@anthropic-ai/sdk/core/error",
  "@anthropic-ai/sdk/resources/messages/messages",
  "@mozilla/readability",
  "@opentelemetry/api",
  "@opentelemetry/resources",
  "hono",
  "linkedom/worker",
  "stemmer",
  "zod",
];

const workerd = () =>
  cloudflareTest(() => ({
    main: "./test/workers/entry.ts",
    wrangler: { configPath: "./test/workers/wrangler.jsonc" },
    miniflare: {
      bindings: {
        FUZZ_REQUESTS: process.env["FUZZ_REQUESTS"] ?? "10000",
        TROUPE_SIGNING_KEY: privateKeyOf("tester"),
        FUZZ_SEED: process.env["FUZZ_SEED"] ?? "1",
      },
      workers: [probedAgents],
      outboundService: testInternet,
      serviceBindings: {
        PROBE: probedAgents.name,
        MODEL: scriptedModel,
        PEER_OTHER: otherAgent(),
        CONTROL_PLANE: testControlPlane(),
        COLLECTOR: testCollector,
        // The agent's settings allow it.
        [reachBinding("http://10.1.2.3:9000")]: pushReceivers,
      },
    },
  }));

const inWorkerd = {
  deps: { optimizer: { ssr: { enabled: true, include: bundled } } },
  expect,
  // The first call of an object loads the entry with all Workers, which takes seconds on a busy machine.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  maxWorkers,
};

const deployed = {
  environment: "node",
  globalSetup: "./test/e2e/prebuilt.ts",
  setupFiles: "./test/e2e/own-ports.ts",
  expect,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

const AGENT = "test/workers/agent/**/*.test.ts";
/** Tests of clocks and of kills at a certain moment: two at a time, and nothing else beside them. */
const ALONE = [
  "test/e2e/crash/**/*.test.ts",
  "test/e2e/gone-for-a-moment.test.ts",
  "test/e2e/heavy-tool.test.ts",
  "test/e2e/no-alarm.test.ts",
  "test/e2e/registry-life.test.ts",
];

export default defineConfig({
  test: {
    reporters: ["default", new CountReporter()],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          environment: "node",
          include: ["test/unit/**/*.test.ts"],
          expect,
          testTimeout: 30_000,
          isolate: false,
          maxWorkers,
        },
      },
      {
        plugins: [workerd()],
        test: {
          ...inWorkerd,
          name: "workers",
          include: ["test/workers/**/*.test.ts"],
          exclude: [AGENT],
          isolate: false,
        },
      },
      { plugins: [workerd()], test: { ...inWorkerd, name: "agents", include: [AGENT] } },
      { test: { ...deployed, name: "e2e", include: ["test/e2e/**/*.test.ts"], exclude: ALONE, maxWorkers } },
      {
        test: {
          ...deployed,
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          globalSetup: ["./test/e2e/prebuilt.ts", "./test/conformance/deployed.ts"],
          setupFiles: [],
          maxWorkers,
        },
      },
      { test: { ...deployed, name: "e2e-alone", include: ALONE, maxWorkers: 2, sequence: { groupOrder: 1 } } },
    ],
  },
});
