// A job and its environment → the plan that a target carries out. Pure: no clock, no files, no network.
import { cardAddress } from "#shared/a2a/remote/card.ts";
import { DATA_VERSION } from "#shared/durable/data-version.ts";
import { leaseMs } from "#shared/control-plane/registry.ts";
import { agentBindings, isLocalAlone } from "./bindings.ts";
import {
  agentScript,
  type CloudflareFacts,
  developmentUrl,
  hostUrl,
  routeOf,
  scriptUrl,
  UNKNOWN_ACCOUNT,
} from "./cloudflare.ts";
import { checkedDurationMs } from "#shared/text/duration.ts";
import { heartbeatMs } from "./heartbeat.ts";
import { resolveModel } from "../schema/model.ts";
import type { Plan, PlanEnvironment, PlannedAgent } from "./plan-shape.ts";
import { placeAgents } from "../placement/place-agents.ts";
import { LOCAL } from "../placement/place.ts";
import { CONTROL_PLANE, reachOf } from "../placement/reach.ts";
import { ownAgents, remoteAgents } from "../schema/remote.ts";
import { type Agent, type Job, workerOf } from "../schema/schema.ts";
import { type Edge, edgesOfJob, entryPointOf, startOrder } from "../schema/topology.ts";
import { referencesIn } from "../schema/variables.ts";

const HOST = "127.0.0.1";

/** The plan of a job without mistakes. Throws RangeError for a job that loadJob refuses. */
export function planJob(job: Job, environment: PlanEnvironment): Plan {
  const own = ownAgents(job.agents);
  const ids = own.map((agent) => agent.id);
  const edges = edgesOfJob(job);
  const edgesFrom = Map.groupBy(edges, ({ from }) => from);
  const entryPoint = entryPointOf(job);
  if (entryPoint === undefined) throw new RangeError(`The job ${job.name} has no entry point`);
  const placement = placeAgents(job, environment.placement);
  const reach = reachOf(job, placement);
  const [mistake] = [...placement.mistakes, ...reach.mistakes];
  if (mistake !== undefined) throw new RangeError(`The job ${job.name} cannot be placed: ${mistake.message}`);
  const places = new Map(placement.places.map((place) => [place.id, place]));
  const { namespace = UNKNOWN_ACCOUNT.namespace } = environment.placement ?? {};
  const cloudflare = environment.cloudflare ?? { ...UNKNOWN_ACCOUNT, namespace };
  const tlsPortOf = (id: string) => (reach.asked.has(id) ? { tlsPort: environment.tlsPorts?.[id] ?? 0 } : {});
  const intervalMs = heartbeatMs(job, placement.places);
  const agents = own.map((agent): PlannedAgent => {
    const place = places.get(placement.agents[agent.id] ?? "") ?? LOCAL;
    const isWorker = place.kind === "cloudflare";
    const port = agent.port === 0 ? (environment.ports[agent.id] ?? 0) : agent.port;
    const socket = { host: HOST, port: isWorker ? 0 : port };
    const route = routeOf(agent);
    const url = isWorker ? workerUrl(job, agent, cloudflare, environment) : `http://${socket.host}:${socket.port}`;
    const { corpus } = agent.config;
    return {
      id: agent.id,
      worker: workerOf(agent),
      target: place.kind,
      place: place.id,
      socket,
      ...tlsPortOf(agent.id),
      ...(agent.https === undefined ? {} : { https: httpsOf(agent.https) }),
      url,
      ...(route === undefined ? {} : { route }),
      bindings: agentBindings(job, agent, {
        url,
        kind: place.kind,
        isLocal: isLocalAlone(placement.places),
        intervalMs,
        edges: edgesFrom.get(agent.id) ?? [],
        callers: job.topology.type === "dynamic" ? ids : edges.flatMap(({ from, to }) => (to === agent.id ? from : [])),
        environment,
      }),
      ...(typeof corpus === "string" || corpus === false ? { corpus } : {}),
    };
  });
  const { health_check: health, timeout } = job.deployment;
  return {
    job: job.name,
    version: job.version,
    description: job.description,
    isolation: job.isolation,
    topology: job.topology.type,
    entryPoint,
    provider: providerOf(job, environment),
    agents,
    remotes: remoteAgents(job.agents).map(({ id, remote }) => {
      const card = environment.remotes?.[id];
      return { id, url: cardAddress(remote), ...(card === undefined ? {} : { card }) };
    }),
    edges: [...reach.edges],
    places: [...placement.places],
    controlPlane: { ...placement.controlPlane, ...tlsPortOf(CONTROL_PLANE) },
    ...(placement.places.some(({ kind }) => kind === "cloudflare")
      ? { cloudflare: { ...cloudflare, workersDev: job.cloudflare.workers_dev } }
      : {}),
    links: [...reach.links],
    stages: stagesOf(
      job,
      ids,
      edges.filter(({ to }) => ids.includes(to)),
    ),
    heartbeat: { intervalMs, leaseMs: leaseMs(intervalMs) },
    health: {
      timeoutMs: checkedDurationMs(timeout),
      intervalMs: checkedDurationMs(health.interval),
      lookMs: checkedDurationMs(health.timeout),
    },
    restart: job.deployment.restart,
    dataVersion: DATA_VERSION,
    secrets: secretsOf(agents),
  };
}

function workerUrl(
  { name, cloudflare: { workers_dev: isOpen } }: Job,
  agent: Agent,
  cloudflare: CloudflareFacts,
  { developmentOrigin: origin }: PlanEnvironment,
): string {
  if (origin !== undefined) return developmentUrl(origin, agent.id);
  const ofWorkersDev = scriptUrl(cloudflare, agentScript(cloudflare, name, agent.id));
  return isOpen ? ofWorkersDev : (hostUrl(routeOf(agent)) ?? ofWorkersDev);
}

function httpsOf({ url, port, certificate, key }: NonNullable<Agent["https"]>): NonNullable<PlannedAgent["https"]> {
  return { url, port: port === 0 ? Number(new URL(url).port || 443) : port, certificate, key };
}

function stagesOf(job: Job, ids: string[], edges: readonly Edge[]): string[][] {
  switch (job.deployment.strategy) {
    case "parallel":
      return [ids];
    case "staged":
      return startOrder(ids, edges);
    case "sequential":
      return startOrder(ids, edges)
        .flat()
        .map((id) => [id]);
  }
}

function providerOf(job: Job, environment: PlanEnvironment): Plan["provider"] {
  const [first, ...others] = new Set(
    ownAgents(job.agents).map((agent) => resolveModel(job.model, agent.model, environment).provider),
  );
  return first === undefined || others.length > 0 ? "mixed" : first;
}

function secretsOf(agents: readonly PlannedAgent[]): string[] {
  const names = agents.flatMap((agent) =>
    agent.bindings.flatMap((binding) => {
      if (binding.type !== "secret" || binding.source.from !== "template") return [];
      return referencesIn(binding.source.template).names;
    }),
  );
  return [...new Set(names)].toSorted();
}
