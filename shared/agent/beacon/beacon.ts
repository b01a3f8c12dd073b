// Beacon: registers the agent, renews its lease by alarm, and keeps spans that could not be delivered. One per agent; the agent's /health
// wakes it.
import { DurableObject } from "cloudflare:workers";
import type { BeaconRpc } from "../rpc.ts";
import { agentCard } from "../card.ts";
import type { AgentDefinition } from "../definition.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { reasonOf } from "../../text/reason.ts";
import { log } from "../log.ts";
import { wakeSessions } from "../wake.ts";
import { KeptSpans, MAX_KEPT_BYTES } from "./kept-spans.ts";
import { sendSpans } from "../control-plane/trace-client.ts";
import { flushSpans } from "../control-plane/tracing.ts";
import { heartbeat, register } from "../control-plane/registry-client.ts";

const RETRY_MS = 1_000;

export abstract class BeaconObject extends DurableObject<AgentEnv> implements BeaconRpc {
  protected abstract readonly definition: AgentDefinition;
  /** In memory only, so that a new deployment registers its new card. */
  #registered = false;
  #failing = false;
  #sending = false;
  #traceparent: string | null = null;
  readonly #kept = new KeptSpans(this.ctx.storage.sql);

  /** Registers unless that is done, and starts the heartbeat. Resolves to whether the registry knows this agent. */
  async wake(traceparent: string | null): Promise<boolean> {
    if (this.#registered) return true;
    this.#traceparent = traceparent;
    await this.alarm();
    return this.#registered;
  }

  /** Sets the next heartbeat before it sends this one, so that no failure stops them. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + configOf(this.env).heartbeat.intervalMs);
    // The first heartbeat of a process that nobody has asked for its health.
    this.ctx.waitUntil(wakeSessions(this.env));
    try {
      if (!this.#registered || (await heartbeat(this.env)) === "unknown") {
        await register(this.env, agentCard(this.definition, configOf(this.env)), this.#traceparent);
        this.#registered = true;
        this.#traceparent = null;
      }
      this.#beaten();
      this.ctx.waitUntil(Promise.all([this.#sendKept(), flushSpans(this.env)]));
    } catch (error) {
      if (!this.#failing) log(this.env, "warn", `No heartbeat: ${reasonOf(error)}`);
      this.#failing = true;
    }
  }

  /** Keeps an OTLP request until the trace store takes it, over restarts too. */
  async keepSpans(request: Uint8Array): Promise<void> {
    const dropped = this.#kept.add(request);
    if (dropped > 0) {
      const limit = `${MAX_KEPT_BYTES / 1024 / 1024} MB of spans wait already`;
      log(
        this.env,
        "error",
        `The trace store cannot be reached, and ${limit}: the ${dropped} oldest batches were dropped.`,
      );
    }
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
  }

  /** Sends kept requests one after another, until one fails. The next heartbeat continues with another one. */
  async #sendKept(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    let kept = this.#kept.oldest();
    const any = kept !== undefined;
    try {
      for (; kept; kept = this.#kept.oldest()) {
        await sendSpans(this.env, kept.request);
        this.#kept.remove(kept);
      }
      // They may hold spans that an earlier life left open. The registry closes those when this life registers.
      if (any) await register(this.env, agentCard(this.definition, configOf(this.env)), null);
    } catch (error) {
      if (kept) this.#kept.postpone(kept);
      log(this.env, "warn", `Spans wait for the trace store: ${reasonOf(error)}`);
    } finally {
      this.#sending = false;
    }
  }

  #beaten(): void {
    if (this.#failing) log(this.env, "info", "The heart beats again.");
    this.#failing = false;
  }
}
