// What the control plane's Worker is given.
import type { Registry } from "./registry/registry.ts";

export interface Env {
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  /** Signs the jobs' tokens. Absent only in development, where requests from this machine need no token. */
  readonly TROUPE_SECRET?: string;
  /** Network for health probes; private addresses included where agents run on this machine. Default: global fetch. */
  readonly PROBE?: Fetcher;
}
