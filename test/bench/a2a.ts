// What the protocol costs: streams of an agent of plain code, subscribers of one task, and who asks (admission.ts).
import { Agent, request } from "node:http";
import { join } from "node:path";
import { admission } from "./admission.ts";
import { quantile } from "./quantile.ts";
import type { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const JOB = join(import.meta.dirname, "../../jobs/tck.yaml");
const IN_FLIGHT = [1, 100, 1_000] as const;
/** Streams for each number in flight. */
const STREAMS = 2_000;
const WARM_UP = 200;
const SUBSCRIBERS = 1_000;
const HEADERS = { "content-type": "application/json", "a2a-version": "1.0" };

interface Streamed {
  /** Milliseconds from the first byte sent. */
  readonly firstMs: number;
  readonly wholeMs: number;
  /** When it ended, on the clock of performance.now(). */
  readonly endedAt: number;
  readonly text: string;
}

export async function a2a(bench: Bench): Promise<void> {
  const { url } = await bench.deploy(JOB, "tck", "tck");
  await streams(url, WARM_UP, 10);
  const rows: string[][] = [];
  for (const inFlight of IN_FLIGHT) rows.push(await streams(url, Math.max(200, STREAMS), inFlight));
  const head = ["streams in flight", "messages/s", "first byte p50 ms", "p99", "whole p50 ms", "p99", "errors"];
  console.log(table(head, rows));
  await subscribers(url);
  await admission();
}

async function streams(url: string, count: number, inFlight: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const seen: Streamed[] = [];
  let left = count;
  const begun = performance.now();
  const worker = async () => {
    while (left-- > 0) {
      const message = { messageId: `tck-stream-001-${crypto.randomUUID()}`, role: "ROLE_USER", parts: [{ text: "x" }] };
      seen.push(await streamed(agent, `${url}/message:stream`, "POST", JSON.stringify({ message })));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - begun) / 1_000;
  agent.destroy();
  const sorted = (of: (stream: Streamed) => number) => seen.map(of).toSorted((a, b) => a - b);
  const [first, whole] = [sorted(({ firstMs }) => firstMs), sorted(({ wholeMs }) => wholeMs)];
  const errors = seen.filter(({ text }) => !text.includes("TASK_STATE_COMPLETED")).length;
  const figures = [quantile(first, 0.5), quantile(first, 0.99), quantile(whole, 0.5), quantile(whole, 0.99)];
  return [String(inFlight), fixed(seen.length / seconds, 0), ...figures.map((ms) => fixed(ms, 1)), String(errors)];
}

/** All follow one task that works for five seconds. */
async function subscribers(url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: SUBSCRIBERS + 1 });
  const messageId = `test-resubscribe-message-id-${crypto.randomUUID()}`;
  const message = { messageId, role: "ROLE_USER", parts: [{ text: "x" }] };
  const opened = await streamed(
    agent,
    `${url}/message:send`,
    "POST",
    JSON.stringify({ message, configuration: { returnImmediately: true } }),
  );
  const id = /"id":"([^"]+)"/.exec(opened.text)?.[1] ?? "";
  const all = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, async () => streamed(agent, `${url}/tasks/${id}:subscribe`, "GET")),
  );
  agent.destroy();
  const whole = all.filter(({ text }) => text.includes("TASK_STATE_COMPLETED"));
  const ends = whole.map(({ endedAt }) => endedAt).toSorted((a, b) => a - b);
  const spread = (ends.at(-1) ?? Number.NaN) - (ends[0] ?? Number.NaN);
  console.log(
    `\n${SUBSCRIBERS} subscribers of one task: ${whole.length} saw its end; ${fixed(spread, 0)} ms between the first and the last`,
  );
}

function streamed(agent: Agent, url: string, method: string, body = ""): Promise<Streamed> {
  return new Promise((resolve) => {
    const sent = performance.now();
    let firstMs = Number.NaN;
    let text = "";
    const end = () => {
      const endedAt = performance.now();
      resolve({ firstMs, wholeMs: endedAt - sent, endedAt, text });
    };
    const asked = request(url, { method, agent, headers: HEADERS }, (response) => {
      response.setEncoding("utf8").on("data", (piece: string) => {
        if (text === "") firstMs = performance.now() - sent;
        text += piece;
      });
      response.on("end", end).on("error", end);
    });
    asked.on("error", end);
    asked.end(body);
  });
}
