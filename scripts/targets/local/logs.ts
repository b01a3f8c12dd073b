// Reads the JSON log that workerd writes for each process, and finds the agent of each line.
import { open, readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { parseJson } from "#shared/text/parse-json.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { fileBytes } from "../../project/folder-size.ts";
import type { LogLine, LogRequest } from "../target.ts";
import { JOB_PROCESS, jobLayout } from "./state/layout.ts";
import { troupe } from "../../terminal/hint.ts";
import { isEngineRemark } from "./processes/last-words.ts";
import { hasCode } from "../../terminal/system-error.ts";

const POLL_MS = 150;
const CHUNK_BYTES = 256 * 1024;
/** How far back the last lines are searched. */
const TAIL_BYTES = 4 * 1024 * 1024;

/** Suffix of the former log after supervise.sh began a new one. */
const OLDER = ".1";

/** Beginning of an agent's own line, and of a line of workerd about one Worker. */
const AGENT_TAG = /^(?:\[([a-z][a-z0-9_]{0,62})\] |service agent-([a-z][a-z0-9_]{0,62}): )/;

/** End of an agent's own line that belongs to a span. */
const TRACE_TAG = / trace=([0-9a-f]{32}) span=([0-9a-f]{16})$/;

const Entry = z.object({
  /** Milliseconds since the epoch. */
  timestamp: z.optional(z.coerce.number()),
  level: z.optional(z.string()),
  message: z.optional(z.unknown()),
});

/** The last lines of a job's logs; with `follow` also every new line until the signal aborts, whose reason is thrown. */
export async function* readLogs(home: string, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine> {
  const layout = jobLayout(home, request.job);
  const names = await processNames(layout.logs);
  const wanted = ({ agent, traceId }: LogLine): boolean =>
    (request.agent === undefined || agent === request.agent) &&
    (request.trace === undefined || traceId?.startsWith(request.trace) === true);
  const offsets = new Map<string, number>();
  const lines: LogLine[] = [];
  for (const name of names) {
    const { log } = layout.process(name);
    const size = await fileBytes(log);
    const text = await readFrom(log, Math.max(0, size - TAIL_BYTES), size);
    const complete = text.slice(0, text.lastIndexOf("\n") + 1);
    offsets.set(name, size - Buffer.byteLength(text.slice(complete.length)));
    const before = size < TAIL_BYTES ? await readTail(`${log}${OLDER}`, TAIL_BYTES - size) : "";
    lines.push(...parseLines(before + complete, name).filter(wanted));
  }
  lines.sort((a, b) => (a.time ?? "").localeCompare(b.time ?? ""));
  yield* lines.slice(-request.lines);
  while (request.follow) {
    await delay(POLL_MS, undefined, { signal });
    for (const name of await processNames(layout.logs)) {
      const path = layout.process(name).log;
      const size = await fileBytes(path);
      const known = offsets.get(name) ?? 0;
      if (size < known) {
        // A new log was begun: the rest of the old one is unread.
        const older = `${path}${OLDER}`;
        yield* parseLines(await readFrom(older, known, await fileBytes(older)), name).filter(wanted);
      }
      const from = size < known ? 0 : known;
      const text = await readFrom(path, from, Math.min(size, from + CHUNK_BYTES));
      const complete = text.slice(0, text.lastIndexOf("\n") + 1);
      offsets.set(name, from + Buffer.byteLength(complete));
      yield* parseLines(complete, name).filter(wanted);
    }
  }
}

/**
 * Lines of one process's log, without the engine's internal remarks. In the process of all agents a line names its
 * agent: `[agent] message`.
 */
export function parseLines(text: string, process: string): LogLine[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const entry = Entry.safeParse(parseJson(line));
      const { timestamp, level = "info", message = line } = entry.success ? entry.data : {};
      const said = typeof message === "string" ? message : JSON.stringify(message);
      return loggedLine({ time: timestamp ?? null, level, said }, process === JOB_PROCESS ? null : process);
    })
    .filter(({ message }) => !isEngineRemark(message));
}

/** A line as a Worker wrote it. `agent`: whose it is where the line does not name one. `time`: milliseconds since the epoch. */
export function loggedLine(
  { time, level, said }: { readonly time: number | null; readonly level: string; readonly said: string },
  agent: string | null,
): LogLine {
  const tagged = AGENT_TAG.exec(said);
  const untagged = tagged === null ? said : said.slice(tagged[0].length);
  const [suffix = "", traceId = null, spanId = null] = TRACE_TAG.exec(untagged) ?? [];
  return {
    time: time === null ? null : new Date(time).toISOString(),
    level,
    agent: tagged?.[1] ?? tagged?.[2] ?? agent,
    message: untagged.slice(0, untagged.length - suffix.length),
    traceId,
    spanId,
  };
}

async function processNames(folder: string): Promise<string[]> {
  try {
    const files = await readdir(folder);
    return files.filter((file) => file.endsWith(".log")).map((file) => file.slice(0, -".log".length));
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    throw new CliError("bad_input", "There are no logs: the job was never deployed.", `Run: ${troupe`list`}`);
  }
}

/** The last `bytes` of a file, from the beginning of a line. */
async function readTail(path: string, bytes: number): Promise<string> {
  const size = await fileBytes(path);
  const from = Math.max(0, size - bytes);
  const text = await readFrom(path, from, size);
  return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
}

async function readFrom(path: string, from: number, to: number): Promise<string> {
  if (to <= from) return "";
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
