// A counter on stderr, at most once a second, for work that takes longer.
import type { Io } from "../terminal/io.ts";

const EVERY_MS = 1_000;

/** Returns a function that takes the number of done items out of `total`. */
export function progress(io: Io, label: string, total: number): (done: number) => void {
  let next = Date.now() + EVERY_MS;
  return (done) => {
    if (Date.now() < next) return;
    next = Date.now() + EVERY_MS;
    io.note(`${label}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`);
  };
}
