// A closed-loop load generator: so many requests in flight, each next one when another is answered. Bounded in count; loopback only.
import { Agent, request } from "node:http";

export interface Load {
  readonly requests: number;
  readonly inFlight: number;
  /** The n-th request, from 0. */
  readonly next: (n: number) => { readonly url: string; readonly body: string };
}

export interface Measured {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly errors: number;
  /** What the first error was. */
  readonly error: string | undefined;
}

const HEADERS = { "content-type": "application/json", "a2a-version": "1.0" };

/** Latencies in milliseconds, from the first byte sent to the last byte received. */
export async function measure({ requests, inFlight, next }: Load): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const latencies: number[] = [];
  const errors: string[] = [];
  let n = 0;
  const begun = performance.now();
  const worker = async () => {
    while (n < requests) {
      const { url, body } = next(n++);
      const sent = performance.now();
      const problem = await post(agent, url, body);
      latencies.push(performance.now() - sent);
      if (problem !== undefined) errors.push(problem);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - begun) / 1000;
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? Number.NaN;
  return {
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    perSecond: requests / seconds,
    errors: errors.length,
    error: errors[0],
  };
}

/** Resolves to what was wrong with the response; undefined for a task that completed. */
function post(agent: Agent, url: string, body: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request(
      url,
      { method: "POST", agent, headers: { ...HEADERS, "content-length": Buffer.byteLength(body) } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", (error) => resolve(error.message));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const failed = response.statusCode !== 200 || text.includes("TASK_STATE_FAILED");
          resolve(failed ? `${response.statusCode}: ${text.slice(0, 300)}` : undefined);
        });
      },
    );
    sent.on("error", (error) => resolve(error.message));
    sent.end(body);
  });
}

/** The JSON of a SendMessage over HTTP+JSON; a new session unless a contextId is given. */
export function message(text: string, contextId?: string): string {
  const ids = { messageId: crypto.randomUUID(), ...(contextId === undefined ? {} : { contextId }) };
  return JSON.stringify({ message: { ...ids, role: "ROLE_USER", parts: [{ text }] } });
}
