// What Cloudflare would bill, measured: `npm run bench -- cloudflare` runs the job research-assistant as its Workers would be uploaded, in
// workerd, and counts requests of Workers and objects, rows as SQLite reports them, and the time in which objects are at work. Twenty
// questions on the offline model; each is four turns, one of each agent, with ten model calls. Measured on 2026-12-01.
const TURNS = 4;

/** One turn, with its share of the control plane's work: registry, traces, index. */
export const PER_TURN = {
  /** Over a service binding. */
  controlPlaneCalls: 5.45 / TURNS,
  modelCalls: 10 / TURNS,
  objectRequests: 12.35 / TURNS,
  rowsRead: 279.45 / TURNS,
  rowsWritten: 160.15 / TURNS,
  /** Time of all objects together. Most of it is the second in which a session waits to report to its index. */
  activeS: 3.18 / TURNS,
  storedBytes: 167_530 / TURNS,
  cpuMs: 130 / TURNS,
} as const;

/** While a turn goes on, its session's alarm rings so often: WATCH_MS of shared/agent/session/tasks/tasks.ts. */
export const WATCH_S = 1.5;

/** One heartbeat of one agent, with its share of the registry's alarms. */
export const PER_HEARTBEAT = { objectRequests: 2.1, rowsRead: 2.97, rowsWritten: 2.1, activeS: 0.01 } as const;

/** Assumed, not measured: how long a turn takes whose model calls go to the Claude API. */
export const CLAUDE_TURN_S = 20;
