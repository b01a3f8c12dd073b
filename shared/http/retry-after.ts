// Reads when an API may be called again: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110, section
// 10.2.3).

/** Seconds from now; undefined when absent, in the past, or malformed. */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (ms > 0) return ms / 1000;
  const said = headers.get("retry-after");
  if (said === null) return undefined;
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return seconds > 0 ? seconds : undefined;
}

/** Whether the headers name a time, also one that has passed. */
export function hasRetryTime(headers: Headers): boolean {
  const said = headers.get("retry-after");
  const isTime = said !== null && (Number(said) === 0 || !Number.isNaN(Date.parse(said)));
  return isTime || retryAfterSeconds(headers) !== undefined;
}

/** A copy of the headers that tells the API client not to retry. */
export function withoutRetry(headers: Headers): Headers {
  const changed = new Headers(headers);
  changed.set("x-should-retry", "false");
  return changed;
}
