// Tokens between a job's agents, and from the command line that deployed them. A token is about one request, for a minute, and signed
// with a key that only its sender has: whoever has one agent's key cannot speak for another agent.
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import * as z from "zod";
import { parseJson } from "../text/parse-json.ts";
import { bytesFromBase64url, bytesToBase64url, fromBase64url, toBase64url } from "./base64url.ts";
import { SeenTokens } from "./seen-tokens.ts";

/** The command line as a sender. No agent can have this id: agents' ids hold no `-`. */
export const COMMAND_LINE = "command-line";

/** How long a token is valid, and how much a receiver's clock may be behind, in milliseconds. */
export const TOKEN_MS = 60_000;
const MAX_SKEW_MS = 30_000;

const Claims = z.object({
  /** The sender: an agent id, or COMMAND_LINE. */
  from: z.string(),
  /** The receiving agent's id. */
  to: z.string(),
  job: z.string(),
  /** The account for which the query runs. */
  principal: z.string(),
  /** The agents that the query went through, oldest first; the last one is the sender. Empty for the command line. */
  chain: z.array(z.string()),
  /** The query whose account pays. Absent where the request begins one. */
  query: z.optional(z.string()),
  /** Method, path and query of the request, such as `POST /message:stream`. */
  request: z.string(),
  /** SHA-256 of the body's bytes, in base64url. */
  body: z.string(),
  /** The messageId, where the request is a message. */
  message: z.optional(z.string()),
  /** Never used twice by a sender. */
  id: z.string(),
  /** Milliseconds since the epoch after which the token is void. */
  expires: z.number(),
});
export type Claims = z.infer<typeof Claims>;

/** In whose name a sender calls. */
export type Mandate = Pick<Claims, "from" | "to" | "job" | "principal" | "chain" | "query">;

/** The request that a token is for. `path` has the query. */
export interface TokenRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array | undefined;
  readonly messageId?: string | undefined;
}

/** A sender, and its public key in base64url (32 bytes, RFC 8032). */
export interface Sender {
  readonly id: string;
  readonly key: string;
}

/** The agent that checks tokens, and whom it knows. */
export interface Receiver {
  readonly id: string;
  readonly job: string;
  readonly callers: readonly Sender[];
}

/** Signs a request with a private key: PKCS #8 in base64url. The token is valid for TOKEN_MS. */
export function signRequest(key: string, mandate: Mandate, request: TokenRequest): string {
  const { method, path, body = "", messageId: message } = request;
  const about = { request: `${method} ${path}`, body: bodyDigest(body), message };
  const claims: Claims = { ...mandate, ...about, id: crypto.randomUUID(), expires: Date.now() + TOKEN_MS };
  const text = toBase64url(JSON.stringify(claims));
  return `${text}.${bytesToBase64url(sign(null, new TextEncoder().encode(text), privateKey(key)))}`;
}

const seen = new SeenTokens(TOKEN_MS + MAX_SKEW_MS);

/**
 * The claims of a token for this receiver and request that a pinned sender has signed, that has not expired and was not used before in this
 * isolate; undefined for any other. Whoever reads the body has to compare its digest.
 */
export function verifyRequest(
  token: string,
  { id, job, callers }: Receiver,
  { method, path }: Pick<TokenRequest, "method" | "path">,
): Claims | undefined {
  const [text = "", signature = "", ...rest] = token.split(".");
  if (rest.length > 0) return undefined;
  const claims = Claims.safeParse(parseJson(fromBase64url(text) ?? "")).data;
  if (claims?.to !== id || claims.job !== job || claims.request !== `${method} ${path}`) return undefined;
  const aheadMs = claims.expires - Date.now();
  if (aheadMs < 0 || aheadMs > TOKEN_MS + MAX_SKEW_MS) return undefined;
  const sender = callers.find((caller) => caller.id === claims.from);
  if (sender === undefined || claims.chain.at(-1) !== (claims.from === COMMAND_LINE ? undefined : claims.from)) {
    return undefined;
  }
  const [bytes, signed] = [new TextEncoder().encode(text), bytesFromBase64url(signature)];
  if (signed === undefined || !verify(null, bytes, publicKey(sender.key), signed)) return undefined;
  // Its text, not its signature: one text may have several.
  return seen.add(`${claims.from} ${claims.id}`) ? claims : undefined;
}

/** SHA-256 in base64url. */
export function bodyDigest(body: string | Uint8Array): string {
  return createHash("sha256").update(body).digest("base64url");
}

/** Imported keys: a deployment has few. */
const keys = new Map<string, KeyObject>();

function imported(text: string, make: () => KeyObject): KeyObject {
  const key = keys.get(text) ?? make();
  keys.set(text, key);
  return key;
}

function privateKey(text: string): KeyObject {
  return imported(text, () => {
    // The types of Node and of Workers agree on PEM only.
    const pem = `-----BEGIN PRIVATE KEY-----\n${text.replaceAll("-", "+").replaceAll("_", "/")}\n-----END PRIVATE KEY-----\n`;
    return createPrivateKey(pem);
  });
}

function publicKey(x: string): KeyObject {
  return imported(x, () => createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" }));
}
