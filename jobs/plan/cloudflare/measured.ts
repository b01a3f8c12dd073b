// What Cloudflare would bill, measured: `npm run bench -- cloudflare-cost` runs the job research-assistant as its Workers would be uploaded, in
// workerd, and counts requests of Workers and objects, rows as SQLite reports them, and the time in which objects are at work. A question
// is four turns, one of each agent, with ten model calls. One sitting on 2026-12-01, on two cores of a shared machine.
import type { Plan } from "../plan-shape.ts";

const TURNS = 4;

interface Amounts {
  /** Calls of the control plane over the service binding. */
  readonly controlPlaneCalls: number;
  readonly modelCalls: number;
  readonly objectRequests: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Time of all objects together. */
  readonly activeS: number;
  readonly storedBytes: number;
  /** Of all Workers together, the offline model among them. */
  readonly cpuMs: number;
}

interface Measured {
  /** How long a model call took. */
  readonly modelCallS: number;
  /** One turn, with its share of the control plane's work. */
  readonly turn: Amounts;
}

export const MEASURED = {
  /** Twenty questions on the offline model. Most of the time is the second in which a session waits to report to its index. */
  offline: {
    modelCallS: 0.02,
    turn: turnOf({
      controlPlaneCalls: 6.65,
      modelCalls: 10,
      objectRequests: 14.5,
      rowsRead: 317.6,
      rowsWritten: 174.55,
      activeS: 4.76,
      storedBytes: 169_160,
      cpuMs: 167.5,
    }),
  },
  /** Four questions on the same model, made as slow as a model far away: objects wait, and their alarms ring every 1.5 s meanwhile. */
  far: {
    modelCallS: 4,
    turn: turnOf({
      controlPlaneCalls: 16.25,
      modelCalls: 10,
      objectRequests: 65,
      rowsRead: 553,
      rowsWritten: 297,
      activeS: 61.35,
      storedBytes: 172_030,
      cpuMs: 315,
    }),
  },
} as const satisfies Record<string, Measured>;

/** One heartbeat of one agent, with its share of the registry's alarms. */
export const PER_HEARTBEAT = { objectRequests: 2.1, rowsRead: 2.92, rowsWritten: 2.1, activeS: 0.02 } as const;

export function measuredFor(provider: Plan["provider"]): Measured {
  return provider === "offline" ? MEASURED.offline : MEASURED.far;
}

function turnOf(question: Amounts): Amounts {
  return {
    controlPlaneCalls: question.controlPlaneCalls / TURNS,
    modelCalls: question.modelCalls / TURNS,
    objectRequests: question.objectRequests / TURNS,
    rowsRead: question.rowsRead / TURNS,
    rowsWritten: question.rowsWritten / TURNS,
    activeS: question.activeS / TURNS,
    storedBytes: question.storedBytes / TURNS,
    cpuMs: question.cpuMs / TURNS,
  };
}
