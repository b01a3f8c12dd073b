// What an API says about when to ask again: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), `retry-after-ms`.

/** Seconds from now; undefined where it does not say, or says nothing that can be understood. */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (ms > 0) return ms / 1000;
  const said = headers.get("retry-after");
  if (said === null) return undefined;
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return seconds > 0 ? seconds : undefined;
}

/** Whether it says when, be it at once. */
export function saysWhenToRetry(headers: Headers): boolean {
  const said = headers.get("retry-after");
  const isTime = said !== null && (Number(said) === 0 || !Number.isNaN(Date.parse(said)));
  return isTime || retryAfterSeconds(headers) !== undefined;
}

/** The same headers, from which the API client takes that it must not ask again. */
export function withoutRetry(headers: Headers): Headers {
  const changed = new Headers(headers);
  changed.set("x-should-retry", "false");
  return changed;
}
