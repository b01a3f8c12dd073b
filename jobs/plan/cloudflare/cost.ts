// An estimate of what a job costs at Cloudflare: questions, and a month in which nobody asks. Pure.
import type { Plan } from "../plan-shape.ts";
import { measuredFor, PER_HEARTBEAT } from "./measured.ts";
import { type Item, OBJECT_GB, PRICES } from "./prices.ts";
import { questionOf } from "./question.ts";

const QUESTIONS = 1_000;
const DAY_S = 86_400;
const MONTH_S = 30 * DAY_S;

/** How much of each item is used, and its price without what is included. */
export type Bill = Readonly<Record<Item, { readonly used: number; readonly usd: number }>>;

export interface CostEstimate {
  /** Of one question. */
  readonly turns: number;
  /** Seconds that a model call took where this was measured. */
  readonly modelCallS: number;
  readonly question: Bill;
  /** Of so many questions, kept for one month. */
  readonly questions: { readonly number: number; readonly bill: Bill; readonly usd: number };
  /** Of 30 days without a question. */
  readonly idleMonth: { readonly heartbeats: number; readonly bill: Bill; readonly usd: number };
}

/** Of the agents on Cloudflare; undefined where there is none. */
export function estimateCost(plan: Plan): CostEstimate | undefined {
  const agents = plan.agents.filter(({ target }) => target === "cloudflare").length;
  if (agents === 0) return undefined;
  const { turns } = questionOf(plan);
  const { modelCallS, turn } = measuredFor(plan.provider);
  const one = {
    requests: 1,
    cpuMs: turns * turn.cpuMs,
    objectRequests: turns * turn.objectRequests,
    gbSeconds: turns * turn.activeS * OBJECT_GB,
    rowsRead: turns * turn.rowsRead,
    rowsWritten: turns * turn.rowsWritten,
    gbMonths: (turns * turn.storedBytes) / 1e9,
  };
  const heartbeats = (agents * MONTH_S * 1_000) / plan.heartbeat.intervalMs;
  const idle = {
    // A call over a service binding is no request that is billed.
    requests: 0,
    cpuMs: 0,
    objectRequests: heartbeats * PER_HEARTBEAT.objectRequests,
    gbSeconds: heartbeats * PER_HEARTBEAT.activeS * OBJECT_GB,
    rowsRead: heartbeats * PER_HEARTBEAT.rowsRead,
    rowsWritten: heartbeats * PER_HEARTBEAT.rowsWritten,
    gbMonths: 0,
  };
  const [many, month] = [billOf(one, QUESTIONS), billOf(idle)];
  return {
    turns,
    modelCallS,
    question: billOf(one),
    questions: { number: QUESTIONS, bill: many, usd: totalOf(many) },
    idleMonth: { heartbeats, bill: month, usd: totalOf(month) },
  };
}

/** Requests of objects a day, for the heartbeats of so many agents. */
export function heartbeatRequestsPerDay(agents: number, intervalMs: number): number {
  return ((agents * DAY_S * 1_000) / intervalMs) * PER_HEARTBEAT.objectRequests;
}

function billOf(used: Readonly<Record<Item, number>>, times = 1): Bill {
  const row = (item: Item) => {
    const { usd, per } = PRICES[item];
    return { used: used[item] * times, usd: (used[item] * times * usd) / per };
  };
  return {
    requests: row("requests"),
    cpuMs: row("cpuMs"),
    objectRequests: row("objectRequests"),
    gbSeconds: row("gbSeconds"),
    rowsRead: row("rowsRead"),
    rowsWritten: row("rowsWritten"),
    gbMonths: row("gbMonths"),
  };
}

function totalOf(bill: Bill): number {
  return Object.values(bill).reduce((sum, { usd }) => sum + usd, 0);
}
