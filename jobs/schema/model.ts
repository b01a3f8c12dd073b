// The model of an agent: the agent's fields count first, then the job's, then the defaults.
import type { AgentConfig } from "#shared/agent/config.ts";

import { checkedDurationMs } from "#shared/text/duration.ts";
import { FREE, priceOf, WEB_SEARCH } from "./prices.ts";
import type { Model } from "./schema.ts";

const ANTHROPIC_URL = "https://api.anthropic.com";
const ANTHROPIC_MODEL = "claude-sonnet-5-5";
const OFFLINE_URL = "http://offline-model";
const OFFLINE_MODEL = "offline";
const MAX_TOKENS = 8192;
const CONTEXT_TOKENS = 200_000;
const TTFT = "20ms";
/** Price of a cache write as a multiple of the input price: the API's rule for 5 minutes. */
const CACHE_WRITE = 1.25;

interface ModelEnvironment {
  readonly hasAnthropicKey: boolean;
  readonly anthropicUrl?: string;
}

/** The model part of an agent's configuration. */
export function resolveModel(
  job: Model,
  agent: Model | undefined,
  environment: ModelEnvironment,
): AgentConfig["model"] {
  const model = { ...job, ...agent, offline: { ...job.offline, ...agent?.offline } };
  const wanted = model.provider ?? "auto";
  const provider = wanted === "auto" ? (environment.hasAnthropicKey ? "anthropic" : "offline") : wanted;
  // The job's price applies to the job's model only.
  const given = agent?.name !== undefined && agent.name !== job.name ? agent.price : model.price;
  const price = given && {
    input: given.input,
    output: given.output,
    cacheRead: given.cache_read ?? given.input,
    cacheWrite: given.cache_write ?? given.input * CACHE_WRITE,
    webSearch: given.web_search === undefined ? WEB_SEARCH : given.web_search * 1000,
  };
  const maxTokens = model.max_tokens ?? MAX_TOKENS;
  const contextTokens = model.context_tokens ?? CONTEXT_TOKENS;
  if (provider === "anthropic") {
    const name = model.name ?? ANTHROPIC_MODEL;
    const known = price ?? priceOf(name);
    return {
      provider,
      name,
      ...(known === undefined ? {} : { price: known }),
      maxTokens,
      contextTokens,
      baseUrl: environment.anthropicUrl ?? ANTHROPIC_URL,
    };
  }
  return {
    provider,
    // The job's name of a Claude model would mislead in a job that runs offline.
    name: OFFLINE_MODEL,
    maxTokens,
    contextTokens,
    price: price ?? FREE,
    baseUrl: OFFLINE_URL,
    offline: {
      ttftMs: checkedDurationMs(model.offline.ttft ?? TTFT),
      tokensPerSecond: model.offline.tokens_per_second ?? 0,
      fault: model.offline.fault ?? null,
    },
  };
}
