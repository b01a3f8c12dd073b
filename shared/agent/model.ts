// The model of an agent's deployment, made once an isolate.
import { messagesApi } from "../models/messages-api.ts";
import type { Model } from "../models/model.ts";
import { PROVIDER } from "../tracing/names.ts";
import { breakerOf } from "./breakers.ts";
import { type AgentEnv, configOf, fetcherOf } from "./env.ts";

const models = new WeakMap<AgentEnv, Model>();

export function modelOf(env: AgentEnv): Model {
  const model = models.get(env) ?? makeModel(env);
  models.set(env, model);
  return model;
}

function makeModel(env: AgentEnv): Model {
  const { model } = configOf(env);
  return messagesApi({
    baseUrl: model.baseUrl,
    apiKey: env.ANTHROPIC_API_KEY ?? "offline",
    model: model.name,
    provider: PROVIDER[model.provider],
    price: model.price,
    maxTokens: model.maxTokens,
    contextTokens: model.contextTokens,
    fetch: fetcherOf(env.MODEL),
    gate: breakerOf(`model:${model.name}`),
    ...(model.provider === "offline" && model.offline
      ? { headers: { "x-offline-settings": JSON.stringify(model.offline) } }
      : {}),
  });
}
