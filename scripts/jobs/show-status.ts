// A deployment's status in words and columns.
import type { BreakerStatus } from "#shared/resilience/breaker.ts";
import { troupe } from "../terminal/hint.ts";
import { table } from "../terminal/io.ts";
import { oneLine, widthOf } from "../terminal/terminal-text.ts";
import type { ProcessStatus, JobStatus } from "../targets/target.ts";

/** Certificates that end within this time are worth a line. */
const SOON_MS = 30 * 86_400_000;

/** `columns`: where the rows of agents are wider, their addresses and names are left out. */
export function describeStatus(status: JobStatus, columns = Infinity): string {
  const rowsWith = (isWhole: boolean) =>
    table([
      ...status.agents.map(({ id, name, url, publicUrl = url, place, state, lastHeartbeat }) => [
        `  ${id}`,
        state,
        ...(place === undefined ? [] : [place]),
        ...(isWhole ? [publicUrl, oneLine(name)] : []),
        ago(lastHeartbeat),
      ]),
      // Who is remote is known by its address alone, so that stays.
      ...status.remotes.map(({ id, name, url, reachable }) => [
        `  ${id}`,
        remoteState(reachable),
        url,
        ...(isWhole ? [oneLine(name), ""] : []),
      ]),
    ]).split("\n");
  const whole = rowsWith(true);
  const rows = whole.some((row) => widthOf(row) > columns) ? rowsWith(false) : whole;
  const lines = status.agents.flatMap(({ breakers, turns, probed }, index) => [
    rows[index] ?? "",
    ...(probed ? [] : ["    its heartbeats alone count: the control plane cannot ask it"]),
    ...(turns === null || turns.waiting === 0 ? [] : [`    ${describeTurns(turns)}`]),
    ...breakers.map((breaker) => `    ${describeBreaker(breaker, Date.now())}`),
  ]);
  lines.push(...rows.slice(status.agents.length));
  // The ends of a stopped job's processes do not matter any more.
  const ends = (status.state === "stopped" ? [] : [...status.processes, ...status.shared]).flatMap((own) =>
    describeEnd(own, status),
  );
  const head = `${status.job} is ${status.state} (${whereabouts(status)})`;
  const told = [head, ...describeControlPlane(status), ...describeCertificates(status), ...ends, ...lines];
  told.push(...describeTunnels(status));
  return `${told.join("\n")}${nextStep(status)}`;
}

function whereabouts({ target, pid, agents }: JobStatus): string {
  if (target === "hosts") return `on ${[...new Set(agents.map(({ place }) => place))].join(", ")}`;
  return pid === null ? target : `${target}, pid ${pid}`;
}

function describeControlPlane({ state, controlPlane, shared }: JobStatus): string[] {
  if (state === "stopped" || controlPlane !== null) return [];
  const away = shared.find((own) => own.name === "control-plane" && own.state === "unreachable");
  if (away?.place === undefined) return ["The control plane does not run, so agents cannot find each other."];
  return [
    `The control plane is on ${away.place}, which does not answer: what is said of the agents is what they say themselves.`,
  ];
}

/** A line where the certificates of the hosts end soon, or have ended. */
function describeCertificates({ job, certificatesEnd }: JobStatus): string[] {
  const leftMs = certificatesEnd === undefined ? Infinity : Date.parse(certificatesEnd) - Date.now();
  if (leftMs > SOON_MS) return [];
  const day = certificatesEnd?.slice(0, 10) ?? "";
  const what =
    leftMs > 0 ? `will end on ${day}` : `ended on ${day}, so agents of different hosts cannot ask each other`;
  return [`The certificates of its hosts ${what}. A deployment makes new ones: ${troupe`deploy ${job}`}`];
}

/** Lines on a process that ended by itself, or that has lost its supervisor; none on another. */
function describeEnd(
  { name, state, supervised, restarts, lastEnd }: ProcessStatus,
  { job, shared }: JobStatus,
): string[] {
  if (state === "running" && !supervised && process.platform !== "win32")
    return [`The process ${name} runs without its supervisor, so it would not be restarted: ${troupe`restart ${job}`}`];
  if (lastEnd === null) return [];
  const times = `${restarts} ${restarts === 1 ? "time" : "times"}`;
  const isShared = shared.some((own) => own.name === name);
  const again = isShared ? "deploy or restart any job" : troupe`restart ${job}`;
  const now = {
    running: `was restarted ${times}`,
    restarting: `is being restarted, after ${times} before`,
    failed: `has failed: it ended at each start (${times}). Fix the reason, then: ${again}`,
    unreachable: "is on a host that does not answer",
    dead: `has ended and is not restarted. Start it again: ${again}`,
  }[state];
  return [`The process ${name} ${now}`, `  Last end at ${lastEnd.at}: ${oneLine(lastEnd.reason)}`];
}

function describeTunnels({ job, tunnels }: JobStatus): string[] {
  if (tunnels === undefined) return [];
  const { pid, hosts, log } = tunnels;
  const head = "Some of its agents reach each other only while this machine holds the tunnels";
  if (pid === null) return [`${head}, and nobody holds them: ${troupe`restart ${job}`}`];
  const rows = hosts.map(({ place, state, since, reason }) => [
    `  ${oneLine(place)}`,
    `tunnel ${state}`,
    since === null ? "" : `since ${since}`,
    oneLine(reason),
  ]);
  const again = hosts.some(({ state }) => state === "down") ? [`  It is tried again by itself. Its log: ${log}`] : [];
  return [`${head} (pid ${pid})`, ...table(rows).split("\n"), ...again];
}

function describeTurns({ limit, running, waiting }: NonNullable<JobStatus["agents"][number]["turns"]>): string {
  return `turns: ${running} of at most ${limit} running, ${waiting} waiting`;
}

function nextStep({ job, state, controlPlane, tunnels, processes }: JobStatus): string {
  if (state === "stopped") return `\nStart it again: ${troupe`restart ${job}`}`;
  if (state === "running" && controlPlane !== null) return "";
  // Then the lines on the tunnels say what to do.
  const isWhole = tunnels?.hosts.every((host) => host.state === "up") ?? true;
  if (!isWhole && processes.every((own) => own.state === "running")) return "";
  const what = state === "degraded" ? "Some of its agents do not run. " : "";
  return `\n${what}Start it again: ${troupe`restart ${job}`}. Its log may say why: ${troupe`logs ${job}`}`;
}

/** One line on a failing backend or peer; `now` in milliseconds since the epoch. */
export function describeBreaker({ target, state, failures, openSince, openUntil }: BreakerStatus, now: number): string {
  const subject = oneLine(target.replace(":", " "));
  const row = `${failures} ${failures === 1 ? "failure" : "failures"} in a row`;
  if (state === "closed") return `${subject}: ${row}`;
  const leftS = openUntil === undefined ? 0 : Math.ceil((Date.parse(openUntil) - now) / 1000);
  const again = leftS > 0 ? `tried again in ${leftS} s` : "tried again with the next call";
  const next = state === "half_open" ? "being tried again now" : again;
  return `${subject}: circuit open since ${openSince ?? "an unknown time"}, ${row}, ${next}`;
}

function remoteState(reachable: boolean | undefined): string {
  if (reachable === undefined) return "remote";
  return reachable ? "remote, reachable" : "remote, not reachable";
}

function ago(moment: string | null): string {
  if (moment === null) return "";
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(moment)) / 1000));
  return `heard ${seconds} s ago`;
}
