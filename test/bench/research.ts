// The whole research question: four agents, found, asked and answered, on the offline model as jobs run it (20 ms to the first token).
import { measure, message } from "./closed-loop.ts";
import { residentMb } from "./processes.ts";
import type { Bench } from "./servers.ts";
import { figures, fixed, table } from "./table.ts";

const QUESTIONS = [
  "How do Durable Objects store data?",
  "What is an A2A agent card?",
  "How does OpenTelemetry relate to OTLP?",
  "What is prompt caching?",
];
const LEVELS = [
  { inFlight: 1, requests: 20 },
  { inFlight: 8, requests: 80 },
  { inFlight: 32, requests: 160 },
];

export async function research(bench: Bench): Promise<void> {
  const { url, pid } = await bench.deploy("research-assistant", "research-assistant", "coordinator");
  const next = (n: number) => ({ url: `${url}/message:send`, body: message(QUESTIONS[n % QUESTIONS.length] ?? "") });
  await measure({ requests: 4, inFlight: 1, next });
  const rows: string[][] = [];
  for (const { inFlight, requests } of LEVELS) {
    const measured = await measure({ requests, inFlight, next });
    rows.push(["research question", ...figures(inFlight, measured), fixed(await residentMb(pid), 0)]);
    if (measured.error !== undefined) console.log(`${measured.errors} errors, the first: ${measured.error}`);
  }
  console.log(table(["", "in flight", "p50 ms", "p95 ms", "p99 ms", "req/s", "errors", "RSS MB"], rows));
}
