// Signing keys of agents in tests, made of their names; test/workers/wrangler.jsonc pins the public halves.
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { signRequest, type Mandate, type TokenRequest } from "../../shared/a2a/peer-token.ts";
import { bytesToBase64url } from "../../shared/a2a/base64url.ts";

/** How PKCS #8 begins for Ed25519 (RFC 8410, section 10.3). */
const PREFIX = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

export function privateKeyOf(name: string): string {
  const seed = createHash("sha256").update(`test signer ${name}`).digest();
  return bytesToBase64url(Uint8Array.from([...PREFIX, ...seed]));
}

export function publicKeyOf(name: string): string {
  const text = privateKeyOf(name).replaceAll("-", "+").replaceAll("_", "/");
  const key = createPrivateKey(`-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`);
  return createPublicKey(key).export({ format: "jwk" }).x ?? "";
}

const MANDATE = { from: "other", to: "tester", job: "tests", principal: "local", chain: ["other"] };

/** An Authorization header of the agent `other` for the test agent, unless `mandate` says otherwise. */
export function signedBy(
  mandate: Partial<Mandate>,
  request: TokenRequest,
  key = privateKeyOf(mandate.from ?? MANDATE.from),
): { authorization: string } {
  return { authorization: `Bearer ${signRequest(key, { ...MANDATE, ...mandate }, request)}` };
}
