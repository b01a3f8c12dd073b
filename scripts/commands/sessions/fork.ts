// troupe sessions fork: copies a conversation up to a turn, to go on from there.
import { randomUUID } from "node:crypto";

import { MAX_CONTEXT_ID } from "#shared/a2a/task-id.ts";
import type { TurnRecord } from "#shared/control-plane/sessions.ts";
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { wholeNumber } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson, table } from "../../terminal/io.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { count } from "../../traces/amounts.ts";
import { fork, hasEnded } from "../../sessions/fork.ts";
import type { Gathered, Session } from "../../sessions/gather.ts";
import type { Operator } from "../../sessions/operator.ts";
import { chooseSession, JOB_OPTION } from "./choose-sessions.ts";

const MOST_TURNS = 1_000_000;

export default defineCommand({
  name: "sessions fork",
  summary: "Copy a conversation up to a turn, to go on from there",
  usage: "<session>",
  positionals: [1, 1],
  options: {
    turn: { type: "string", value: "N", description: "The last turn that is copied (default: all that have ended)" },
    as: { type: "string", value: "ID", description: "The id of the copy (default: a random one)" },
    agent: {
      type: "string",
      value: "ID",
      description: "The agent whose conversation is copied, where you have asked several",
    },
    job: JOB_OPTION,
    json: JSON_OPTION,
  },
  examples: ["troupe sessions fork 1a2b3c4d", "troupe sessions fork 1a2b3c4d --turn 3 --as other-way"],

  async run({ positionals: [wanted = ""], options, io }) {
    const turn = options.turn === undefined ? undefined : wholeNumber(options.turn, "--turn", 1, MOST_TURNS);
    const { session, gathered } = await chooseSession(wanted, options.job, io);
    const { id: from, job } = session;
    const to = newId(options.as, gathered);
    const agent = agentIn(session, options.agent);
    const all = await turnsOf(agent, from, turn);
    const turns = all.filter(hasEnded);
    if (turns.length === 0) {
      throw new CliError(
        "failed",
        "No turn has ended, and only those are copied.",
        `See: ${troupe`sessions show ${from}`}`,
      );
    }
    const forked = await fork({ agents: gathered.agents, from, to }, agent, turns);
    const agents = [...forked.copied].map(([id, number]) => ({ id, turns: number }));
    const isEntry = gathered.agents[0]?.agent === agent.agent;
    if (options.json === true)
      return printJson(io, { session: to, job, agent: agent.agent, from, agents, lost: forked.lost });
    io.print(`Forked ${oneLine(from)}, turns 1 to ${turns.at(-1)?.n ?? 0}, as ${oneLine(to)}.`);
    io.print(table(agents.map(({ id, turns: number }) => [`  ${id}`, count(number, "turn")])));
    const open = all.length - turns.length;
    if (open > 0) io.note(`${count(open, "turn")} still run or wait for an approval: they are not copied.`);
    for (const { agent: other, by, thread, why } of forked.lost)
      io.note(
        `Conversation ${thread} of ${by} with ${other} is not copied: ${why}. In the copy, ${by} is told that it is gone.`,
      );
    const go = isEntry
      ? troupe`query ${job} "…" --session ${to}`
      : troupe`query ${job} "…" --session ${to} --agent ${agent.agent}`;
    io.note(`Go on: ${go}`);
  },
});

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
