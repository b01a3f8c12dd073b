// troupe query: asks a job a question, or opens a conversation.
import { durationMs } from "#shared/text/duration.ts";

import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { agentOf, statusOf } from "../deployed-job.ts";
import { printJson } from "../io.ts";
import { chat } from "../query/chat.ts";
import { askAndPrint, askInTime, requireCompletion } from "../query/print.ts";
import { showTrace } from "../query/show-trace.ts";

export default defineCommand({
  name: "query",
  summary: "Ask a job a question; without one, talk to it",
  usage: "<job> [question]",
  positionals: [1, 2],
  options: {
    agent: { type: "string", value: "ID", description: "Ask this agent instead of the entry point" },
    session: {
      type: "string",
      value: "ID",
      description: "Go on with the session of an earlier answer (its contextId)",
    },
    timeout: { type: "string", value: "TIME", description: "Cancel after this, such as 90s (default 10m)" },
    trace: { type: "boolean", description: "Draw what all agents did for it below the answer, on stderr" },
    json: { type: "boolean", description: "Print answer, ids, state, usage and duration as JSON" },
  },
  examples: [
    'troupe query research-assistant "What is a Durable Object?"',
    'troupe query research-assistant "And its limits?" --session ID',
    'troupe query research-assistant "What is workerd?" --trace',
  ],

  async run({ positionals: [job = "", text], options, io }) {
    const timeoutMs = durationMs(options.timeout ?? "10m");
    if (timeoutMs === undefined) {
      throw new CliError(
        "bad_input",
        `--timeout takes a number and a unit, such as 90s or 5m, not "${options.timeout ?? ""}".`,
      );
    }
    if (text?.trim() === "") throw new CliError("bad_input", "The question is empty.");
    const status = await statusOf(job);
    const { id: agent, url } = agentOf(status, options.agent ?? status.entryPoint);
    if (status.state === "stopped" || status.state === "dead") {
      throw new CliError("failed", `${job} does not run.`, `Start it again: troupe restart ${job}`);
    }
    const { session, trace = false } = options;
    if (text === undefined) {
      if (!io.interactive || options.json === true) {
        throw new CliError("bad_input", "There is no question.", `Type: troupe query ${job} "…"`);
      }
      return chat({ job, url, agent, session, timeoutMs, trace }, io);
    }
    const question = { job, url, text, session, timeoutMs, trace };
    if (options.json === true) {
      const { reason, ...answer } = await askInTime(question, io);
      printJson(io, answer);
      if (trace) await showTrace(job, answer.traceId, io);
      return requireCompletion(job, { ...answer, reason });
    }
    const { contextId, traceId } = await askAndPrint(question, io);
    if (!io.interactive) return;
    io.note(`\nTo go on: troupe query ${job} "…" --session ${contextId}`);
    if (traceId !== null && !trace) io.note(`What the agents did: troupe traces show ${traceId.slice(0, 8)}`);
  },
});
