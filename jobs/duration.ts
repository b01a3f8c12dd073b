// Durations as job files and command lines write them; the trace store's settings write them alike.
export { checkedDurationMs, DURATION_PATTERN, durationMs } from "#shared/text/duration.ts";
