// Where each agent of a job and its control plane run.
import type { Path } from "../file/source.ts";
import { ownAgents } from "../schema/remote.ts";
import type { Job } from "../schema/schema.ts";
import { entryPointOf } from "../schema/topology.ts";
import { hostOf, isOfThisMachine } from "./destination.ts";
import { type Hosts, keyOf } from "./hosts.ts";
import { LOCAL, type Place } from "./place.ts";
import { nameSpots } from "./place-ids.ts";
import { isUnknown, parseTarget, type Pool, type Spot, wholeFile } from "./target.ts";

/** What the command line says about places. */
export interface PlacementChoice {
  /** `--target`: takes the place of every target of the job. */
  readonly target?: string | undefined;
  /** `--hosts`: the host file. */
  readonly hosts?: Hosts | undefined;
  /** `--namespace`: of the Workers on Cloudflare. */
  readonly namespace?: string | undefined;
  /** Destination → the address behind it, as ssh's configuration says. Counts where the host file gives none. */
  readonly addresses?: Readonly<Record<string, string>> | undefined;
}

export interface PlacementMistake {
  /** In the job. Empty for `--target`. */
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

export interface Placement {
  /** Those that are used, in the order of the agents. */
  readonly places: readonly Place[];
  /** Own agent's id → place's id. */
  readonly agents: Readonly<Record<string, string>>;
  /** `port` where the job names one. */
  readonly controlPlane: { readonly place: string; readonly port?: number };
  /** Sentences for the user. */
  readonly notes: readonly string[];
  readonly mistakes: readonly PlacementMistake[];
}

/**
 * Places the agents of a job, in the order of the job file. Never throws; an agent whose target is unknown is local.
 *
 * An agent's target is, in this order: `--target`; its own `target`; with a host file, where `deployment.target` is
 * local, all hosts of the file; else `deployment.target`. A group, or the file, deals its agents by slots, as mpirun
 * does: the first host gets as many as it has slots, then the next. Where slots run out it begins again at the first
 * host, since agents are light, and a note says so. The control plane runs at `control_plane.target` (a group's first
 * host), unless `--target` is given; by default where the entry point runs. Agents of others are placed nowhere.
 */
export function placeAgents(job: Job, { target, hosts, addresses = {} }: PlacementChoice = {}): Placement {
  const mistakes: PlacementMistake[] = [];
  const poolOf = (text: string, path: Path): Pool => {
    const pool = parseTarget(text, hosts);
    if (!isUnknown(pool)) return pool;
    mistakes.push({ path, ...pool });
    return { members: [{ spot: spotOfNowhere(), slots: 1 }] };
  };
  const usual = usualPool();
  const dealt = new Map<string, { readonly pool: Pool; count: number }>();
  const spots = new Map<string, Spot>();
  const chosen: [agent: string, spot: string][] = [];
  for (const [index, agent] of job.agents.entries()) {
    if (agent.remote !== undefined) continue;
    const own = target === undefined ? agent.target : undefined;
    const pool = own === undefined ? usual : poolOf(own, ["agents", index, "target"]);
    chosen.push([agent.id, use(deal(pool))]);
  }
  const byAgent = new Map(chosen);
  const controlPlane = spotOfControlPlane();
  const ids = nameSpots(spots);
  const idOf = (spot: string | undefined): string => ids.get(spot ?? "") ?? LOCAL.id;
  const { port } = job.control_plane;
  const places = [...spots].map(([key, spot]) => ({ id: idOf(key), ...addressOf(spot, addresses), ...spot }));
  return {
    places,
    agents: Object.fromEntries(chosen.map(([agent, spot]) => [agent, idOf(spot)])),
    controlPlane: { place: idOf(controlPlane), ...(port === 0 ? {} : { port }) },
    notes: [
      ...[...dealt.values()].flatMap(({ pool, count }) => noteOn(pool, count)),
      ...(places.length < 2 ? [] : places.flatMap(noteOnAddress)),
    ],
    mistakes,
  };

  function usualPool(): Pool {
    if (target !== undefined) return poolOf(target, []);
    const isDealt = hosts !== undefined && hosts.hosts.length > 0 && job.deployment.target === "local";
    return isDealt ? wholeFile(hosts) : poolOf(job.deployment.target, ["deployment", "target"]);
  }

  function deal(pool: Pool): Spot {
    const { name = "" } = pool;
    const entry = dealt.get(name) ?? { pool, count: 0 };
    if (pool.name !== undefined) dealt.set(name, entry);
    let slot = entry.count++ % slotsOf(pool);
    const member = pool.members.find(({ slots }) => (slot -= slots) < 0);
    return member?.spot ?? spotOfNowhere();
  }

  /** Remembers that a spot is used, and returns its key. */
  function use(spot: Spot): string {
    const key = spot.kind === "ssh" ? keyOf(spot) : spot.kind;
    if (!spots.has(key)) spots.set(key, spot);
    return key;
  }

  function spotOfControlPlane(): string {
    const own = target === undefined ? job.control_plane.target : undefined;
    const first = own === undefined ? undefined : poolOf(own, ["control_plane", "target"]).members[0];
    if (first !== undefined) return use(first.spot);
    const entry = byAgent.get(entryPointOf(job) ?? "") ?? byAgent.get(ownAgents(job.agents)[0]?.id ?? "");
    return entry ?? use(spotOfNowhere());
  }
}

/** Where other machines reach a spot without an address in the host file: where ssh does. */
function addressOf({ destination }: Spot, addresses: Readonly<Record<string, string>>): Pick<Place, "address"> {
  if (destination === undefined) return {};
  const address = Object.hasOwn(addresses, destination) ? addresses[destination] : hostOf(destination);
  return address === undefined || isOfThisMachine(address) ? {} : { address };
}

function noteOn(pool: Pool, count: number): string[] {
  const slots = slotsOf(pool);
  if (count <= slots) return [];
  const have = slots === 1 ? "1 slot" : `${slots} slots`;
  return [`${pool.name} has ${have} for ${count} agents, so the dealing began again at its first host.`];
}

function noteOnAddress({ id, address = "", expose }: Place): string[] {
  const isItself = ["localhost", "::1"].includes(address) || /^127\.[\d.]+$/.test(address);
  if (!isItself || expose === "tunnel") return [];
  return [`${id} has the address ${address}, by which every machine means itself: write address=… in the host file.`];
}

function slotsOf({ members }: Pool): number {
  return Math.max(
    1,
    members.reduce((sum, { slots }) => sum + slots, 0),
  );
}

function spotOfNowhere(): Spot {
  return { kind: "local", expose: "https" };
}
