// What the control plane's Worker is given.
import type { BudgetRpc, RegistryRpc, TracesRpc } from "./rpc.ts";
import type { SettingVariables } from "./traces/settings.ts";

export interface Env extends SettingVariables {
  readonly REGISTRY: DurableObjectNamespace<RegistryRpc>;
  readonly BUDGET: DurableObjectNamespace<BudgetRpc>;
  readonly TRACES: DurableObjectNamespace<TracesRpc>;
  /** Signs the jobs' tokens; at least 32 characters. Absent only in development. */
  readonly TROUPE_SECRET?: string;
  /** Its own address where that is no loopback name: requests for other hosts are refused. */
  readonly TROUPE_URL?: string;
  /** "true": without a secret, requests to this machine's own names need no token. */
  readonly TROUPE_DEVELOPMENT?: string;
  /** What the supervisor tells of this machine; absent where there is none. */
  readonly MACHINE?: Fetcher;
  /** Network for health probes; private addresses included where agents run on this machine. Default: global fetch. */
  readonly PROBE?: Fetcher;
  /** Network to the OpenTelemetry collector, which may run on this machine. Default: global fetch. */
  readonly COLLECTOR?: Fetcher;
}
