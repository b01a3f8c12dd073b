// Checks addresses on Cloudflare: what each agent names, that no two name the same, and that each agent has one.
import type { Mistake } from "../file/mistake.ts";
import type { Source } from "../file/source.ts";
import { hostUrl, type Route, routeOf } from "../plan/cloudflare.ts";
import { placeAgents, type PlacementChoice } from "../placement/place-agents.ts";
import { ownAgents } from "../schema/remote.ts";
import type { Agent, Job } from "../schema/schema.ts";

/** `choice`: what the command line says about places; unknown where nobody knows it. */
export function checkAddresses(job: Job, source: Source, choice: PlacementChoice | "unknown" | undefined): Mistake[] {
  const taken = new Map<string, string>();
  const mistakes: Mistake[] = [];
  for (const [index, agent] of job.agents.entries()) {
    const path = ["agents", index, "cloudflare"];
    const found = mistakeIn(agent) ?? takenBy(agent, taken);
    if (found !== undefined)
      mistakes.push(source.mistake([...path, ...found.field], found.message, found.hint, found.at));
    const route = routeOf(agent);
    if (route !== undefined) taken.set(route.pattern, agent.id);
  }
  return choice === "unknown" ? mistakes : [...mistakes, ...checkPlaces(job, source, choice)];
}

interface Found {
  readonly field: readonly string[];
  readonly message: string;
  readonly hint: string;
  readonly at?: "key";
}

const EITHER = "Write { domain: agents.example.com }, or { route: example.com/agents/*, zone: example.com }.";

function mistakeIn({ cloudflare }: Agent): Found | undefined {
  if (cloudflare === undefined) return undefined;
  const { domain, route, zone } = cloudflare;
  if (domain !== undefined && route !== undefined) {
    return { field: ["route"], message: "an agent has a domain or a route, not both", hint: EITHER, at: "key" };
  }
  if (domain?.endsWith(".workers.dev") === true || route?.includes(".workers.dev/") === true) {
    const message = "workers.dev is Cloudflare's own, and an agent has its address there already";
    return { field: [domain === undefined ? "route" : "domain"], message, hint: "Name a host of a zone of yours." };
  }
  if (route === undefined) {
    if (domain === undefined) return { field: [], message: "it names neither a domain nor a route", hint: EITHER };
    if (zone === undefined) return undefined;
    const hint = "Remove it: Cloudflare finds the zone of a domain.";
    return { field: ["zone"], message: "a zone goes with a route, not with a domain", hint, at: "key" };
  }
  if (zone === undefined) {
    const hint = "Name the zone that holds its host: { route: example.com/agents/*, zone: example.com }.";
    return { field: ["route"], message: `the route ${route} has no zone`, hint, at: "key" };
  }
  const host = route.slice(0, route.indexOf("/"));
  if (host === zone || host.endsWith(`.${zone}`)) return undefined;
  return {
    field: ["zone"],
    message: `${host} is not in the zone ${zone}`,
    hint: "Its name ends with that of its zone.",
  };
}

function takenBy(agent: Agent, taken: ReadonlyMap<string, string>): Found | undefined {
  const { pattern, zone } = routeOf(agent) ?? {};
  const other = pattern === undefined ? undefined : taken.get(pattern);
  if (pattern === undefined || other === undefined) return undefined;
  const field = zone === undefined ? "domain" : "route";
  return {
    field: [field],
    message: `the ${field} ${pattern} is that of the agent "${other}"`,
    hint: "Each agent needs an address of its own.",
  };
}

function checkPlaces(job: Job, source: Source, choice: PlacementChoice | undefined): Mistake[] {
  const { agents, places } = placeAgents(job, choice);
  const kinds = new Map(places.map(({ id, kind }) => [id, kind]));
  const isWorker = ({ id }: Agent) => kinds.get(agents[id] ?? "") === "cloudflare";
  const elsewhere = job.agents.flatMap((agent, index) => {
    // Of an agent of others check-remotes.ts says it.
    if (agent.cloudflare === undefined || agent.remote !== undefined || isWorker(agent)) return [];
    const message = `the agent "${agent.id}" has an address on Cloudflare, and does not run there`;
    return [
      source.mistake(
        ["agents", index, "cloudflare"],
        message,
        "Give it the target cloudflare, or remove the field.",
        "key",
      ),
    ];
  });
  if (job.cloudflare.workers_dev) return elsewhere;
  const workers = ownAgents(job.agents).filter(isWorker);
  if (workers.length === 0) {
    const message = "no agent of this job runs on Cloudflare";
    return [...elsewhere, source.mistake(["cloudflare", "workers_dev"], message, "Remove the field.", "key")];
  }
  const homeless = job.agents.flatMap((agent, index) => {
    if (!workers.includes(agent) || hostUrl(routeOf(agent)) !== undefined) return [];
    return [
      source.mistake(
        ["agents", index, "id"],
        `the agent "${agent.id}" has no address: workers_dev is false, and it has no host of its own`,
        `Give it a domain${partOf(routeOf(agent))}, or let workers_dev be true.`,
      ),
    ];
  });
  return [...elsewhere, ...homeless];
}

/** The command line and the control plane ask an agent at its root. */
function partOf(route: Route | undefined): string {
  return route === undefined ? "" : " instead of a part of a host";
}
