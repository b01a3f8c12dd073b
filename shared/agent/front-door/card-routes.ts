// Serves the agent's card (A2A 1.0, sections 8.2 and 8.6), so that clients may cache it.
import { publicJwk, signCard, type CardSigner } from "../../a2a/card-signature.ts";
import { A2A_VERSION_HEADER, AgentCard } from "@a2a-js/sdk";
import { toRecord } from "../../text/plain-json.ts";
import { agentCard, cardJson, JWKS_PATH, serializeCard } from "../card.ts";
import type { AgentDefinition } from "../definition.ts";
import { configOf, type AgentEnv } from "../env.ts";

interface Served {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
}

interface ServedCards {
  /** For who asks for 1.0. */
  readonly plain: Served;
  /** With the fields of 0.3: whose clients do not say what they want. */
  readonly both: Served;
  /** To the second, in milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** Made once an isolate: only a deployment changes the card, and it starts another. */
const cards = new WeakMap<AgentEnv, Promise<ServedCards>>();

export async function serveCard(request: Request, env: AgentEnv, definition: AgentDefinition): Promise<Response> {
  const made = cards.get(env) ?? serve(env, definition);
  cards.set(env, made);
  const { plain, both, modifiedAt } = await made;
  const wantsPlain = request.headers.get(A2A_VERSION_HEADER)?.startsWith("1.") === true;
  const { body, headers, etag } = wantsPlain ? plain : both;
  return isKnown(request.headers, etag, modifiedAt)
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers });
}

async function serve(env: AgentEnv, definition: AgentDefinition): Promise<ServedCards> {
  const signer = signerOf(env);
  const card = agentCard(definition, configOf(env));
  const signed = signer ? await signCard(card, signer) : card;
  const modifiedAt = Math.floor(Date.now() / 1000) * 1000;
  const served = async (json: object): Promise<Served> => {
    const { body, etag } = await serializeCard(json);
    const headers = {
      "content-type": "application/json",
      "cache-control": "public, max-age=60",
      "last-modified": new Date(modifiedAt).toUTCString(),
      vary: A2A_VERSION_HEADER,
      etag,
    };
    return { body, headers, etag };
  };
  return {
    plain: await served(toRecord(AgentCard.toJSON(signed))),
    both: await served(cardJson(signed)),
    modifiedAt,
  };
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
