// The logs of a job on hosts, in the order of their times.
import { setTimeout as delay } from "node:timers/promises";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { parseLines } from "../local/logs.ts";
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
  if (request.follow) yield* merged(machines, signal, wanted);
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

/** New lines of all machines in the order of their times, as far as they come soon enough. */
async function* merged(
  machines: readonly Machine[],
  signal: AbortSignal,
  wanted: (line: LogLine) => boolean,
): AsyncGenerator<LogLine> {
  const sources = machines.map((machine) => machine.follow(signal)[Symbol.asyncIterator]());
  const nextOf = async (index: number) => ({ index, result: await sources[index]?.next() });
  const waiting = new Map(sources.map((_, index) => [index, nextOf(index)]));
  const held: LogLine[] = [];
  let release: Promise<undefined> | undefined;
  while (waiting.size > 0 || held.length > 0) {
    const next = await Promise.race([...waiting.values(), ...(release === undefined ? [] : [release])]);
    signal.throwIfAborted();
    if (next === undefined) {
      release = undefined;
      yield* held.splice(0).toSorted(byTime);
      continue;
    }
    const { index, result } = next;
    waiting.delete(index);
    if (result === undefined || result.done === true) continue;
    waiting.set(index, nextOf(index));
    const [process, line] = result.value;
    held.push(...parseLines(line, process).filter(wanted));
    if (held.length > 0) release ??= delay(HOLD_MS, undefined);
  }
}

/** Lines of other hosts that are older may be on their way so long. */
const HOLD_MS = 200;

function byTime(one: LogLine, other: LogLine): number {
  return (one.time ?? "").localeCompare(other.time ?? "");
}
