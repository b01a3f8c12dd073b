// One job's agents: who they are, what they can do, whether they live. Owns the tables and the alarm that drives all
// leases; leases.ts decides when a lease changes. Every method may be repeated.
import { DurableObject } from "cloudflare:workers";
import {
  leaseMs,
  MAX_REGISTERED,
  type Agent,
  type AgentPage,
  type FoundAgent,
  type PageQuery,
  type Receipt,
  type Registration,
  type Renewal,
  type SearchQuery,
} from "#shared/control-plane/registry.ts";
import { Alarm } from "#shared/durable/alarm.ts";
import { Tables } from "#shared/durable/tables.ts";
import { nearest } from "#shared/text/nearest.ts";
import { reasonOf } from "#shared/text/reason.ts";
import type { TraceContext } from "#shared/tracing/trace-context.ts";
import type { Env } from "../env.ts";
import type { Found, LostAgent, RegistryRpc } from "../rpc.ts";
import { closeOpenSpans, storeOwnSpans } from "../traces/shards.ts";
import { AgentRows, type DueAgent, MIGRATIONS } from "./agent-rows.ts";
import { markDead, nextAction, renew } from "./leases.ts";
import { lifecycleSpan, type LifecycleEvent } from "./lifecycle.ts";
import { isHealthy, forEachInParallel, wayTo } from "./probe.ts";

/** Characters of an unknown id that are compared: the cost is the product of the lengths. */
const MAX_ID_CHARS = 63;

export class Registry extends DurableObject<Env> implements RegistryRpc {
  readonly #tables = new Tables(this.ctx.storage, MIGRATIONS, (sql) => new AgentRows(sql));
  readonly #alarm = new Alarm(this.ctx.storage);

  /**
   * Adds or replaces the agent and renews its lease. `parent` is the span that started the agent. A repetition makes no
   * span. Returns `full` when the registry holds as many agents as it may.
   */
  async register(
    { id, intervalMs, instance, ...card }: Registration,
    parent?: TraceContext,
  ): Promise<Receipt | "full"> {
    const now = Date.now();
    const lease = renew(intervalMs, now);
    const before = this.#rows.status(id);
    if (!before && !this.#rows.makeRoom()) return "full";
    const isOtherCard = this.#rows.upsert(id, { card, intervalMs, instance }, lease, now);
    const isOther = Boolean(before?.instance && instance) && before?.instance !== instance;
    if (parent || isOtherCard || isOther || before?.state !== "alive") {
      this.#rows.setRegistration(id, this.#report({ event: "registered", agent: id, at: now, parent }));
    }
    // On each registration: spans of an earlier life may reach the store late.
    if (instance) {
      this.#close({ agent: id, keepInstance: instance, at: before?.last_heartbeat ?? 0, reason: "it was restarted." });
    }
    await this.#alarm.keepOrRingBy(lease.dueAt);
    return { id, state: lease.state, intervalMs, leaseMs: leaseMs(intervalMs) };
  }

  /** Renews the lease with one UPDATE. While the agent is alive, neither index nor alarm is written. */
  async heartbeat(id: string): Promise<Found<Renewal>> {
    const now = Date.now();
    const intervalMs = this.#rows.intervalOf(id);
    if (intervalMs === undefined) return this.#unknown(id);
    const lease = renew(intervalMs, now);
    this.#rows.renew(id, lease, now);
    await this.#alarm.keepOrRingBy(lease.dueAt);
    return { found: true, value: { state: lease.state, leaseMs: leaseMs(intervalMs) } };
  }

  remove(id: string): Found<null> {
    const before = this.#rows.status(id);
    if (!before) return this.#unknown(id);
    this.#rows.remove(id);
    const { last_heartbeat: at, registration } = before;
    this.#close({ agent: id, at, reason: "it was taken out of the registry." });
    this.#report({ event: "removed", agent: id, at: Date.now(), registration: registration ?? undefined });
    return { found: true, value: null };
  }

  /** Agents by id, as many as fit one page. */
  list(): Agent[] {
    return this.page({ after: "", limit: MAX_REGISTERED }).agents;
  }

  page(query: PageQuery): AgentPage {
    return this.#rows.page(query);
  }

  get(id: string): Found<Agent> {
    const value = this.#rows.get(id);
    return value ? { found: true, value } : this.#unknown(id);
  }

  /** Agents that match all criteria of the query: alive ones first, then the best matches. */
  search(query: SearchQuery): FoundAgent[] {
    return this.#rows.search(query);
  }

  /** Does all that is due. After a crash the interrupted work is still due when the alarm is retried. */
  override async alarm(): Promise<void> {
    this.#alarm.rang();
    const suspects = [];
    for (const agent of this.#rows.due(Date.now())) {
      const { id, registration } = agent;
      const way = wayTo(this.env, this.ctx.id.name ?? "", agent);
      const action = nextAction({ ...agent, isProbed: way !== undefined }, Date.now());
      if (action.do === "remove") {
        this.#rows.remove(id);
        // Again, for spans that came late or could not be closed when the agent died.
        this.#close({ agent: id, at: agent.lastHeartbeat, reason: "it was taken out of the registry." });
        this.#report({ event: "removed", agent: id, at: Date.now(), registration });
      }
      if (action.do === "lose") this.#lose(agent, "");
      if (action.do !== "probe" && action.do !== "suspect") continue;
      this.#rows.setLease(id, action.lease);
      if (agent.lease.state === "alive") this.#report({ event: "suspect", agent: id, at: Date.now(), registration });
      if (way !== undefined) suspects.push({ agent, way });
    }
    await forEachInParallel(suspects, async ({ agent, way }) => {
      if (!(await isHealthy(way))) this.#lose(agent, ", and its /health does not answer");
      else this.#rows.settleSuspect(agent.id, renew(agent.intervalMs, Date.now()));
    });
    const dueAt = this.#rows.nextDue();
    if (dueAt !== undefined) await this.#alarm.keepOrRingBy(dueAt);
  }

  /** Marks a suspect dead, unless a heartbeat came meanwhile: that outweighs any probe. */
  #lose({ id, intervalMs, lastHeartbeat, registration }: DueAgent, more: string): void {
    const now = Date.now();
    if (!this.#rows.settleSuspect(id, markDead(intervalMs, now))) return;
    const reason = `nothing was heard since ${new Date(lastHeartbeat).toISOString()}${more}.`;
    this.#close({ agent: id, at: lastHeartbeat, reason });
    this.#report({ event: "dead", agent: id, at: now, error: `The agent ${id} was lost: ${reason}`, registration });
  }

  get #rows(): AgentRows {
    return this.#tables.rows;
  }

  /** Stores a span about an agent's life. Returns the span's context as `traceparent`. */
  #report(event: Omit<LifecycleEvent, "job">): string {
    const { spans, context } = lifecycleSpan({ ...event, job: this.ctx.id.name ?? "" });
    this.#trace(async (job) => storeOwnSpans(this.env, job, [spans]));
    return context;
  }

  /** Closes the spans that an agent left open. */
  #close(lost: LostAgent): void {
    this.#trace(async (job) => closeOpenSpans(this.env, job, lost));
  }

  /** Writes spans in the background: the registry works without the trace store. */
  #trace(write: (job: string) => Promise<unknown>): void {
    const { name } = this.ctx.id;
    if (name === undefined) return;
    const log = (error: unknown) => console.error(`The registry's spans were not stored: ${reasonOf(error)}`);
    this.ctx.waitUntil(write(name).catch(log));
  }

  #unknown(id: string): { found: false; nearest: string | undefined } {
    return { found: false, nearest: nearest(id.slice(0, MAX_ID_CHARS), this.#rows.ids()) };
  }
}
