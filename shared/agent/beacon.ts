// Beacon: registers the agent and renews its lease by alarm. One per agent; woken by the agent's /health.
import { DurableObject } from "cloudflare:workers";
import { agentCard } from "./card.ts";
import type { AgentDefinition } from "./definition.ts";
import { configOf, type AgentEnv } from "./environment.ts";
import { reasonOf } from "../tracing/reason.ts";
import { log } from "./log.ts";
import { heartbeat, register } from "./registry-client.ts";

export abstract class BeaconObject extends DurableObject<AgentEnv> {
  protected abstract readonly definition: AgentDefinition;
  /** Forgotten when the isolate goes, on purpose: a new deployment registers its new card. */
  #registered = false;
  #failing = false;

  /** Registers unless that is done, and makes sure that the heart beats. Resolves to whether the registry knows this agent. */
  async wake(): Promise<boolean> {
    if (!this.#registered) await this.alarm();
    return this.#registered;
  }

  /** The next beat is set before this one is tried, so no failure stops the heart. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + configOf(this.env).heartbeat.intervalMs);
    try {
      if (this.#registered && (await heartbeat(this.env)) === "renewed") return this.#beaten();
      await register(this.env, agentCard(this.definition, configOf(this.env)));
      this.#registered = true;
      this.#beaten();
    } catch (error) {
      if (!this.#failing) log(this.env, "warn", `No heartbeat: ${reasonOf(error)}`);
      this.#failing = true;
    }
  }

  #beaten(): void {
    if (this.#failing) log(this.env, "info", "The heart beats again.");
    this.#failing = false;
  }
}
