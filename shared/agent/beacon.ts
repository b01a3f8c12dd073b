// Beacon: registers the agent and renews its lease by alarm, and keeps the spans that could not be delivered. One per agent;
// woken by the agent's /health.
import { DurableObject } from "cloudflare:workers";
import type { BeaconRpc } from "./rpc.ts";
import { agentCard } from "./card.ts";
import type { AgentDefinition } from "./definition.ts";
import { configOf, type AgentEnv } from "./env.ts";
import { reasonOf } from "../text/reason.ts";
import { log } from "./log.ts";
import { KeptSpans, MAX_KEPT_BYTES } from "./kept-spans.ts";
import { sendSpans } from "./trace-client.ts";
import { flushSpans } from "./tracing.ts";
import { heartbeat, register } from "./registry-client.ts";

const RETRY_MS = 1_000;

export abstract class BeaconObject extends DurableObject<AgentEnv> implements BeaconRpc {
  protected abstract readonly definition: AgentDefinition;
  /** Forgotten when the isolate goes, on purpose: a new deployment registers its new card. */
  #registered = false;
  #failing = false;
  #sending = false;
  #traceparent: string | null = null;
  readonly #kept = new KeptSpans(this.ctx.storage.sql);

  /** Registers unless that is done, and makes sure that the heart beats. Resolves to whether the registry knows this agent. */
  async wake(traceparent: string | null): Promise<boolean> {
    if (this.#registered) return true;
    this.#traceparent = traceparent;
    await this.alarm();
    return this.#registered;
  }

  /** The next beat is set before this one is tried, so no failure stops the heart. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + configOf(this.env).heartbeat.intervalMs);
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

  /** One after the other, until none is left or one fails: the next heartbeat goes on, with another one. */
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
      // Among them may have been spans that a former life left open; the registry closes those when it hears of this one.
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
