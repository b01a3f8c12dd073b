// The agent's A2A card (A2A 1.0, section 4.4.1), served at /.well-known/agent-card.json. The same card serves clients of A2A 0.3: who
// names no version gets that version's fields, too, which clients of 1.0 ignore.
import { toHex } from "../tracing/trace-context.ts";
import { TEXT_TYPES } from "../a2a/file-parts.ts";
import { declaredExtensions, EXTENSION } from "../a2a/extensions.ts";
import { A2A_PROTOCOL_VERSION, AgentCard, type AgentExtension } from "@a2a-js/sdk";
import { A2A_LEGACY_PROTOCOL_VERSION } from "@a2a-js/sdk/compat/v0_3";
import { toRecord } from "../text/plain-json.ts";
import type { Tool } from "../loop/tools/tool.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentDefinition } from "./definition.ts";

/** Path of the JSON-RPC binding below the agent's origin; HTTP+JSON is at the origin itself. */
export const JSON_RPC_PATH = "/jsonrpc";

/** The keys that sign the card. */
export const JWKS_PATH = "/.well-known/jwks.json";

export const CARD_PATH = "/.well-known/agent-card.json";

export function agentCard(definition: AgentDefinition, config: AgentConfig): AgentCard {
  const { name, description, tracing, accounts } = config;
  const url = config.publicUrl ?? config.url;
  const [jsonRpc, httpJson] = ["JSONRPC", "HTTP+JSON"];
  const bindings = [
    { url: url + JSON_RPC_PATH, protocolBinding: jsonRpc, protocolVersion: A2A_PROTOCOL_VERSION },
    { url, protocolBinding: httpJson, protocolVersion: A2A_PROTOCOL_VERSION },
    { url: url + JSON_RPC_PATH, protocolBinding: jsonRpc, protocolVersion: A2A_LEGACY_PROTOCOL_VERSION },
  ];
  return {
    name: name ?? definition.name,
    description: description ?? definition.description,
    version: definition.version ?? "1.0.0",
    supportedInterfaces: bindings.map((binding) => ({ ...binding, tenant: "" })),
    provider: undefined,
    capabilities: {
      streaming: true,
      pushNotifications: true,
      extendedAgentCard: true,
      extensions: declaredExtensions({ hasTraces: tracing.enabled }),
    },
    ...securityOf(accounts),
    defaultInputModes: [...(definition.inputModes ?? TEXT_TYPES)],
    defaultOutputModes: [...(definition.outputModes ?? outputModes(definition))],
    skills: definition.skills.map(({ tags, examples, ...skill }) => ({
      ...skill,
      tags: [...tags],
      examples: [...examples],
      inputModes: [],
      outputModes: [],
      securityRequirements: [],
    })),
    signatures: [],
  };
}

/** The card for those who may ask the agent (A2A 1.0, section 3.1.11): it says what the agent works with and may do. */
export function extendedCard(card: AgentCard, config: AgentConfig, tools: readonly Tool[]): AgentCard {
  const { model, permissions, budget } = config;
  const profile: AgentExtension = {
    uri: EXTENSION.profile,
    description: "What the agent works with and may do",
    required: false,
    params: {
      model: { provider: model.provider, name: model.name },
      permissions: permissions.mode,
      budget,
      tools: tools.map(({ name, description, annotations }) => ({ name, description, ...annotations })),
    },
  };
  const { capabilities } = card;
  const extensions = [...(capabilities?.extensions ?? []), profile];
  return { ...card, capabilities: { streaming: true, ...capabilities, extensions } };
}

function outputModes({ outputSchema }: AgentDefinition): string[] {
  return [outputSchema === undefined ? "text/plain" : "application/json"];
}

/** The scheme by which a client proves who it is (A2A 1.0, section 4.5; RFC 6750). */
const KEY = { scheme: "Bearer", bearerFormat: "", description: "A key of the job: troupe keys create." };

function securityOf(accounts: AgentConfig["accounts"]): Pick<AgentCard, "securitySchemes" | "securityRequirements"> {
  if (accounts === "optional") return { securitySchemes: {}, securityRequirements: [] };
  return {
    securitySchemes: { key: { scheme: { $case: "httpAuthSecurityScheme", value: KEY } } },
    securityRequirements: [{ schemes: { key: { list: [] } } }],
  };
}

/** The card as ProtoJSON, with the fields of A2A 0.3 beside those of 1.0. */
export function cardJson(card: AgentCard): Record<string, unknown> {
  const legacy = card.supportedInterfaces.find(
    ({ protocolVersion }) => protocolVersion === A2A_LEGACY_PROTOCOL_VERSION,
  );
  const json = toRecord(AgentCard.toJSON(card));
  const { key } = toRecord(json["securitySchemes"]);
  return {
    ...json,
    ...(key === undefined
      ? {}
      : { securitySchemes: { key: { ...toRecord(key), type: "http", ...KEY } }, security: [{ key: [] }] }),
    protocolVersion: `${A2A_LEGACY_PROTOCOL_VERSION}.0`,
    url: legacy?.url,
    preferredTransport: legacy?.protocolBinding,
    supportsAuthenticatedExtendedCard: card.capabilities?.extendedAgentCard,
  };
}

/** A card's JSON as text, with its strong ETag. */
export async function serializeCard(card: object): Promise<{ body: string; etag: string }> {
  const body = JSON.stringify(card);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
  return { body, etag: `"${toHex(digest.subarray(0, 16))}"` };
}
