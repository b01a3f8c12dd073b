// troupe sessions fork: copies a conversation up to a turn, to go on from there.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { wholeNumber } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson } from "../../terminal/io.ts";
import { describeFork, forkSession } from "../../sessions/fork-session.ts";
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
    const { job } = session;
    const forked = await forkSession(session, gathered, { turn, as: options.as, agent: options.agent });
    const { from, to, agent, copied, lost } = forked;
    if (options.json === true) {
      const agents = [...copied].map(([id, turns]) => ({ id, turns }));
      return printJson(io, { session: to, job, agent, from, agents, lost });
    }
    io.print(describeFork(forked).join("\n"));
    const isEntry = gathered.agents[0]?.agent === agent;
    const go = isEntry
      ? troupe`query ${job} "…" --session ${to}`
      : troupe`query ${job} "…" --session ${to} --agent ${agent}`;
    io.note(`Go on: ${go}`);
  },
});
