// Texts that a secret signs (HMAC), and the header that bears a token.
import { createHmac, timingSafeEqual } from "node:crypto";

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

/** The token of an `Authorization: Bearer …` header; undefined for any other header. */
export function bearer(header: string | null | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(header ?? "")?.[1];
}
