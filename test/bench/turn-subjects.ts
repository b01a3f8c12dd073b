// Who answers in the turn section: Troupe, the peer and the floors. Each has a process of its own, so that none carries the sessions of
// another.
import { join } from "node:path";
import { message, type Question } from "./closed-loop.ts";
import type { Bench } from "./servers.ts";

export interface Subject {
  readonly name: string;
  readonly pid: number;
  /** existing: a request belongs to a session that was begun before. new: each begins one. none: there are none to tell apart. */
  readonly sessions: "existing" | "new" | "none";
  readonly request: (session?: string) => Question;
}

export const FLOOR = "in-memory floor";
export const DURABLE = "durable floor";
export const PEER_ONE = "cloudflare/agents, one object";
export const PEER_SESSION = "cloudflare/agents, an object a session";
export const PEER_NEW = "cloudflare/agents, an object a request";
export const EXISTING = "turn, session exists";
export const NEW = "turn, new session";

const JOB = join(import.meta.dirname, "jobs", "turn.yaml");

export async function startSubjects(bench: Bench): Promise<Subject[]> {
  const existing = await bench.deployVariant(JOB, "bench-turn-existing", "summarizer");
  const fresh = await bench.deployVariant(JOB, "bench-turn-new", "summarizer");
  const { modelUrl } = await bench.controlPlane();
  const express = await bench.reference("express-floor.ts", modelUrl);
  const durable = await bench.reference("workerd-floor.ts");
  const peer = () => bench.reference("peers/cloudflare-agents.ts", modelUrl);
  const [one, session, each] = [await peer(), await peer(), await peer()];
  const a2a = (url: string) => (contextId?: string) => ({
    url: `${url}/message:send`,
    body: message("hello", contextId),
  });
  const object = (url: string, nameOf: (session?: string) => string) => (session?: string) => ({
    url: `${url}/${nameOf(session)}`,
    body: message("hello"),
  });
  const newName = () => crypto.randomUUID();
  return [
    { name: FLOOR, pid: express.pid, sessions: "none", request: a2a(express.url) },
    {
      name: DURABLE,
      pid: durable.pid,
      sessions: "none",
      request: () => ({ url: durable.url, body: message("hello") }),
    },
    { name: PEER_ONE, pid: one.pid, sessions: "none", request: object(one.url, () => "everyone") },
    {
      name: PEER_SESSION,
      pid: session.pid,
      sessions: "existing",
      request: object(session.url, (id = newName()) => id),
    },
    { name: PEER_NEW, pid: each.pid, sessions: "new", request: object(each.url, newName) },
    { name: EXISTING, pid: existing.pid, sessions: "existing", request: a2a(existing.url) },
    { name: NEW, pid: fresh.pid, sessions: "new", request: a2a(fresh.url) },
  ];
}

/** Other neighbours in each round: every `round + 1`-th of a circle of seven, which no smaller number divides. */
export function inOrder(subjects: readonly Subject[], round: number): Subject[] {
  return subjects.map((subject, n) => subjects[(n * (round + 1) + round) % subjects.length] ?? subject);
}
