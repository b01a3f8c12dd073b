// Measures jobs of 4, 11 and 30 agents on one host and on three, and prints tables. Run as a program of its own (../hosts.ts).
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import setup from "../../e2e/prebuilt.ts";
import { Answer, Status } from "../../e2e/shapes.ts";
import { type HostNetwork, startHostNetwork } from "../../support/network/host-network.ts";
import { isInside } from "../../support/network/namespaces.ts";
import { onHost } from "../../support/network/network.ts";
import { type SshHosts, startSshHosts } from "../../support/ssh-hosts.ts";
import { type Aim, aims } from "../aims.ts";
import { median } from "../quantile.ts";
import { fixed, table } from "../table.ts";
import { teamFile } from "../team-file.ts";

const JOB = "measured";
const MBITS = 100;
const ROUND_TRIP_MS = 20;
const QUESTIONS = 9;
const QUESTION = "What is a Durable Object?";

interface Deployed {
  readonly seconds: number;
  /** Received by the hosts; NaN over loopback. */
  readonly bytes: number;
  readonly gapMs: number;
}

interface Measured {
  readonly agents: number;
  readonly hosts: number;
  readonly first: Deployed;
  readonly unchanged: Deployed;
  readonly changed: Deployed;
  readonly back: Deployed;
  readonly questionMs: number;
}

type Hosts = SshHosts & { readonly network?: HostNetwork["network"] };

async function start(count: number): Promise<Hosts> {
  if (!isInside()) return startSshHosts(Array.from({ length: count }, () => ({ isFresh: true })));
  const all = await startHostNetwork(count, { shaped: true, mbits: MBITS });
  for (const { destination } of all.hosts) await all.network.shape(destination, { roundTripMs: ROUND_TRIP_MS });
  return all;
}

async function measure(agents: number, count: number): Promise<Measured> {
  await using all = await start(count);
  const { deployment } = all;
  const file = await deployment.write("job.yaml", teamFile(JOB, { agents, maxTurns: 20 }));
  const changedFile = await deployment.write("changed.yaml", teamFile(JOB, { agents, maxTurns: 21 }));
  const hostFile = await all.hostFile(Math.ceil(agents / count));
  const deploy = async (job: string) => deployed(all, ["deploy", job, "--hosts", hostFile]);
  const first = await deploy(file);
  const times: number[] = [];
  for (let n = 0; n < QUESTIONS; n++)
    times.push(Answer.parse(await deployment.json("query", JOB, QUESTION)).durationMs);
  const unchanged = await deploy(file);
  const changed = await deploy(changedFile);
  const back = await deployed(all, ["rollback", JOB]);
  return { agents, hosts: count, first, unchanged, changed, back, questionMs: median(times) };
}

async function deployed(all: Hosts, args: readonly string[]): Promise<Deployed> {
  const before = await received(all);
  const gap = await watchGap(all);
  const begun = performance.now();
  await all.deployment.succeed(...args);
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, bytes: (await received(all)) - before, gapMs: await gap() };
}

/** Bytes that all hosts have received, whoever sent them. */
async function received({ hosts, network }: Hosts): Promise<number> {
  if (network === undefined) return Number.NaN;
  const each = hosts.map(async ({ destination }) => network.received(destination));
  return (await Promise.all(each)).reduce((sum, bytes) => sum + bytes, 0);
}

/** Watches the entry point, where it runs. The result resolves to its longest silence. */
async function watchGap({ deployment, hosts, network }: Hosts): Promise<() => Promise<number>> {
  const { code, stdout } = await deployment.troupe("status", JOB, "--json");
  const entry = code === 0 ? Status.parse(JSON.parse(stdout)).agents.find(({ id }) => id === "coordinator") : undefined;
  const host = hosts.find(({ destination }) => destination === entry?.place);
  if (entry === undefined || host === undefined) return async () => Number.NaN;
  const program = [process.execPath, join(import.meta.dirname, "gap.ts"), `${entry.url}/health`];
  const [command = "", ...args] = network === undefined ? program : [...onHost(host.destination), ...program];
  const child: ChildProcess = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  return async () => {
    child.kill();
    await once(child, "close");
    return Number(said);
  };
}

const cleanUp = await setup();
console.log(`Load of the machine before: ${(await readFile("/proc/loadavg", "utf8").catch(() => "–")).trim()}`);
console.log(
  isInside() ? `${MBITS} Mbit/s and ${ROUND_TRIP_MS} ms to each host, twice that between two\n` : "Loopback\n",
);
const all: Measured[] = [];
for (const agents of [4, 11, 30]) {
  for (const count of [1, 3]) {
    const measured = await measure(agents, count);
    all.push(measured);
    const row = (what: string, { seconds, bytes, gapMs }: Deployed) => [
      what,
      fixed(seconds, 1),
      fixed(bytes / 1000, 0),
      fixed(gapMs, 0),
    ];
    const rows = [
      row("first", measured.first),
      row("unchanged", measured.unchanged),
      row("one agent changed", measured.changed),
      row("rollback", measured.back),
    ];
    console.log(`${agents} agents on ${count} host${count > 1 ? "s" : ""}`);
    console.log(`${table(["deployment", "s", "kB received", "gap ms"], rows)}\n`);
  }
}
const alone = all.find(({ agents, hosts }) => agents === 4 && hosts === 1);
const apart = all.find(({ agents, hosts }) => agents === 4 && hosts === 3);
const eleven = all.filter(({ agents }) => agents === 11);
/** Three agents are asked, and each question is a new request on a connection that may be new: TCP, TLS, request. */
const MOST_ROUND_TRIPS = 9;
const between = isInside() ? 2 * ROUND_TRIP_MS : 0;
const list: Aim[] = [
  { what: "unchanged, slowest, s", most: 1, values: [Math.max(...all.map(({ unchanged }) => unchanged.seconds))] },
  {
    what: "unchanged, most received, kB",
    most: 200,
    values: [Math.max(...all.map(({ unchanged }) => unchanged.bytes / 1000))],
  },
  { what: "11 agents, fresh host, s", most: 15, values: eleven.map(({ first }) => first.seconds) },
  { what: "11 agents, one changed, s", most: 3, values: eleven.map(({ changed }) => changed.seconds) },
  {
    what: "question over hosts, more than on one, ms",
    most: MOST_ROUND_TRIPS * between + 50,
    values: [(apart?.questionMs ?? Number.NaN) - (alone?.questionMs ?? Number.NaN)],
    digits: 0,
  },
];
console.log(
  `a question: ${fixed(alone?.questionMs, 0)} ms on one host, ${fixed(apart?.questionMs, 0)} ms over three\n`,
);
console.log(aims(list));
await cleanUp?.();
