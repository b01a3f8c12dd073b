// Durations, tokens, costs and moments as people write them.

/** Microseconds in the unit that suits them: 320 µs, 3.2 ms, 410 ms, 1.24 s, 2 min 5 s, 3 h 12 min, 2 d 4 h. */
export function duration(us: number): string {
  const size = Math.abs(us);
  if (size < 1_000) return `${Math.round(us)} µs`;
  if (size < 9_950) return `${(us / 1_000).toFixed(1)} ms`;
  if (size < 999_500) return `${Math.round(us / 1_000)} ms`;
  if (size < 59_995_000) return `${(us / 1_000_000).toFixed(2)} s`;
  const seconds = Math.round(us / 1_000_000);
  if (size < 3_599_500_000) return inTwo(seconds, 60, "min", "s");
  const minutes = Math.round(seconds / 60);
  if (Math.abs(minutes) < 24 * 60) return inTwo(minutes, 60, "h", "min");
  return inTwo(Math.round(minutes / 60), 24, "d", "h");
}

/** Time that still runs, in microseconds: 0.4 s, 12 s, 2 min 5 s. Without digits that only flicker. */
export function elapsed(us: number): string {
  const seconds = Math.max(0, us) / 1_000_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  return seconds < 60 ? `${Math.floor(seconds)} s` : duration(Math.floor(seconds) * 1_000_000);
}

/** 820, 1.2k, 45k, 1.3M. */
export function tokens(count: number): string {
  const size = Math.abs(count);
  if (size < 1_000) return String(Math.round(count));
  if (size < 9_950) return `${(count / 1_000).toFixed(1)}k`;
  if (size < 999_500) return `${Math.round(count / 1_000)}k`;
  return `${(count / 1_000_000).toFixed(1)}M`;
}

/** US dollars; a dash for an unknown cost. */
export function cost(usd: number | null): string {
  if (usd === null) return "-";
  const size = Math.abs(usd);
  const sign = usd < 0 ? "-" : "";
  if (size === 0) return "$0";
  if (size < 0.000_1) return `${sign}<$0.0001`;
  return `${sign}$${size.toFixed(size < 0.1 ? 4 : 2)}`;
}

/** "12 s ago" within the last hour, else the local date and time. Both in milliseconds since the epoch. */
export function when(moment: number, now: number): string {
  const seconds = Math.round((now - moment) / 1_000);
  if (seconds >= 0 && seconds < 60) return `${seconds} s ago`;
  if (seconds >= 60 && seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  const date = new Date(moment);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
  return `${day} ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
}

/** "1 span", "3 spans". */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function inTwo(amount: number, base: number, large: string, small: string): string {
  const [whole, rest] = [Math.trunc(amount / base), Math.abs(amount % base)];
  return rest === 0 ? `${whole} ${large}` : `${whole} ${large} ${rest} ${small}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
