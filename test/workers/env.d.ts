// The bindings of test/workers/wrangler.jsonc and vitest.config.ts, as `env` of "cloudflare:workers" shows them to tests.
declare namespace Cloudflare {
  interface Env {
    readonly SCRATCH: DurableObjectNamespace;
    readonly REGISTRY: DurableObjectNamespace<import("../../workers/control-plane/registry/registry.ts").Registry>;
    readonly TRACES: DurableObjectNamespace<import("../../workers/control-plane/traces/traces.ts").Traces>;
    readonly BUDGET: DurableObjectNamespace<import("../../workers/control-plane/budgets/budget.ts").Budget>;
    readonly KEYS: DurableObjectNamespace<import("../../workers/control-plane/keys/keys.ts").Keys>;
    readonly COLLECTOR: Fetcher;
    /** How many fuzzed requests are sent, and the seed that they are made of. */
    readonly FUZZ_REQUESTS: string;
    readonly FUZZ_SEED: string;
    readonly CORPUS: DurableObjectNamespace<import("../../workers/agents/searcher/corpus.ts").Corpus>;
    readonly LEDGER: DurableObjectNamespace<import("../../workers/agents/payments/ledger.ts").Ledger>;
    readonly PROBE: Fetcher;
    readonly MODEL: Fetcher;
    readonly PEER_OTHER: Fetcher;
    readonly CONTROL_PLANE: Fetcher;
    readonly AGENT: unknown;
    readonly TROUPE_KEY: string;
    readonly TROUPE_SIGNING_KEY: string;
    readonly TROUPE_TOKEN: string;
    readonly SESSION: DurableObjectNamespace<import("#shared/agent/session/session.ts").SessionObject>;
    readonly CODE_SESSION: DurableObjectNamespace<import("#shared/agent/session/session.ts").SessionObject>;
    readonly SHAPED_SESSION: DurableObjectNamespace<import("#shared/agent/session/session.ts").SessionObject>;
    readonly SESSION_INDEX: DurableObjectNamespace<
      import("#shared/agent/session-index/session-index.ts").SessionIndexObject
    >;
    readonly BEACON: DurableObjectNamespace<import("#shared/agent/beacon/beacon.ts").BeaconObject>;
  }
}
