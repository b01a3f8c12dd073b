// The sessions of a job: what each of its agents has of them, put together.
import { suggest } from "#shared/text/nearest.ts";
import type { SessionPart } from "#shared/control-plane/sessions.ts";

import { statusOf } from "../jobs/deployed-job.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { type Io } from "../terminal/io.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { Operator, Unreached } from "./operator.ts";

export const STATES = ["working", "waiting", "completed", "failed", "canceled", "rejected"] as const;

export interface Session {
  readonly job: string;
  readonly id: string;
  readonly state: string;
  /** Turns that no agent asked for. */
  readonly turns: number;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
  readonly agents: readonly { readonly agent: Operator; readonly part: SessionPart }[];
}

export interface Gathered {
  readonly sessions: readonly Session[];
  /** Agents that did not answer: they may know more. */
  readonly unreached: readonly Unreached[];
  /** Sessions of other principals, as the agent says that has most. */
  readonly ofOthers: number;
  readonly agents: readonly Operator[];
}

/** The agents of a job that runs, the entry point first. Throws CliError. */
export async function operatorsOf(job: string, io: Pick<Io, "signal">): Promise<Operator[]> {
  const status = await statusOf(job);
  if (status.state === "stopped" || status.state === "dead" || status.state === "failed") {
    throw new CliError(
      "failed",
      `${status.job} does not run, and only its agents can read their sessions.`,
      `Start it again: ${troupe`restart ${status.job}`}`,
    );
  }
  const agents = status.agents.toSorted(
    (a, b) => Number(b.id === status.entryPoint) - Number(a.id === status.entryPoint),
  );
  return agents.map((agent) => new Operator(status.job, agent, io.signal));
}

/** All sessions that the agents know, those that changed last first. */
export async function gather(agents: readonly Operator[]): Promise<Gathered> {
  const found = new Map<string, { readonly agent: Operator; readonly part: SessionPart }[]>();
  const unreached: Unreached[] = [];
  let ofOthers = 0;
  const answers = await Promise.all(
    agents.map(async (agent) => {
      try {
        return { agent, ...(await agent.sessions()) };
      } catch (error) {
        if (!(error instanceof Unreached)) throw error;
        unreached.push(error);
        return undefined;
      }
    }),
  );
  for (const answer of answers) {
    if (answer === undefined) continue;
    ofOthers = Math.max(ofOthers, answer.ofOthers);
    for (const part of answer.parts) {
      const parts = found.get(part.session) ?? [];
      found.set(part.session, parts);
      parts.push({ agent: answer.agent, part });
    }
  }
  const sessions = [...found].map(([id, parts]) => toSession(id, parts));
  return { sessions: sessions.toSorted((a, b) => b.updatedAt - a.updatedAt), unreached, ofOthers, agents };
}

export function toSession(id: string, agents: Session["agents"]): Session {
  const parts = agents.map(({ part }) => part);
  const sum = (of: (part: SessionPart) => number) => parts.reduce((total, part) => total + of(part), 0);
  const newest = (candidates: readonly SessionPart[]) => candidates.toSorted((a, b) => b.updatedAt - a.updatedAt)[0];
  const asked = newest(parts.filter(({ ownTurns }) => ownTurns > 0)) ?? newest(parts);
  const ended = (asked?.lastState ?? "").replace("TASK_STATE_", "").toLowerCase();
  const waiting = sum((part) => part.waiting) > 0 ? "waiting" : ended;
  return {
    job: agents[0]?.agent.job ?? "",
    id,
    state: sum((part) => part.working) > 0 ? "working" : waiting,
    turns: sum((part) => part.ownTurns),
    updatedAt: Math.max(...parts.map((part) => part.updatedAt)),
    agents,
  };
}

export interface Filter {
  readonly agent?: string | undefined;
  readonly state?: string | undefined;
  /** Sessions that changed after this, and before that; milliseconds since the epoch. */
  readonly since?: number | undefined;
  readonly before?: number | undefined;
}

export function fits({ agents, state, updatedAt }: Session, filter: Filter): boolean {
  return (
    (filter.agent === undefined || agents.some(({ agent }) => agent.agent === filter.agent)) &&
    (filter.state === undefined || state === filter.state) &&
    updatedAt >= (filter.since ?? -Infinity) &&
    updatedAt <= (filter.before ?? Infinity)
  );
}

/** The session of this id, or the only one whose id begins so. Throws CliError, which suggests the nearest. */
export function findSession(all: readonly Gathered[], wanted: string): Session {
  const sessions = all.flatMap((gathered) => gathered.sessions);
  const exact = sessions.filter(({ id }) => id === wanted);
  const fitting = exact.length > 0 ? exact : sessions.filter(({ id }) => wanted.length >= 4 && id.startsWith(wanted));
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    const lines = fitting.slice(0, 5).map(({ id, job }) => `  ${oneLine(id)}  ${job}`);
    throw new CliError(
      "bad_input",
      `Several sessions begin with ${oneLine(wanted)}:\n${lines.join("\n")}`,
      "Type more of the id, or name the job with --job.",
    );
  }
  const unreached = all.flatMap((gathered) => gathered.unreached);
  const away = unreached.length === 0 ? "" : ` Not all agents could be asked: ${namesOf(unreached)}.`;
  const hint = suggest(
    wanted,
    sessions.map(({ id }) => oneLine(id)),
  );
  throw new CliError(
    unreached.length === 0 ? "bad_input" : "failed",
    `No agent knows the session ${oneLine(wanted)}.${away} ${hint}`.trimEnd(),
    `Run: ${troupe`sessions list`}`,
  );
}

export function namesOf(unreached: readonly Unreached[]): string {
  return unreached.map(({ agent }) => agent).join(", ");
}
