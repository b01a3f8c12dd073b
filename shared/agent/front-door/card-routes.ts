// Serves the agent's card (A2A 1.0, sections 8.2 and 8.6), so that clients may cache it.
import { agentCard, serializeCard } from "../card.ts";
import type { AgentDefinition } from "../definition.ts";
import { configOf, type AgentEnv } from "../env.ts";

interface Served {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
  /** To the second, in milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** Made once an isolate: only a deployment changes the card, and it starts another. */
const cards = new WeakMap<AgentEnv, Promise<Served>>();

export async function serveCard(request: Request, env: AgentEnv, definition: AgentDefinition): Promise<Response> {
  const made = cards.get(env) ?? serve(env, definition);
  cards.set(env, made);
  const { body, headers, etag, modifiedAt } = await made;
  return isKnown(request.headers, etag, modifiedAt)
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers });
}

async function serve(env: AgentEnv, definition: AgentDefinition): Promise<Served> {
  const { body, etag } = await serializeCard(agentCard(definition, configOf(env)));
  const modifiedAt = Math.floor(Date.now() / 1000) * 1000;
  const headers = {
    "content-type": "application/json",
    "cache-control": "public, max-age=60",
    "last-modified": new Date(modifiedAt).toUTCString(),
    etag,
  };
  return { body, headers, etag, modifiedAt };
}

/** Whether the client has this card (RFC 9110, section 13.2.2). */
function isKnown(headers: Headers, etag: string, modifiedAt: number): boolean {
  const tags = headers.get("if-none-match");
  if (tags !== null)
    return tags.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag || tag.trim() === "*");
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return since >= modifiedAt;
}
