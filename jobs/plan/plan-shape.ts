// The schema of a plan: pure data that a target carries out, and stores for a restart. Holds names of secrets and
// templates such as "${VAR}", never a secret's value.
import * as z from "zod";

import { RemoteCard } from "#shared/a2a/remote/card.ts";

import type { PlacementChoice } from "../placement/place-agents.ts";
import { Link, Place, PlaceKind, Via } from "../placement/place.ts";
import { RestartPolicy } from "../schema/schema.ts";
import { type CloudflareFacts, Route, routeUrl } from "./cloudflare.ts";

/** Where a service binding leads. */
const Service = z.discriminatedUnion("to", [
  z.object({ to: z.literal("agent"), agent: z.string() }),
  z.object({ to: z.literal("control-plane") }),
  z.object({ to: z.literal("offline-model") }),
  /** One server, by its origin, such as `http://127.0.0.1:8888`. */
  z.object({ to: z.literal("address"), origin: z.string() }),
  /** The network; `any` includes private and loopback addresses. */
  z.object({ to: z.literal("network"), reach: z.enum(["public", "any"]) }),
]);

/** Where a secret's value comes from when the job is started. */
const SecretSource = z.discriminatedUnion("from", [
  /** The job's own key, made at its first deployment. */
  z.object({ from: z.literal("job-key") }),
  /** The job's token at the control plane; only in older releases. */
  z.object({ from: z.literal("job-token") }),
  /** The agent's token at the control plane. */
  z.object({ from: z.literal("agent-token"), agent: z.string() }),
  /** The agent's own key for ids, made on its host. */
  z.object({ from: z.literal("agent-key"), agent: z.string() }),
  /** The agent's private key, made at its first deployment. */
  z.object({ from: z.literal("signing-key"), agent: z.string() }),
  /** Text in which `${VAR}` stands for a variable of the user who deploys. */
  z.object({ from: z.literal("template"), template: z.string() }),
]);

const Binding = z.discriminatedUnion("type", [
  z.object({ type: z.literal("json"), name: z.string(), value: z.unknown() }),
  z.object({ type: z.literal("text"), name: z.string(), value: z.string() }),
  z.object({ type: z.literal("service"), name: z.string(), service: Service }),
  z.object({ type: z.literal("object"), name: z.string(), className: z.string() }),
  /** The folder of the objects' files, to read. Only where a process serves its own files. */
  z.object({ type: z.literal("object-files"), name: z.string(), className: z.string() }),
  /** `variable` is the process variable that holds the value; unique within the job. */
  z.object({
    type: z.literal("secret"),
    name: z.string(),
    variable: z.string(),
    source: SecretSource,
  }),
]);

const RemoteAgent = z.object({
  id: z.string(),
  /** The card's. */
  url: z.string(),
  /** What the card said at the deployment; absent before it. */
  card: z.optional(RemoteCard),
});

const PlannedAgent = z.object({
  id: z.string(),
  /** Folder under workers/agents. */
  worker: z.string(),
  /** The kind of its place. */
  target: PlaceKind,
  /** Id of a place. Absent in older releases, as are the other fields about places. */
  place: z.string().default("local"),
  /** Its listener on the loopback of its place. No two agents of a job have the same port. 0 on Cloudflare. */
  socket: z.object({ host: z.string(), port: z.int() }),
  /** Port at which agents of other machines ask it over HTTPS; 0 until one is chosen, absent where none does. */
  tlsPort: z.optional(z.int()),
  /** Where people reach it over HTTPS. Paths are from the job file. */
  https: z.optional(z.object({ url: z.string(), port: z.int(), certificate: z.string(), key: z.string() })),
  /**
   * `http://127.0.0.1:<port>`: on its own machine and, through ssh tunnels, on the deploying one. On Cloudflare the Worker's address below
   * workers.dev, or its own host where it has none.
   */
  url: z.string(),
  /** Another address on Cloudflare. */
  route: z.optional(Route),
  bindings: z.array(Binding),
  /** The `corpus` of the job file: a folder, or false for none; undefined for the default folder. */
  corpus: z.optional(z.union([z.string(), z.literal(false)])),
});

export const Plan = z.object({
  job: z.string(),
  version: z.string(),
  description: z.string(),
  isolation: z.enum(["job", "agent"]),
  topology: z.string(),
  entryPoint: z.string(),
  provider: z.enum(["offline", "anthropic", "mixed"]),
  agents: z.array(PlannedAgent),
  /** Agents of others. Absent in older releases. */
  remotes: z.array(RemoteAgent).default([]),
  /** `via` is absent in older releases. */
  edges: z.array(z.object({ from: z.string(), to: z.string(), via: z.optional(Via) })),
  /** The places that the job uses. Empty in older releases: then all of it is local. */
  places: z.array(Place).default([]),
  /** `port` where the job names one; `tlsPort` as that of an agent. */
  controlPlane: z
    .object({ place: z.string(), port: z.optional(z.int()), tlsPort: z.optional(z.int()) })
    .default({ place: "local" }),
  /** Absent where no agent is on Cloudflare. */
  cloudflare: z.optional(
    z.object({ namespace: z.string(), subdomain: z.string(), workersDev: z.boolean().default(true) }),
  ),
  /** One of each agent. */
  links: z.array(Link).default([]),
  /** Groups of agents in the order in which they must become healthy. */
  stages: z.array(z.array(z.string())),
  heartbeat: z.object({ intervalMs: z.int(), leaseMs: z.int() }),
  health: z.object({ timeoutMs: z.int(), intervalMs: z.int(), lookMs: z.int() }),
  /** Absent in older releases. */
  restart: RestartPolicy.default("on-failure"),
  /** See DATA_VERSION. Absent in older releases. */
  dataVersion: z.int().default(1),
  /** Names of the variables whose values the job needs at its start. */
  secrets: z.array(z.string()),
});

export type Plan = z.infer<typeof Plan>;
export type PlannedAgent = z.infer<typeof PlannedAgent>;
/** The address for people and programs of others; undefined where it has none but `url`. */
export function publicUrlOf({ https, route }: Pick<PlannedAgent, "https" | "route">): string | undefined {
  return https?.url ?? (route && routeUrl(route));
}

export type Binding = z.infer<typeof Binding>;
export type Service = z.infer<typeof Service>;

/** Facts beyond the job file on which a plan depends. */
export interface PlanEnvironment {
  /** Whether ANTHROPIC_API_KEY is set; decides `provider: auto`. */
  readonly hasAnthropicKey: boolean;
  /** Origin of the Claude API; https://api.anthropic.com when absent. */
  readonly anthropicUrl?: string;
  /** Agent id → the port chosen where the job has 0. An agent without one keeps 0. */
  readonly ports: Readonly<Record<string, number>>;
  /** Agent id, or CONTROL_PLANE → the port chosen for requests from other machines. Without one it is 0. */
  readonly tlsPorts?: Readonly<Record<string, number>>;
  /** Undefined while nobody has asked the account. */
  readonly cloudflare?: CloudflareFacts | undefined;
  /** Origin of the `wrangler dev` that serves all agents of Cloudflare on this machine; absent where they are deployed. */
  readonly developmentOrigin?: string;
  /** What the command line says about places. */
  readonly placement?: PlacementChoice;
  /** Agent id, or COMMAND_LINE → its public key. The plan pins whom each agent believes; nobody without it. */
  readonly publicKeys?: Readonly<Record<string, string>>;
  /** Remote agent's id → what its card says. */
  readonly remotes?: Readonly<Record<string, RemoteCard>>;
  /** Worker → classes of the Durable Objects that its module exports. */
  readonly objects: Readonly<Record<string, readonly string[]>>;
}
