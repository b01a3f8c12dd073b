// Finds the key that signs the card of an agent of others, among those that its own address shows (RFC 7517).
import { AgentCard } from "@a2a-js/sdk";
import { decodeProtectedHeader } from "jose";
import * as z from "zod";
import { isSignedWith } from "../card-signature.ts";
import type { PublicKey } from "./card.ts";

const MAX_KEYS = 20;
const KEYS_PATH = "/.well-known/jwks.json";
/** The public fields of the kinds of keys that need no secret to verify (RFC 7518, section 6; RFC 8037). */
const PUBLIC_FIELDS = ["kty", "crv", "x", "y", "n", "e", "alg", "kid"] as const;
const KINDS = ["OKP", "EC", "RSA"];

const Keys = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

/**
 * Undefined for a card that is not signed. `address`: the card's, whose origin has to show the key; `fetchKeys` fetches JSON. Throws an Error
 * where the signature is by no key that is shown there.
 */
export async function findSigner(
  card: unknown,
  address: string,
  fetchKeys: (url: string) => Promise<unknown>,
): Promise<PublicKey | undefined> {
  const { signatures } = AgentCard.fromJSON(card);
  if (signatures.length === 0) return undefined;
  const { origin } = new URL(address);
  for (const url of new Set([...signatures.flatMap((signature) => placeOf(signature, origin)), origin + KEYS_PATH])) {
    const shown = Keys.safeParse(await fetchKeys(url).catch(() => undefined)).data?.keys ?? [];
    for (const key of shown.slice(0, MAX_KEYS).flatMap(publicPart)) if (await isSignedWith(card, key)) return key;
  }
  throw new Error(`its card is signed, but by no key that ${origin} shows`);
}

/** Where the signature says that its key is, if that is at the card's own origin. */
function placeOf({ protected: header }: AgentCard["signatures"][number], origin: string): string[] {
  try {
    const { jku } = decodeProtectedHeader({ protected: header });
    const url = URL.parse(jku ?? "");
    return url?.origin === origin ? [url.href] : [];
  } catch {
    return [];
  }
}

function publicPart(key: Readonly<Record<string, unknown>>): PublicKey[] {
  const fields = PUBLIC_FIELDS.flatMap((name) => {
    const value = key[name];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  const own = Object.fromEntries(fields);
  return KINDS.includes(own["kty"] ?? "") ? [own] : [];
}
