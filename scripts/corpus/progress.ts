// A counter on stderr, once a second at most, and only for what takes longer than that.
import type { Io } from "../terminal/io.ts";

const EVERY_MS = 1_000;

/** A function to call with how many of `total` are done. */
export function progress(io: Io, label: string, total: number): (done: number) => void {
  let next = Date.now() + EVERY_MS;
  return (done) => {
    if (Date.now() < next) return;
    next = Date.now() + EVERY_MS;
    io.note(`${label}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`);
  };
}
