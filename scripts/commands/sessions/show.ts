// troupe sessions show: shows a conversation turn by turn, and what each agent remembers of it.
import { defineCommand } from "../../terminal/command.ts";
import { wholeNumber } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson } from "../../terminal/io.ts";
import { screenOf } from "../../terminal/screen.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { cost, count, tokens } from "../../traces/amounts.ts";
import { conversations } from "../../sessions/conversations.ts";
import { drawConversation, spentOn } from "../../sessions/draw.ts";
import { chooseSession, JOB_OPTION, unreachedError } from "./choose-sessions.ts";

const MOST = 100_000;

export default defineCommand({
  name: "sessions show",
  summary: "Show a conversation turn by turn, with what other agents were asked",
  usage: "<session>",
  positionals: [1, 1],
  options: {
    job: JOB_OPTION,
    limit: { type: "string", value: "N", description: "Only the last so many turns (default 20)" },
    json: { type: "boolean", description: "Print the turns as JSON" },
  },
  examples: ["troupe sessions show 1a2b3c4d", "troupe sessions show 1a2b3c4d --limit 1 --json"],

  async run({ positionals: [wanted = ""], options, io }) {
    const last = wholeNumber(options.limit ?? "20", "--limit", 1, MOST);
    const { session, gathered } = await chooseSession(wanted, options.job, io);
    const { id, job, state } = session;
    const read = await conversations(session, gathered.agents, last);
    const spent = spentOn(read.flatMap(({ turns }) => turns));
    if (options.json === true) {
      const agents = session.agents.map(({ agent, part }) => ({ id: agent.agent, turns: part.turns }));
      const unreached = gathered.unreached.map(({ agent }) => agent);
      printJson(io, { session: id, job, state, agents, ...spent, conversations: read, unreached });
    } else {
      const screen = screenOf(process.stdout);
      const facts = [
        `Session ${oneLine(id)}`,
        job,
        state,
        count(session.turns, "turn"),
        count(session.agents.length, "agent"),
        `${tokens(spent.tokens)} tokens${read.some(({ earlier }) => earlier > 0) ? " in the turns below" : ""}`,
        ...(spent.usd === null ? [] : [cost(spent.usd)]),
      ];
      io.print(facts.join("  "));
      for (const { agent, turns, earlier } of read)
        io.print(`\n${drawConversation(agent, turns, earlier, screen, Date.now()).join("\n")}`);
      if (io.interactive) io.note(`\nResume it: ${troupe`query ${job} --session ${id}`}`);
    }
    const missing = unreachedError(gathered, "What some agents remember is missing.");
    if (missing) throw missing;
  },
});
