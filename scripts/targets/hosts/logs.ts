// The logs of a job on hosts, in the order of their times.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { parseLines } from "../local/logs.ts";
import { mergedLines } from "../merged-lines.ts";
import type { LogLine, LogRequest } from "../target.ts";
import { machinesOf } from "./job-machines.ts";
import type { Machine } from "./machine/machine.ts";

/** The last lines of all hosts; with `follow` also every new line until the signal aborts, whose reason is thrown. */
export async function* readHostLogs(plan: Plan, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine> {
  const wanted = ({ agent, traceId }: LogLine): boolean =>
    (request.agent === undefined || agent === request.agent) &&
    (request.trace === undefined || traceId?.startsWith(request.trace) === true);
  const machines = [...(await machinesOf(plan, signal)).values()];
  const all = await Promise.all(machines.map(async (machine) => machine.logs(MOST_LINES)));
  const lines = all.flatMap((ofOne) => dated(ofOne.flatMap(([process, line]) => parseLines(line, process))));
  lines.sort((a, b) => a.at.localeCompare(b.at));
  yield* lines
    .map(({ line }) => line)
    .filter(wanted)
    .slice(-request.lines);
  if (request.follow)
    yield* mergedLines(
      machines.map((machine) => followed(machine, signal, wanted)),
      signal,
    );
}

/** A line without a time belongs to the one before. */
function dated(lines: readonly LogLine[]): { readonly at: string; readonly line: LogLine }[] {
  let at = "";
  return lines.map((line) => {
    at = line.time ?? at;
    return { at, line };
  });
}

/** Of each log: filters leave some of them out. */
const MOST_LINES = 10_000;

async function* followed(
  machine: Machine,
  signal: AbortSignal,
  wanted: (line: LogLine) => boolean,
): AsyncGenerator<readonly LogLine[]> {
  for await (const [process, line] of machine.follow(signal)) yield parseLines(line, process).filter(wanted);
}
