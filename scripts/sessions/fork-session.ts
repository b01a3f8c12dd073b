// Forks a session that a user named: what is copied, under which id, and what that came to in words.
import { randomUUID } from "node:crypto";

import { MAX_CONTEXT_ID } from "#shared/a2a/task-id.ts";
import type { TurnRecord } from "#shared/control-plane/sessions.ts";
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { table } from "../terminal/io.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { count } from "../traces/amounts.ts";
import { fork, type Forked, hasEnded } from "./fork.ts";
import type { Gathered, Session } from "./gather.ts";
import type { Operator } from "./operator.ts";

export interface ForkWanted {
  /** The last turn that is copied; all that have ended when left out. */
  readonly turn?: number | undefined;
  /** The id of the copy. */
  readonly as?: string | undefined;
  /** Whose conversation is copied, where several agents were asked. */
  readonly agent?: string | undefined;
}

export interface ForkedSession extends Forked {
  readonly from: string;
  readonly to: string;
  /** The agent whose conversation was copied. */
  readonly agent: string;
  readonly lastTurn: number;
  /** Turns that have not ended, and are not copied. */
  readonly open: number;
}

/** Throws CliError. */
export async function forkSession(session: Session, gathered: Gathered, wanted: ForkWanted): Promise<ForkedSession> {
  const to = newId(wanted.as, gathered);
  const agent = agentIn(session, wanted.agent);
  const all = await turnsOf(agent, session.id, wanted.turn);
  const turns = all.filter(hasEnded);
  const last = turns.at(-1);
  if (last === undefined) {
    throw new CliError(
      "failed",
      "No turn has ended, and only those are copied.",
      `See: ${troupe`sessions show ${session.id}`}`,
    );
  }
  const { copied, lost } = await fork({ agents: gathered.agents, from: session.id, to }, agent, turns);
  const open = all.length - turns.length;
  return { copied, lost, from: session.id, to, agent: agent.agent, lastTurn: last.n, open };
}

/** In lines: what was copied, and what was not. */
export function describeFork({ from, to, copied, lost, lastTurn, open }: ForkedSession): readonly string[] {
  return [
    // Two ids are too long for one line.
    `Forked ${oneLine(from)}, turns 1 to ${lastTurn},\nas ${oneLine(to)}.`,
    table([...copied].map(([id, number]) => [`  ${id}`, count(number, "turn")])),
    ...(open === 0 ? [] : [`Not copied, since it still runs or waits for an approval: ${count(open, "turn")}.`]),
    ...lost.map(
      ({ agent, by, thread, why }) =>
        `Conversation ${thread} of ${by} with ${agent} is not copied: ${why}. In the copy, ${by} is told that it is gone.`,
    ),
  ];
}

/** Throws CliError for an id that no session may have, or that one has. */
function newId(typed: string | undefined, { sessions }: Gathered): string {
  const id = typed ?? randomUUID();
  if (id.length > MAX_CONTEXT_ID || id.includes("~") || !id.isWellFormed()) {
    throw new CliError("bad_input", `--as takes an id of at most ${MAX_CONTEXT_ID} characters without "~".`);
  }
  if (sessions.some((session) => session.id === id)) {
    throw new CliError(
      "bad_input",
      `There is a session ${oneLine(id)} already.`,
      "Choose another id, or leave --as out.",
    );
  }
  return id;
}

function agentIn({ id, agents }: Session, named: string | undefined): Operator {
  const asked = agents.filter(({ part }) => part.ownTurns > 0).map(({ agent }) => agent);
  const names = asked.map(({ agent }) => agent);
  const found = named === undefined ? asked[0] : asked.find(({ agent }) => agent === named);
  if (found === undefined) {
    throw new CliError(
      "bad_input",
      `You have not asked ${named ?? "any agent"} in the session ${oneLine(id)}. ${suggest(named ?? "", names)}`.trimEnd(),
    );
  }
  if (named === undefined && names.length > 1) {
    throw new CliError(
      "bad_input",
      `In this session you have asked ${names.join(", ")}.`,
      "Say whose conversation is copied: --agent ID",
    );
  }
  return found;
}

/** The turns up to this one, or all. Throws CliError where there is no such turn. */
async function turnsOf(agent: Operator, session: string, upTo: number | undefined): Promise<TurnRecord[]> {
  const turns: TurnRecord[] = [];
  for await (const turn of agent.turns(session, { contextId: session, upTo })) turns.push(turn);
  if (upTo !== undefined && turns.at(-1)?.n !== upTo) {
    throw new CliError("bad_input", `The conversation has ${count(turns.length, "turn")}: there is no turn ${upTo}.`);
  }
  return turns;
}
