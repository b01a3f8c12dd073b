// A stream for a person with a key: it breaks off when the key does not count any more.

/** How often that is looked at, in milliseconds: a revoked key has no stream left after five seconds. */
const LOOK_MS = 2_000;

/** `counts` resolves to whether the stream may go on. */
export function revocable(
  stream: ReadableStream<Uint8Array>,
  counts: () => Promise<boolean>,
  lookMs = LOOK_MS,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const revoked = new AbortController();
  const look = async () => {
    if (!(await counts())) revoked.abort(new Error("The key does not count any more."));
  };
  const timer = setInterval(() => void look(), lookMs);
  const end = () => clearInterval(timer);
  void stream.pipeTo(writable, { signal: revoked.signal }).then(end, end);
  return readable;
}
