// Sessions do not move: which of them a change of places leaves behind.
import { isSamePlace, placeIn, placeOf } from "#jobs/placement/place.ts";
import { type PlacementChoice, placeAgents } from "#jobs/placement/place-agents.ts";
import type { Job } from "#jobs/schema/schema.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { deployedVersion } from "../jobs/deployed-version.ts";
import { troupeHome } from "../project/project.ts";
import { CliError } from "../terminal/cli-error.ts";
import type { Io } from "../terminal/io.ts";
import { gather, operatorsOf } from "./gather.ts";

export interface SessionsLeft {
  /** Agents that move, and the places that they leave. */
  readonly agents: readonly string[];
  readonly places: readonly string[];
  /** Sessions there, and those of them that wait for an answer; or why nobody could count them. */
  readonly found: { readonly sessions: number; readonly waiting: number } | { readonly unknown: string };
}

/** Undefined where no agent moves. */
export async function sessionsLeft(
  job: Job,
  placement: PlacementChoice,
  io: Pick<Io, "signal">,
): Promise<SessionsLeft | undefined> {
  const before = await deployedVersion(troupeHome(), job.name).catch(() => undefined);
  if (before === undefined) return undefined;
  const after = placeAgents(job, placement);
  const moved = before.plan.agents.flatMap(({ id, place }) => {
    const to = after.agents[id];
    if (to === undefined) return [];
    const from = placeIn(before.plan.places, place);
    return isSamePlace(from, placeOf(after, to)) ? [] : [{ id, place: from.id }];
  });
  if (moved.length === 0) return undefined;
  const agents = moved.map(({ id }) => id);
  return { agents, places: [...new Set(moved.map(({ place }) => place))], found: await count(job.name, agents, io) };
}

async function count(job: string, agents: readonly string[], io: Pick<Io, "signal">): Promise<SessionsLeft["found"]> {
  try {
    const all = (await operatorsOf(job, io)).filter(({ agent }) => agents.includes(agent));
    const { sessions, ofOthers, unreached } = await gather(all);
    const [away] = unreached;
    if (away !== undefined) return { unknown: away.message };
    return {
      sessions: sessions.length + ofOthers,
      waiting: sessions.filter(({ state }) => state === "waiting").length,
    };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { unknown: reasonOf(error) };
  }
}

/** One line. */
export function describeSessionsLeft({ agents, places, found }: SessionsLeft): string {
  const who = `${agents.join(", ")} on ${places.join(", ")}`;
  if ("unknown" in found) return `The sessions of ${who} do not move, and nobody can count them: ${found.unknown}`;
  const waiting = found.waiting === 0 ? "" : ` (${found.waiting} of them wait for an answer)`;
  const sessions = found.sessions === 1 ? "1 session" : `${found.sessions} sessions`;
  return `${sessions} of ${who} would not move${waiting}.`;
}

/** Throws CliError where sessions would stay behind. */
export async function refuseToLeave(job: Job, placement: PlacementChoice, io: Pick<Io, "signal">): Promise<void> {
  const left = await sessionsLeft(job, placement, io);
  if (left === undefined || ("sessions" in left.found && left.found.sessions === 0)) return;
  throw new CliError(
    "failed",
    describeSessionsLeft(left),
    "Leave them there with --leave-sessions: they are kept until troupe cleanup, and come back with their places.",
  );
}
