// The directions in which files may import one another: workers → shared, scripts → jobs → shared, test → anything, and
// within a folder by its order. A rule's name is what `npm run check` prints.
import { order, sees } from "./scripts/check/order.ts";

const production = "^(workers|shared|jobs|scripts)/";

/** Files that match `from` may import nothing that matches `to`. */
const never = (name, from, to) => ({ name, severity: "error", from: { path: from }, to: { path: to } });

/** From left to right: who stands right imports who stands left. Every file of such a folder has a place. */
const orders = [
  ...order("shared", [
    ["durable", "text"],
    ["budget", "resilience", "retrieval"],
    "tracing",
    "http",
    "a2a",
    ["control-plane", "models"],
    "loop",
    "tools",
    "agent",
  ]),
  sees("shared/loop", "shared", ["loop", "text", "budget", "resilience", "tracing", "models"]),
  sees("shared/loop", "shared/models", ["model"]),
  sees("shared/tools", "shared", ["tools", "text", "resilience", "tracing", "http", "a2a", "loop"]),
  sees("shared/tools", "shared/loop", ["tools"]),
  ...order(
    "shared/loop",
    [
      "log",
      "tools",
      "hooks",
      "spans",
      ["tool-calls", "model-call"],
      "compaction",
      "ending",
      "next-answer code",
      "run-turn",
    ],
    { contracts: ["turn", "event"] },
  ),
  ...order(
    "shared/agent",
    [
      "code-agent definition config card log breakers reply refusal caller env model rpc slots wake young-turns delete-session",
      "control-plane",
      ["peers", "session-index", "beacon"],
      "toolbox",
      ["session", "front-door", "inspection"],
      "define-agent",
    ],
    { contracts: ["env", "rpc"] },
  ),
  ...order("shared/agent/session", [
    "tasks",
    "push",
    "approvals",
    "turns",
    "operator",
    "recovery request-handler event-stream",
    "session",
  ]),
  ...order("jobs", ["file", "schema", "placement", "plan", "check", "load"]),
  ...order("scripts", [
    "check generate-schema",
    "terminal project",
    "traces",
    "targets inspection corpus remotes",
    "jobs",
    ["sessions", "dev"],
    "query",
    "completion",
    "commands",
    "cli",
    "troupe",
  ]),
  ...order("scripts/dev", [
    "addresses dev-vars layout places router-fetch sources workers wrangler-output",
    "prepare wrangler-dev",
    "dev",
  ]),
  ...order("scripts/traces", ["amounts options span", "tree critical-path hop skew diff", "store", "draw"]),
  ...order(
    "scripts/targets",
    ["local", "elsewhere", "hosts", "cloudflare", "command-line", "deployed-target", "choose-target", "deploy-job"],
    { contracts: ["target", "https-files", "merged-lines"] },
  ),
  ...order("scripts/targets/cloudflare", [
    "account",
    "upload",
    "tail",
    "namespace healthy limits",
    "status",
    "deploy rollback stop remove logs",
    "cloudflare",
  ]),
  ...order("scripts/targets/cloudflare/account", ["api", "account", "workers"]),
  ...order("scripts/targets/cloudflare/upload", [
    "wrangler config-folder in-parallel migrations addresses",
    "upload zones present-addresses",
    "deploy-worker snapshot restore release-versions change-addresses",
    "upload-all change",
  ]),
  ...order("scripts/targets/hosts", [
    ["ssh", "keys"],
    ["preflight", "workerd", "machine"],
    "reach",
    "tunnels",
    "release",
    "forwarding-fetch job-machines ports",
    "run check-edges swap status logs",
    "prove prepare hold-again",
    "deploy restart rollback stop cleanup",
    "hosts",
  ]),
  ...order("scripts/targets/local", [
    "state",
    "processes",
    "control-plane",
    "deploy-trace run",
    "deploy restart rollback stop status logs",
    "local",
  ]),
  ...order("workers/control-plane", ["auth openapi-parts endpoints budgets keys registry traces", "openapi", "index"], {
    contracts: ["env", "rpc"],
  }),
  ...order("workers/control-plane/traces", [
    "otlp",
    "rows",
    "forward",
    "shards retention close-open receive endpoints",
    "traces",
  ]),
  ...order("workers/offline-model", ["api", "reading", "calls", "answers", "decide", "reply", "index"]),
];

export default {
  forbidden: [
    never("workers-import-only-shared", "^workers/", "^(jobs|scripts)/"),
    {
      name: "worker-imports-no-other-worker",
      severity: "error",
      from: { path: "^workers/(agents/[^/]+|[^/]+)/" },
      to: { path: "^workers/", pathNot: "^workers/$1/" },
    },
    never("shared-knows-nobody", "^shared/", "^(workers|jobs|scripts)/"),
    never("jobs-import-only-shared", "^jobs/", "^(workers|scripts)/"),
    never("scripts-import-no-worker", "^scripts/", "^workers/"),
    never("production-imports-no-test", production, "^test/"),
    ...orders,
    {
      name: "workers-use-little-of-node",
      severity: "error",
      from: { path: "^(workers|shared)/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(buffer|async_hooks|crypto|events)$|^cloudflare:" },
    },
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    { name: "nothing-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "production-imports-only-dependencies",
      severity: "error",
      from: { path: production, pathNot: "^scripts/check(/|\\.ts$)" },
      to: {
        dependencyTypes: ["npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"],
        dependencyTypesNot: ["type-only"],
      },
    },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^test/fixtures/" },
    builtInModules: { add: ["cloudflare:workers", "cloudflare:test", "cloudflare:sockets"] },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js", ".json"],
      conditionNames: ["workerd", "worker", "import", "node", "default", "types"],
      exportsFields: ["exports"],
    },
  },
};
