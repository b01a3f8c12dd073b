// The directions in which files may import one another: workers → shared, scripts → jobs → shared, test → anything,
// and inside shared a room knows only what is listed here. A rule's name is what `npm run check` prints.

const ground = ["text", "durable", "budget", "resilience", "retrieval", "tracing"];
const rooms = [...ground, "http", "a2a", "control-plane", "models", "loop", "tools", "agent"];
const production = "^(workers|shared|jobs|scripts)/";

/** Files under `from` may import from shared only what matches one of `allowed`. */
const room = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: `^shared/${from}/` },
  to: { path: "^shared/", pathNot: allowed.map((path) => `^shared/${path}`) },
});

/** Files that match `from` may import nothing that matches `to`. */
const never = (name, from, to) => ({ name, severity: "error", from: { path: from }, to: { path: to } });

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

    room("shared-text-knows-nobody", "text", ["text/"]),
    room("shared-foundation-knows-only-text", "(durable|budget|resilience|retrieval)", ["$1/", "text/"]),
    room("shared-tracing-knows-only-ground", "tracing", ["tracing/", "text/", "budget/"]),
    room("shared-http-knows-only-text-and-tracing", "http", ["http/", "text/", "tracing/"]),
    room("shared-a2a-knows-only-http", "a2a", ["a2a/", "(text|budget|tracing|http)/"]),
    room("shared-control-plane-knows-only-formats", "control-plane", ["control-plane/", "a2a/", "budget/", "text/"]),
    room("shared-models-know-only-ground", "models", ["models/", "(text|budget|resilience|tracing)/", "http/"]),
    room("shared-loop-knows-no-backend", "loop", ["loop/", "(text|budget|resilience|tracing)/", "models/model\\.ts$"]),
    room("shared-tools-know-only-tool-types", "tools", [
      "tools/",
      "(text|tracing|resilience|http|a2a)/",
      "loop/(tool|peers)\\.ts$",
    ]),
    {
      name: "workers-use-little-of-node",
      severity: "error",
      from: { path: "^(workers|shared)/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(buffer|async_hooks|crypto|events)$|^cloudflare:" },
    },
    never("shared-room-without-a-rule", ".", `^shared/(?!(${rooms.join("|")})/)`),

    // Types may refer to each other: an object's environment holds namespaces of the object.
    {
      name: "no-cycle",
      severity: "error",
      from: {},
      to: { circular: true },
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
    tsConfig: { fileName: "tsconfig.base.json" },
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
