// Signs and checks agent cards (A2A 1.0, section 8.4): JSON Web Signatures with Ed25519 over the canonical card.
import { AgentCard } from "@a2a-js/sdk";
import { FlattenedSign, flattenedVerify } from "jose";
import { canonical } from "../text/canonical-json.ts";
import { toRecord } from "../text/plain-json.ts";
import { bytesFromBase64url, bytesToBase64url } from "./base64url.ts";

/** Bytes of an Ed25519 key. In PKCS #8 the private one stands at the end (RFC 8410, section 7). */
const KEY_BYTES = 32;
const ALGORITHM = "EdDSA";

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
  const payload = bytesToBase64url(payloadOf(parsed));
  for (const { protected: header, signature } of parsed.signatures) {
    try {
      const jws = { payload, protected: header, signature };
      await flattenedVerify(jws, publicJwk(publicKey), { algorithms: [ALGORITHM] });
      return true;
    } catch {
      // Another's signature, or none.
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
  return new TextEncoder().encode(canonical(withoutEmpty(signed) ?? {}));
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
