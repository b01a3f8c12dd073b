// The directions in which files may import one another: workers → shared, scripts → jobs → shared, test → anything, and
// within a folder by its order. A rule's name is what `npm run check` prints.
import { order, sees } from "./scripts/check/order.ts";

const production = "^(workers|shared|jobs|scripts)/";

/** Files that match `from` may import nothing that matches `to`. */
const never = (name, from, to) => ({ name, severity: "error", from: { path: from }, to: { path: to } });

/** From left to right: what stands left is imported by what stands right of it. */
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
  sees("shared/tools", "shared/loop", ["tool", "peers"]),
];

/** Through each of these still goes a circle that types close. A path that is here no more may go. */
const knots = [
  "scripts/targets/target.ts",
  "shared/agent/environment.ts",
  "shared/agent/session/live-task.ts",
  "shared/loop/compact.ts",
  "shared/loop/hooks/input.ts",
  "shared/loop/model-call.ts",
  "shared/loop/tool-call.ts",
  "shared/loop/turn.ts",
  "workers/control-plane/env.ts",
  "workers/control-plane/traces/shards.ts",
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
    {
      name: "no-circle",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-circle-of-types",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { pathNot: `^(${knots.join("|")})$` } },
    },
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
