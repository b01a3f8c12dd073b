// Bearer tokens of a job's agents and of the command line that deployed them: claims signed with the job's key. Only
// the token says for whom a peer acts, and through which agents the query came.
import { createHmac, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { parseJson } from "../text/parse-json.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";

const Claims = z.object({
  /** The caller: an agent id, or `cli`. */
  from: z.string(),
  /** The called agent's id. The token is void at other agents. */
  to: z.string(),
  /** The account for which the query runs. */
  principal: z.string(),
  /** The agents that the query went through, oldest first, with the caller. */
  chain: z.array(z.string()),
  /** The query whose account pays. Absent in tokens of the command line. */
  query: z.optional(z.string()),
  /** Milliseconds since the epoch after which the token is void. */
  expires: z.number(),
});
export type Claims = z.infer<typeof Claims>;

/** Fewest characters of a secret that tokens are derived from. */
export const MIN_SECRET = 32;

/** The first `length` characters of HMAC-SHA-256 of `text`, in base64url. Throws RangeError without a key. */
export function mac(key: string, text: string, length = 43): string {
  // Anybody can sign with an empty key.
  if (!key) throw new RangeError("There is no key to sign with.");
  return createHmac("sha256", key).update(text).digest("base64url").slice(0, length);
}

/** HMAC-SHA-256 of `text`, in hexadecimal. */
export function macHex(key: string, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** Compares in constant time. */
export function sameMac(left: string, right: string): boolean {
  const [a, b] = [new TextEncoder().encode(left), new TextEncoder().encode(right)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** Signs `claims`; valid for `ttlMs` milliseconds from now. */
export function signToken(key: string, claims: Omit<Claims, "expires">, ttlMs: number): string {
  const body = toBase64url(JSON.stringify({ ...claims, expires: Date.now() + ttlMs }));
  return `${body}.${mac(key, `token:${body}`)}`;
}

/** The claims of a token that is genuine, meant for `to` and not expired; undefined for any other. */
export function verifyToken(key: string, token: string, to: string): Claims | undefined {
  const [body, signature, ...rest] = token.split(".");
  if (!body || !signature || rest.length > 0) return undefined;
  if (!sameMac(signature, mac(key, `token:${body}`))) return undefined;
  const claims = Claims.safeParse(parseJson(fromBase64url(body) ?? ""));
  if (!claims.success || claims.data.to !== to || claims.data.expires < Date.now()) return undefined;
  return claims.data;
}

/** The token of an `Authorization: Bearer …` header; undefined for any other header. */
export function bearer(header: string | null | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(header ?? "")?.[1];
}
