// Signs and checks agent cards (A2A 1.0, section 8.4): JSON Web Signatures with Ed25519 over the canonical card.
import { AgentCard } from "@a2a-js/sdk";
import { FlattenedSign, flattenedVerify } from "jose";
import { canonical } from "../text/canonical-json.ts";
import { toRecord } from "../text/plain-json.ts";
import type { PublicKey } from "./remote/card.ts";
import { bytesFromBase64url, bytesToBase64url } from "./base64url.ts";

/** Bytes of an Ed25519 key. In PKCS #8 the private one stands at the end (RFC 8410, section 7). */
const KEY_BYTES = 32;
const ALGORITHM = "EdDSA";
/** With these the verifier needs no secret (RFC 7518, RFC 8037, RFC 9864). */
const PUBLIC_ALGORITHMS = [ALGORITHM, "Ed25519", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256"];
/** Signatures of one card that are looked at. */
const MAX_SIGNATURES = 10;

/** A signer: its private key (PKCS #8) and its public one, both in base64url, and where others find the latter. */
export interface CardSigner {
  readonly privateKey: string;
  readonly publicKey: string;
  /** Names the key. */
  readonly kid: string;
  /** The address of the JSON Web Key Set. Verifiers with a pinned key need not read it. */
  readonly jku: string;
}

export async function signCard(card: AgentCard, { privateKey, publicKey, kid, jku }: CardSigner): Promise<AgentCard> {
  const d = bytesToBase64url((bytesFromBase64url(privateKey) ?? new Uint8Array()).slice(-KEY_BYTES));
  const { protected: header = "", signature } = await new FlattenedSign(payloadOf(card))
    .setProtectedHeader({ alg: ALGORITHM, typ: "JOSE", kid, jku })
    .sign({ ...publicJwk(publicKey, kid), d });
  return { ...card, signatures: [{ protected: header, signature, header: undefined }] };
}

/** Whether one of the card's signatures is by this key, whatever key the card names. `card`: its JSON. */
export async function isSignedBy(card: unknown, publicKey: string): Promise<boolean> {
  const parsed = AgentCard.fromJSON(card);
  return verifies(parsed, [payloadOf(parsed)], publicJwk(publicKey), [ALGORITHM]);
}

/** As isSignedBy, for the card of an agent of others: with any kind of public key, and also for a card of A2A 0.3. */
export async function isSignedWith(card: unknown, publicKey: PublicKey): Promise<boolean> {
  const parsed = AgentCard.fromJSON(card);
  const { signatures: _, ...asItStands } = toRecord(card);
  // Some sign the card as it stands, fields of other versions included.
  const payloads = [payloadOf(parsed), bytesOf(asItStands)];
  return verifies(parsed, payloads, publicKey, PUBLIC_ALGORITHMS);
}

async function verifies(
  { signatures }: AgentCard,
  payloads: readonly Uint8Array[],
  key: PublicKey,
  algorithms: string[],
): Promise<boolean> {
  for (const { protected: header, signature } of signatures.slice(0, MAX_SIGNATURES)) {
    for (const payload of payloads) {
      try {
        const jws = { payload: bytesToBase64url(payload), protected: header, signature };
        await flattenedVerify(jws, key, { algorithms });
        return true;
      } catch {
        // Another's signature, or none.
      }
    }
  }
  return false;
}

/** RFC 8037. */
export function publicJwk(x: string, kid?: string) {
  return { kty: "OKP", crv: "Ed25519", alg: ALGORITHM, use: "sig", x, ...(kid === undefined ? {} : { kid }) };
}

/** The canonical card (section 8.4.1): without its signatures and without fields that hold nothing. */
function payloadOf(card: AgentCard): Uint8Array {
  const { signatures: _, ...signed } = toRecord(AgentCard.toJSON(card));
  return bytesOf(withoutEmpty(signed) ?? {});
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonical(value));
}

function withoutEmpty(value: unknown): unknown {
  if (value === "" || value === null) return undefined;
  if (Array.isArray(value)) {
    const items = value.map(withoutEmpty).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value !== "object") return value;
  const fields = Object.entries(value)
    .map(([name, inner]) => [name, withoutEmpty(inner)] as const)
    .filter(([, inner]) => inner !== undefined);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
