// The agent's A2A card (A2A 1.0, section 4.4.1), served at /.well-known/agent-card.json.
import { toHex } from "../tracing/trace-context.ts";
import { TEXT_TYPES } from "../a2a/file-parts.ts";
import { A2A_PROTOCOL_VERSION, AgentCard } from "@a2a-js/sdk";
import type { AgentConfig } from "./config.ts";
import type { AgentDefinition } from "./definition.ts";

/** Path of the JSON-RPC binding below the agent's origin; HTTP+JSON is at the origin itself. */
export const JSON_RPC_PATH = "/jsonrpc";

export const CARD_PATH = "/.well-known/agent-card.json";

export function agentCard(definition: AgentDefinition, { url, name, description }: AgentConfig): AgentCard {
  const bindings = [
    { url: url + JSON_RPC_PATH, protocolBinding: "JSONRPC" },
    { url, protocolBinding: "HTTP+JSON" },
  ];
  return {
    name: name ?? definition.name,
    description: description ?? definition.description,
    version: definition.version ?? "1.0.0",
    supportedInterfaces: bindings.map((binding) => ({ ...binding, tenant: "", protocolVersion: A2A_PROTOCOL_VERSION })),
    provider: undefined,
    capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: false, extensions: [] },
    securitySchemes: {},
    securityRequirements: [],
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

function outputModes({ outputSchema }: AgentDefinition): string[] {
  return [outputSchema === undefined ? "text/plain" : "application/json"];
}

/** The card as JSON text with its strong ETag. */
export async function serializeCard(card: AgentCard): Promise<{ body: string; etag: string }> {
  const body = JSON.stringify(AgentCard.toJSON(card));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
  return { body, etag: `"${toHex(digest.subarray(0, 16))}"` };
}
