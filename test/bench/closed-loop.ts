// A closed-loop load generator: so many requests in flight, each next one when another is answered. Bounded in count; loopback only.
import { Agent, request } from "node:http";
import { quantile } from "./quantile.ts";

export interface Load {
  readonly requests: number;
  readonly inFlight: number;
  /** No request is sent later, so that a slow server makes fewer requests, not a longer measurement. */
  readonly limitMs?: number;
  /** The n-th request, from 0. */
  readonly next: (n: number) => Question;
}

export interface Question {
  readonly url: string;
  readonly body: string;
  /** Text that the response has to hold. */
  readonly expects?: string;
}

export interface Measured {
  /** Answered, or failed. */
  readonly requests: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly errors: number;
  /** What the first error was. */
  readonly error: string | undefined;
}

/** No request waits longer for its answer. */
const PATIENCE_MS = 300_000;
const HEADERS = { "content-type": "application/json", "a2a-version": "1.0" };

/** Latencies in milliseconds, from the first byte sent to the last byte received. */
export async function measure({ requests, inFlight, limitMs = Infinity, next }: Load): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const latencies: number[] = [];
  const errors: string[] = [];
  let n = 0;
  const begun = performance.now();
  const worker = async () => {
    while (n < requests && performance.now() - begun < limitMs) {
      const question = next(n++);
      const sent = performance.now();
      const found = await post(agent, question);
      latencies.push(performance.now() - sent);
      if (found !== undefined) errors.push(found);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - begun) / 1000;
  agent.destroy();
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    p50: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    p99: quantile(latencies, 0.99),
    perSecond: latencies.length / seconds,
    errors: errors.length,
    error: errors[0],
  };
}

/** Resolves to what was wrong with the response; undefined for a task that completed. */
function post(agent: Agent, { url, body, expects = "" }: Question): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request(
      url,
      { method: "POST", agent, headers: { ...HEADERS, "content-length": Buffer.byteLength(body) } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", (error) => resolve(error.message));
        response.on("end", () => resolve(problem(response.statusCode, Buffer.concat(chunks).toString(), expects)));
      },
    );
    sent.on("error", (error) => resolve(error.message));
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error(`There was no answer within ${PATIENCE_MS} ms.`)));
    sent.end(body);
  });
}

function problem(status: number | undefined, response: string, expects: string): string | undefined {
  // A failed task says why in its first text, and a completed one its answer.
  const said = /"text":"((?:[^"\\]|\\.)*)"/.exec(response)?.[1] ?? response;
  if (status !== 200 || response.includes("TASK_STATE_FAILED")) return `${status}: ${said.slice(0, 500)}`;
  return response.includes(expects) ? undefined : `another answer, at its end: ${said.slice(-500)}`;
}

/** The JSON of a SendMessage over HTTP+JSON; a new session unless a contextId is given. */
export function message(text: string, contextId?: string): string {
  const ids = { messageId: crypto.randomUUID(), ...(contextId === undefined ? {} : { contextId }) };
  return JSON.stringify({ message: { ...ids, role: "ROLE_USER", parts: [{ text }] } });
}
