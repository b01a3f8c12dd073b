// Serves the agent's card (A2A 1.0, sections 8.2 and 8.6), so that clients may cache it.
import { publicJwk, signCard, type CardSigner } from "../../a2a/card-signature.ts";
import { agentCard, JWKS_PATH, serializeCard } from "../card.ts";
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
  const signer = signerOf(env);
  const card = agentCard(definition, configOf(env));
  const { body, etag } = await serializeCard(signer ? await signCard(card, signer) : card);
  const modifiedAt = Math.floor(Date.now() / 1000) * 1000;
  const headers = {
    "content-type": "application/json",
    "cache-control": "public, max-age=60",
    "last-modified": new Date(modifiedAt).toUTCString(),
    etag,
  };
  return { body, headers, etag, modifiedAt };
}

/** The agent signs with the key that the deployment has pinned for it; undefined where none is. */
function signerOf(env: AgentEnv): CardSigner | undefined {
  const { id, url } = configOf(env);
  const publicKey = ownKey(env);
  if (publicKey === undefined || !env.TROUPE_SIGNING_KEY) return undefined;
  return { privateKey: env.TROUPE_SIGNING_KEY, publicKey, kid: id, jku: url + JWKS_PATH };
}

/** The public half of the agent's key. */
function ownKey(env: AgentEnv): string | undefined {
  const { id, callers } = configOf(env);
  return callers.find((caller) => caller.id === id)?.key;
}

/** The key that signs the card, as a JSON Web Key Set (RFC 7517). */
export function serveKeys(env: AgentEnv): Response {
  const key = ownKey(env);
  const keys = key === undefined ? [] : [publicJwk(key, configOf(env).id)];
  return Response.json({ keys }, { headers: { "cache-control": "public, max-age=60" } });
}

/** Whether the client has this card (RFC 9110, section 13.2.2). */
function isKnown(headers: Headers, etag: string, modifiedAt: number): boolean {
  const tags = headers.get("if-none-match");
  if (tags !== null)
    return tags.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag || tag.trim() === "*");
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return since >= modifiedAt;
}
