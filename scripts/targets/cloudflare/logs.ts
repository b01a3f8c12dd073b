// The logs of a job on Cloudflare, as they come: it keeps none that could be read later.
import { agentScript } from "#jobs/plan/cloudflare.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { mergedLines } from "../merged-lines.ts";
import type { LogLine, LogRequest } from "../target.ts";
import { type Account, sameAccount } from "./account/account.ts";
import type { CloudflareJob } from "./status.ts";
import { tail } from "./tail/tail.ts";

/** Each wrangler takes 300 MB. */
const MOST_AGENTS = 8;

/** New lines until the signal aborts, whose reason is thrown. Throws CliError where no Worker is heard any more. */
export async function* cloudflareLogs(
  { state: { job, cloudflare }, plan }: CloudflareJob,
  { agent: only, trace, follow }: LogRequest,
  io: Io,
): AsyncGenerator<LogLine> {
  if (!follow) {
    throw new CliError(
      "bad_input",
      `Cloudflare keeps no logs of ${job} that can be read later.`,
      `Follow them as they come: ${troupe`logs ${job} --follow`}, or see what was done: ${troupe`traces list ${job}`}`,
    );
  }
  const agents = plan.agents.filter(({ id }) => only === undefined || id === only);
  if (agents.length > MOST_AGENTS) {
    const message = `${job} has ${agents.length} agents, and the logs of at most ${MOST_AGENTS} can be followed at once.`;
    throw new CliError("bad_input", message, `Name one: ${troupe`logs ${job} --follow --agent ${plan.entryPoint}`}`);
  }
  const account = await sameAccount(cloudflare, process.env, io.signal);
  io.note(`Following ${agents.length === 1 ? "one Worker" : `${agents.length} Workers`} on Cloudflare …`);
  const over = new AbortController();
  const until = { ...io, signal: AbortSignal.any([io.signal, over.signal]) };
  const sources = agents.map(({ id }) => heard(account, { script: agentScript(account, job, id), agent: id }, until));
  try {
    for await (const line of mergedLines(sources, io.signal))
      if (trace === undefined || line.traceId?.startsWith(trace) === true) yield line;
  } finally {
    // Each deletes its tail in the account before this command ends.
    over.abort();
    await Promise.all(sources.map(async (source) => source.return(undefined)));
  }
  throw new CliError("failed", `No Worker of ${job} is heard any more.`);
}

/** Ends with a note where one Worker cannot be heard: the others still are. */
async function* heard(
  account: Account,
  worker: { readonly script: string; readonly agent: string },
  io: Io,
): AsyncGenerator<readonly LogLine[]> {
  try {
    yield* tail(account, worker, io.signal);
  } catch (error) {
    if (!io.signal.aborted) io.note(manyLines(`${worker.agent} is heard no more: ${reasonOf(error)}`));
  }
}
