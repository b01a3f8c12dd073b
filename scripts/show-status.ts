// A deployment's status in words and columns.
import type { BreakerStatus } from "#shared/loop/breaker.ts";

import { troupe } from "./hint.ts";
import { table } from "./io.ts";
import { oneLine } from "./terminal-text.ts";
import type { JobStatus } from "./targets/target.ts";

export function describeStatus(status: JobStatus): string {
  const pid = status.pid === null ? "" : `, pid ${status.pid}`;
  const registry =
    status.state !== "stopped" && status.controlPlane === null
      ? "\nThe control plane does not run, so agents cannot find each other."
      : "";
  const rows = table(
    status.agents.map(({ id, name, url, state, lastHeartbeat }) => [
      `  ${id}`,
      state,
      url,
      oneLine(name),
      ago(lastHeartbeat),
    ]),
  ).split("\n");
  const lines = status.agents.flatMap(({ breakers, turns }, index) => [
    rows[index] ?? "",
    ...(turns === null || turns.waiting === 0 ? [] : [`    ${describeTurns(turns)}`]),
    ...breakers.map((breaker) => `    ${describeBreaker(breaker, Date.now())}`),
  ]);
  return `${status.job} is ${status.state} (${status.target}${pid})${registry}\n${lines.join("\n")}${nextStep(status)}`;
}

function describeTurns({ limit, running, waiting }: NonNullable<JobStatus["agents"][number]["turns"]>): string {
  return `turns: ${running} of at most ${limit} at work, ${waiting} waiting in line`;
}

function nextStep({ job, state, controlPlane }: JobStatus): string {
  if (state === "stopped") return `\nStart it again: ${troupe`restart ${job}`}`;
  if (state === "running" && controlPlane !== null) return "";
  const what = state === "degraded" ? "Some of its agents do not run. " : "";
  return `\n${what}Start it again: ${troupe`restart ${job}`}. Its log may say why: ${troupe`logs ${job}`}`;
}

/** One line on a backend or a peer that fails; `now` in milliseconds since the epoch. */
export function describeBreaker({ target, state, failures, openSince, openUntil }: BreakerStatus, now: number): string {
  const subject = oneLine(target.replace(":", " "));
  const row = `${failures} ${failures === 1 ? "failure" : "failures"} in a row`;
  if (state === "closed") return `${subject}: ${row}`;
  const leftS = openUntil === undefined ? 0 : Math.ceil((Date.parse(openUntil) - now) / 1000);
  const again = leftS > 0 ? `tried again in ${leftS} s` : "tried again with the next call";
  const next = state === "half_open" ? "being tried again now" : again;
  return `${subject}: circuit open since ${openSince ?? "an unknown time"}, ${row}, ${next}`;
}

function ago(moment: string | null): string {
  if (moment === null) return "";
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(moment)) / 1000));
  return `heard ${seconds} s ago`;
}
