// Reads the body of an export within a size limit that holds for compressed and uncompressed bytes.
import { readBytes, readRequest } from "#shared/http/read-body.ts";

export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** Compressed bytes fed at once: deflate makes at most 1,032 bytes of one. */
const SLICE_BYTES = 4096;

export type Body =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly why: "too-large" | "too-slow" | "not-gzip" };

export async function readBody(request: Request, gzip: boolean): Promise<Body> {
  const packed = await readRequest(request, MAX_BODY_BYTES);
  if (packed === "too-large" || packed === "too-slow") return { ok: false, why: packed };
  return gzip ? unpack(packed) : { ok: true, bytes: packed };
}

async function unpack(packed: Uint8Array): Promise<Body> {
  const stream = new DecompressionStream("gzip");
  const fed = feed(stream.writable, packed);
  try {
    const bytes = await readBytes(stream.readable, MAX_BODY_BYTES);
    return bytes === "too-large" ? { ok: false, why: "too-large" } : { ok: true, bytes };
  } catch {
    return { ok: false, why: "not-gzip" };
  } finally {
    await fed;
  }
}

async function feed(stream: WritableStream<Uint8Array>, packed: Uint8Array): Promise<void> {
  const writer = stream.getWriter();
  try {
    for (let at = 0; at < packed.length; at += SLICE_BYTES) {
      await writer.write(packed.subarray(at, at + SLICE_BYTES));
    }
    await writer.close();
  } catch {
    // The reader has stopped, or reports the error itself.
  }
}
