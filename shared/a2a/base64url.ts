// base64url (RFC 4648, section 5), without padding. Uses web APIs only: Workers and Node type `Buffer` differently.

export function toBase64url(text: string): string {
  return bytesToBase64url(new TextEncoder().encode(text));
}

export function bytesToBase64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The decoded text; undefined for anything but base64url of UTF-8. */
export function fromBase64url(encoded: string): string | undefined {
  const bytes = bytesFromBase64url(encoded);
  try {
    return bytes && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // The caller reports it.
  }
}

/** The decoded bytes; undefined for anything but base64url. */
export function bytesFromBase64url(encoded: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = new Uint8Array(binary.length);
    for (let n = 0; n < bytes.length; n++) bytes[n] = binary.charCodeAt(n);
    return bytes;
  } catch {
    return undefined; // The caller reports it.
  }
}
