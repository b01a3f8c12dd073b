// Reads bodies whose size and speed the sender chooses.

/** Milliseconds that a client may take to send the body of a request. */
export const BODY_LIMIT_MS = 30_000;

/** A request's body of at most `limitBytes`, if it is there within `limitMs` milliseconds. */
export async function readRequest(
  request: Request,
  limitBytes: number,
  limitMs = BODY_LIMIT_MS,
): Promise<Uint8Array | "too-large" | "too-slow"> {
  const declared = request.headers.get("content-length");
  if (Number(declared) > limitBytes) return "too-large";
  const late = Promise.withResolvers<"too-slow">();
  const timer = setTimeout(() => late.resolve("too-slow"), limitMs);
  // HTTP holds a client to the length that it declares; without one the bytes are counted as they come.
  const read = declared === null ? readBytes(request.body, limitBytes) : request.bytes();
  try {
    return await Promise.race([read, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a body of at most `limitBytes`; a longer one is cut off where the limit is passed. */
export async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Uint8Array | "too-large"> {
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > limitBytes) return "too-large";
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
