// The TLS between machines: two places of a plan, each with the configurations that a deployment writes for it, in real workerds. The Workers
// only say who they are, and ask others by their bindings.
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { parseHosts } from "#jobs/placement/hosts.ts";
import { loadJob } from "#jobs/load.ts";
import { planJob } from "#jobs/plan/plan.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { type Authority, ensureAuthority, issueCertificate } from "../../scripts/targets/hosts/keys/authority.ts";
import {
  AUTHORITY_FILE,
  certificateFile,
  certificateName,
  type HostFacts,
  hostProcesses,
  keyHolders,
} from "../../scripts/targets/hosts/release/host-processes.ts";
import { CONTROL_PLANE, OFFLINE_MODEL } from "../../scripts/targets/local/control-plane/worker-configs.ts";
import { foldersOf, renderConfig } from "../../scripts/targets/local/processes/capnp.ts";
import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { workerdBinary } from "../../scripts/targets/local/processes/workerd.ts";
import { eventually } from "../support/deployment.ts";

const JOB = `name: tls
agents:
  - { id: a, worker: searcher, target: first }
  - { id: b, worker: searcher, target: second }
  - { id: c, worker: searcher, target: second }
topology: { type: mesh }
execution: { entry_point: a }
`;
const HOSTS = parseHosts("[first]\nh1 address=127.0.0.2\n[second]\nh2 address=127.0.0.3", "hosts").hosts;

/** `?via=BINDING` asks by that binding. */
const WORKER = `
import { DurableObject } from "cloudflare:workers";
export class Session extends DurableObject {}
export default {
  async fetch(request, env) {
    const { host, searchParams } = new URL(request.url);
    const via = searchParams.get("via");
    if (via === null) return new Response((env.AGENT?.id ?? "control-plane") + " at " + host);
    return env[via].fetch("http://other/").catch((error) => new Response(String(error), { status: 502 }));
  },
};`;

const children: ChildProcess[] = [];
let root: string;
let authority: Authority;
let ports: number[];
let plan: Plan;

interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** By holder. */
const pairs = new Map<string, KeyPair>();

function planWith(loopback: Record<string, number>, tlsPorts: Record<string, number>): Plan {
  const loaded = loadJob(JOB, "job.yaml", {
    workers: ["searcher"],
    variables: new Set<string>(),
    placement: { hosts: HOSTS },
  });
  if ("mistakes" in loaded) throw new Error(loaded.mistakes[0]?.message);
  const objects = { searcher: ["Session"] };
  const placement = { hosts: HOSTS };
  return planJob(loaded.job, { hasAnthropicKey: false, ports: loopback, tlsPorts, objects, placement });
}

async function pairOf(issuer: Authority, name: string): Promise<KeyPair> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "pem" }).toString();
  const cert = await issueCertificate(issuer, { publicKey: spki, name });
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), cert };
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Starts the processes of a place, all but the model, in a folder like that of a host. */
async function startPlace(of: Plan, id: string, name: string, controlPlanePort: number): Promise<void> {
  const folder = join(root, name);
  const release = join(folder, "releases", "1");
  const place = of.places.find((candidate) => candidate.id === id);
  if (place === undefined) throw new Error(`There is no place ${id}`);
  await put(join(release, "worker.js"), WORKER);
  await put(join(release, AUTHORITY_FILE), authority.certificate);
  for (const holder of keyHolders(of, place)) {
    const pair = pairs.get(holder) ?? (await pairOf(authority, certificateName(of, holder)));
    pairs.set(holder, pair);
    await put(join(folder, "keys", holder, "tls.pem"), pair.key);
    await put(join(release, certificateFile(holder)), pair.cert);
  }
  const facts: HostFacts = {
    folder,
    module: () => "worker.js",
    controlPlaneObjects: ["Session"],
    controlPlanePort,
    release: 1,
    secrets: { key: "k".repeat(32), variables: {}, signing: {} },
    controlPlaneSecret: "s".repeat(32),
    settings: {},
  };
  for (const { name: process, config } of hostProcesses(of, place, facts)) {
    if (process === OFFLINE_MODEL) continue;
    for (const made of [...foldersOf(config), join(folder, "processes", process, "machine")])
      await mkdir(made, { recursive: true });
    const file = join(release, `config.${process}.capnp`);
    await writeFile(file, renderConfig(config));
    children.push(spawn(workerdBinary(), ["serve", file], { cwd: folder, stdio: "ignore" }));
  }
}

async function said(port: number, via?: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}/${via === undefined ? "" : `?via=${via}`}`);
  return [response.status, await response.text()];
}

const port = (index: number): number => ports[index] ?? 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "troupe-tls-"));
  authority = await ensureAuthority(join(root, "authority.json"), "tls");
  ports = await freePorts(10);
  const tlsPorts = { a: port(4), b: port(5), c: port(6), [CONTROL_PLANE]: port(7) };
  plan = planWith({ a: port(0), b: port(1), c: port(2) }, tlsPorts);
  await startPlace(plan, "h1", "h1", port(3));
  await startPlace(plan, "h2", "h2", port(3));
  // As h1, but b's address leads to c.
  const misled = planWith({ a: port(8), b: port(1), c: port(2) }, { ...tlsPorts, a: port(9), b: port(6), c: port(5) });
  const elsewhere = { ...misled, controlPlane: { ...misled.controlPlane, place: "h2" } };
  await startPlace(elsewhere, "h1", "misled", port(3));
  for (const index of [0, 1, 2, 3, 8])
    await eventually(async () => said(port(index)).catch(() => undefined), 15_000, `port ${index} answers`);
});

afterAll(async () => {
  await Promise.all(
    children.map(async (child) => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }),
  );
  await rm(root, { recursive: true, force: true });
});

test("agents of two machines reach each other, and each is asked by the name of its loopback listener", async () => {
  expect(await said(port(0), "PEER_B")).toEqual([200, `b at 127.0.0.1:${port(1)}`]);
  expect(await said(port(1), "PEER_A")).toEqual([200, `a at 127.0.0.1:${port(0)}`]);
});

test("the control plane is asked from both machines, and probes agents on both", async () => {
  const answer = [200, `control-plane at 127.0.0.1:${port(3)}`];
  expect([await said(port(0), "CONTROL_PLANE"), await said(port(1), "CONTROL_PLANE")]).toEqual([answer, answer]);
  expect(await said(port(3), "PROBE_A")).toEqual([200, `a at 127.0.0.1:${port(0)}`]);
  expect(await said(port(3), "PROBE_C")).toEqual([200, `c at 127.0.0.1:${port(2)}`]);
});

test("an agent does not take another agent's certificate for that of the one it asks", async () => {
  expect(await said(port(8), "PEER_B")).toEqual([502, expect.any(String)]);
  expect(await said(port(8), "PEER_C")).toEqual([502, expect.any(String)]);
  expect(await said(port(8), "CONTROL_PLANE")).toEqual([200, expect.any(String)]);
});

interface Client extends Partial<KeyPair>, Pick<RequestOptions, "maxVersion"> {}

/** How a's listener answers another machine: the body, or why there was none. */
async function knock({ key, cert, maxVersion }: Client): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const own = { ...(key && { key }), ...(cert && { cert }), ...(maxVersion && { maxVersion }) };
  const name = certificateName(plan, "a");
  const to = { host: "127.0.0.2", port: port(4), servername: name, ca: authority.certificate, timeout: 5_000 };
  const headers = { host: `127.0.0.1:${port(0)}` };
  const request = httpsRequest({ ...to, ...own, headers, agent: false }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve(text));
  });
  request.on("error", (error) => resolve(`refused: ${error.message}`));
  request.on("timeout", () => request.destroy(new Error("no answer in time")));
  request.end();
  return promise;
}

test("a listener for other machines takes a certificate of the job's authority", async () => {
  expect(await knock(pairs.get("b") ?? {})).toBe(`a at 127.0.0.1:${port(0)}`);
});

test("it refuses whoever shows no certificate", async () => {
  expect(await knock({})).toMatch(/^refused: .*(alert|ECONNRESET|hang up)/i);
});

test.each(["tls", "other"])("it refuses a certificate of another authority, of a job named %s", async (job) => {
  const other = await ensureAuthority(join(root, `authority-of-${job}.json`), job);
  expect(await knock(await pairOf(other, certificateName(plan, "b")))).toMatch(
    /^refused: .*(alert|ECONNRESET|hang up)/i,
  );
});

test("it refuses TLS 1.2", async () => {
  expect(await knock({ ...pairs.get("b"), maxVersion: "TLSv1.2" })).toMatch(
    /^refused: .*(protocol version|ECONNRESET)/i,
  );
});

test("it refuses plain HTTP", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const request = plainRequest({ host: "127.0.0.2", port: port(4), timeout: 5_000, agent: false }, (response) => {
    response.resume();
    resolve(`answered: ${response.statusCode}`);
  });
  request.on("error", (error: NodeJS.ErrnoException) => resolve(`refused: ${error.code}`));
  request.on("timeout", () => request.destroy(new Error("no answer in time")));
  request.end();
  expect(await promise).toMatch(/^refused: (ECONNRESET|HPE_)/);
});

test("the loopback listeners are not reached from other addresses", async () => {
  await expect(fetch(`http://127.0.0.2:${port(0)}/`)).rejects.toThrow("fetch failed");
});
