// What tracing costs: the research question with tracing off, on, with full content, and with a collector to forward to; and
// whether many queries leave memory behind. Variants take turns, each time in another order and after a pause, so that neither what
// else the machine does nor what the one before has left to write meets always the same one.
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { measure, message } from "./closed-loop.ts";
import { cpuMs, residentMb } from "./processes.ts";
import { median } from "./quantile.ts";
import { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const RESEARCH = join(import.meta.dirname, "../../jobs/research-assistant.yaml");
const TURN = join(import.meta.dirname, "jobs/turn.yaml");
const MODEL = "model: { provider: offline, offline: { ttft: 200ms } }";
const VARIANTS = [
  { name: "off", more: "tracing: false" },
  { name: "on", more: "" },
  { name: "full content", more: "content: full" },
  { name: "forwarding", more: "", forwards: true },
] as const;
const ROUNDS = 3;
const PAUSE_MS = 2_000;
const LEVELS = [
  { inFlight: 1, requests: 8 },
  { inFlight: 32, requests: 96 },
];
const QUESTIONS = ["How do Durable Objects store data?", "What is an A2A agent card?", "What is prompt caching?"];

const HEAD = ["tracing", "in flight", "p50 ms", "p95 ms", "req/s", "p50 / off", "req/s / off", "CPU ms", "CPU / off"];

interface Round {
  readonly p50: number;
  readonly p95: number;
  readonly perSecond: number;
  /** Of agents, control plane and model, until they are quiet again. */
  readonly cpuMs: number;
}

interface Subject {
  readonly url: string;
  readonly pids: readonly number[];
}

export async function tracing(bench: Bench): Promise<void> {
  const collector = await startCollector();
  const forwarding = await Bench.create({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  try {
    const subjects = new Map<string, Subject>();
    for (const { name, more, ...variant } of VARIANTS) {
      const home = "forwards" in variant ? forwarding : bench;
      subjects.set(name, await deploySubject(home, `research-${name.replace(" ", "-")}`, more));
    }
    for (const level of LEVELS) await compare(subjects, level);
    console.log(`The collector took ${collector.requests()} requests.`);
  } finally {
    await forwarding.close();
    await collector.close();
  }
}

async function compare(
  subjects: ReadonlyMap<string, Subject>,
  { inFlight, requests }: (typeof LEVELS)[number],
): Promise<void> {
  const rounds = new Map<string, Round[]>();
  for (let round = 0; round <= ROUNDS; round++) {
    const turns = [...subjects];
    turns.push(...turns.splice(0, round % turns.length));
    for (const [name, { url, pids }] of turns) {
      const before = await cpuMs(...pids);
      const next = (n: number) => ({ url, body: message(QUESTIONS[n % QUESTIONS.length] ?? "") });
      const measured = await measure({ requests, inFlight, next });
      if (measured.error !== undefined) console.log(`${name}: ${measured.errors} errors, the first: ${measured.error}`);
      await delay(PAUSE_MS);
      const cpu = ((await cpuMs(...pids)) - before) / requests;
      // The first round warms up.
      if (round > 0) rounds.set(name, [...(rounds.get(name) ?? []), { ...measured, cpuMs: cpu }]);
    }
  }
  const of = (name: string, key: keyof Round) => median((rounds.get(name) ?? []).map((round) => round[key]));
  const rows = [...subjects.keys()].map((name) => [
    name,
    String(inFlight),
    fixed(of(name, "p50"), 0),
    fixed(of(name, "p95"), 0),
    fixed(of(name, "perSecond")),
    fixed(of(name, "p50") / of("off", "p50"), 3),
    fixed(of(name, "perSecond") / of("off", "perSecond"), 3),
    fixed(of(name, "cpuMs"), 1),
    fixed(of(name, "cpuMs") / of("off", "cpuMs"), 3),
  ]);
  console.log(table(HEAD, rows));
}

/** The research assistant with the model at 200 ms. */
async function deploySubject(bench: Bench, name: string, more: string): Promise<Subject> {
  const { url, pids } = await bench.deployVariant(RESEARCH, name, "coordinator", `${MODEL}\n${more}`);
  const { pid, modelPid } = await bench.controlPlane();
  return { url: `${url}/message:send`, pids: [...pids, pid, modelPid] };
}

/** Takes whatever it is sent. */
async function startCollector() {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume().on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

const QUERIES = 50_000;
const SESSIONS = 1_000;
const LOOKS = 5;

/** Memory of the agent's process and of the control plane's while many queries are answered in sessions that exist, without and with tracing. */
export async function tracingMemory(): Promise<void> {
  const rows: string[][] = [];
  for (const tracing of [false, true]) {
    const bench = await Bench.create();
    try {
      rows.push(...(await growth(bench, tracing)));
    } finally {
      await bench.close();
    }
  }
  console.log(table(["tracing", "queries", "req/s", "agent RSS MB", "control plane RSS MB"], rows));
}

async function growth(bench: Bench, tracing: boolean): Promise<string[][]> {
  const { url, pid } = await bench.deployVariant(TURN, "bench-turn", "summarizer", `tracing: ${tracing}`);
  const controlPlane = await bench.controlPlane();
  const sessions = Array.from({ length: SESSIONS }, () => crypto.randomUUID());
  const next = (n: number) => ({ url: `${url}/message:send`, body: message("hello", sessions[n % SESSIONS]) });
  const rows: string[][] = [];
  for (let look = 0; look <= LOOKS; look++) {
    const measured = await measure({ requests: look === 0 ? SESSIONS : QUERIES / LOOKS, inFlight: 32, next });
    if (measured.error !== undefined) console.log(`${measured.errors} errors, the first: ${measured.error}`);
    const queries = look === 0 ? SESSIONS : (look * QUERIES) / LOOKS;
    const memory = [await residentMb(pid), await residentMb(controlPlane.pid)];
    rows.push([
      tracing ? "on" : "off",
      String(queries),
      fixed(measured.perSecond, 0),
      ...memory.map((mb) => fixed(mb, 0)),
    ]);
  }
  return rows;
}
