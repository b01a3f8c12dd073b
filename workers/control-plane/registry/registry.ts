// One job's agents: who they are, what they can do, whether they live. Owns the SQLite tables, the full-text index and the
// one alarm that drives all leases. When a lease changes is decided in leases.ts; every method may be repeated.
import { DurableObject } from "cloudflare:workers";
import { migrate } from "#shared/durable/migrations.ts";
import { nearest } from "#shared/text/nearest.ts";
import type { Env } from "../env.ts";
import { AgentRows, MIGRATIONS } from "./agent-rows.ts";
import { leaseMs } from "#shared/agent/lease.ts";
import { bury, nextStep, renew } from "./leases.ts";
import { isHealthy, inParallel } from "./probe.ts";
import type { Agent, FoundAgent, Receipt, Registration, Renewal, SearchQuery } from "./schema.ts";

/** What an operation on one agent found; `nearest` is the id that was probably meant. */
export type Found<Value> = { found: true; value: Value } | { found: false; nearest: string | undefined };

/** Longer ids are compared by their beginning: comparing costs the product of the lengths. */
const MAX_ID_CHARS = 63;

export class Registry extends DurableObject<Env> {
  #opened: AgentRows | undefined;
  /** When the alarm rings, null for never; undefined until it was read. Saves a heartbeat from asking storage. */
  #alarmAt: number | null | undefined;

  /** Adds the agent or replaces what was known of it; either way its lease begins anew. */
  async register(registration: Registration): Promise<Receipt> {
    const { id, intervalMs, ...card } = registration;
    const now = Date.now();
    const lease = renew(intervalMs, now);
    this.#rows.upsert(id, card, intervalMs, lease, now);
    await this.#wakeBy(lease.dueAt);
    return { id, state: lease.state, intervalMs, leaseMs: leaseMs(intervalMs) };
  }

  /** Renews the lease: one UPDATE, no index and, while the agent is alive, no alarm is written. */
  async heartbeat(id: string): Promise<Found<Renewal>> {
    const now = Date.now();
    const intervalMs = this.#rows.intervalOf(id);
    if (intervalMs === undefined) return this.#unknown(id);
    const lease = renew(intervalMs, now);
    this.#rows.renew(id, lease, now);
    await this.#wakeBy(lease.dueAt);
    return { found: true, value: { state: lease.state, leaseMs: leaseMs(intervalMs) } };
  }

  remove(id: string): Found<null> {
    return this.#rows.remove(id) ? { found: true, value: null } : this.#unknown(id);
  }

  /** All agents by id. */
  list(): Agent[] {
    return this.#rows.list();
  }

  get(id: string): Found<Agent> {
    const value = this.#rows.get(id);
    return value ? { found: true, value } : this.#unknown(id);
  }

  /** Agents that fit all given criteria: alive first, then the best fit. */
  search(query: SearchQuery): FoundAgent[] {
    return this.#rows.search(query);
  }

  /** Takes every step that is due. What a crash interrupts is still due when the alarm is retried. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const suspects = [];
    for (const agent of this.#rows.due(Date.now())) {
      const step = nextStep(agent.lease, Date.now());
      if (step.do === "remove") this.#rows.remove(agent.id);
      if (step.do !== "probe") continue;
      this.#rows.setLease(agent.id, step.lease);
      suspects.push(agent);
    }
    const network = this.env.PROBE ?? globalThis;
    await inParallel(suspects, async ({ id, url, intervalMs }) => {
      const healthy = await isHealthy(url, network);
      // A heartbeat that came meanwhile is better news than any probe.
      const next = healthy ? renew(intervalMs, Date.now()) : bury(intervalMs, Date.now());
      this.#rows.settleSuspect(id, next);
    });
    const dueAt = this.#rows.nextDue();
    if (dueAt !== undefined) await this.#wakeBy(dueAt);
  }

  get #rows(): AgentRows {
    if (!this.#opened) {
      migrate(this.ctx.storage.sql, MIGRATIONS);
      this.#opened = new AgentRows(this.ctx.storage.sql);
    }
    return this.#opened;
  }

  async #wakeBy(time: number): Promise<void> {
    if (this.#alarmAt === undefined) this.#alarmAt = await this.ctx.storage.getAlarm();
    if (this.#alarmAt !== null && this.#alarmAt <= time) return;
    this.#alarmAt = time;
    await this.ctx.storage.setAlarm(time);
  }

  #unknown(id: string): { found: false; nearest: string | undefined } {
    return { found: false, nearest: nearest(id.slice(0, MAX_ID_CHARS), this.#rows.ids()) };
  }
}
