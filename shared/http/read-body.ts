// Reads bodies within limits of size and time.

/** How long a client may take to send a request's body. */
export const BODY_LIMIT_MS = 30_000;

/** Reads a request's body of at most `limitBytes` that arrives within `limitMs` milliseconds. */
export async function readRequest(
  request: Request,
  limitBytes: number,
  limitMs = BODY_LIMIT_MS,
): Promise<Uint8Array | "too-large" | "too-slow"> {
  const declared = request.headers.get("content-length");
  if (Number(declared) > limitBytes) return "too-large";
  const late = Promise.withResolvers<"too-slow">();
  const timer = setTimeout(() => late.resolve("too-slow"), limitMs);
  // HTTP holds the client to a declared length; without one, the bytes are counted.
  const read = declared === null ? readBytes(request.body, limitBytes) : request.bytes();
  try {
    return await Promise.race([read, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a body of at most `limitBytes`. Stops reading, and cancels the stream, at the limit. */
export async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Uint8Array | "too-large"> {
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Returning from the loop cancels the stream.
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
