// Sessions to spread turns over: so many that a long transcript is not what is measured.
import { setTimeout as delay } from "node:timers/promises";
import { measure, type Load } from "./closed-loop.ts";
import type { Subject } from "./turn-subjects.ts";

/** Turns a session has at most, the one that begins it included. */
const TURNS_A_SESSION = 8;
/** For what goes on after the last answer, so that it counts where it belongs. */
export const SETTLE_MS = 300;

/** Begins the sessions that a subject of existing ones needs for such a load. Resolves to its requests. */
export async function openSessions(
  { name, sessions, request }: Subject,
  { inFlight, requests }: Pick<Load, "inFlight" | "requests">,
): Promise<Load["next"]> {
  if (sessions !== "existing") return () => request();
  const count = Math.max(inFlight, Math.ceil(requests / (TURNS_A_SESSION - 1)));
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  const { error } = await measure({ requests: count, inFlight, next: (n) => request(ids[n]) });
  if (error !== undefined) throw new Error(`A session of ${name} cannot be begun: ${error}`);
  await delay(SETTLE_MS);
  return (n) => request(ids[n % count]);
}
