// Bindings and variables of the control plane's Worker.
import type { BudgetRpc, KeysRpc, RegistryRpc, TracesRpc } from "./rpc.ts";
import type { SettingVariables } from "./traces/forward/settings.ts";

export interface Env extends SettingVariables {
  readonly REGISTRY: DurableObjectNamespace<RegistryRpc>;
  readonly KEYS: DurableObjectNamespace<KeysRpc>;
  readonly BUDGET: DurableObjectNamespace<BudgetRpc>;
  readonly TRACES: DurableObjectNamespace<TracesRpc>;
  /** Signs the jobs' tokens; at least 32 characters. Absent only in development. */
  readonly TROUPE_SECRET?: string;
  /** The Worker's own address, unless that is a loopback name. Requests to other hosts are refused. */
  readonly TROUPE_URL?: string;
  /** "true": while there is no secret, requests to loopback names need no token. */
  readonly TROUPE_DEVELOPMENT?: string;
  /** The supervisor's measurements of this machine. Absent without a supervisor. */
  readonly MACHINE?: Fetcher;
  /** Job → agent → the binding by which its health is probed, null for none. Absent where each is asked at the address that it registered. */
  readonly PROBES?: unknown;
  /** Network for health probes; reaches private addresses where agents run on this machine. Default: global fetch. */
  readonly PROBE?: Fetcher;
  /** Network to the OpenTelemetry collector, which may have a private address. Default: global fetch. */
  readonly COLLECTOR?: Fetcher;
}
