// Somebody has all that lies on the searcher's host, and an account on the host of payments, too. A job over two real hosts shows how far
// that gets them: no further than the searcher itself.
import { X509Certificate } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { COMMAND_LINE, signRequest } from "#shared/a2a/peer-token.ts";
import { formatTaskId } from "#shared/a2a/task-id.ts";
import { newKeyText } from "#shared/control-plane/keys.ts";
import { tokenFor } from "#shared/control-plane/token.ts";

import { signedFetch } from "../../scripts/targets/local/state/command-line.ts";
import { jobLayout } from "../../scripts/targets/local/state/layout.ts";
import { readJobSecrets } from "../../scripts/targets/local/state/secrets.ts";
import { type JobState, readJobState } from "../../scripts/targets/local/state/state.ts";
import { controlPlaneCertificateName } from "../../scripts/targets/hosts/keys/names.ts";
import { noSshd, type SshHost } from "../support/ssh-host.ts";
import { type SshHosts, startSshHosts } from "../support/ssh-hosts.ts";
import { Answer } from "./shapes.ts";

const JOB = "stolen";
const FILE = `name: ${JOB}
agents:
  - { id: assistant, worker: desk, target: inside, description: Has invoices paid and looks things up }
  - { id: payments, target: inside, permissions: { ask: [pay_invoice] } }
  - { id: searcher, target: outside }
topology: { type: hub-spoke, hub: assistant, spokes: [payments, searcher] }
deployment: { timeout: 60s }
`;
const GROUPS = ["inside", "outside"];
const QUESTION = "Pay invoice 4711 over 120 EUR to ACME";
const Waiting = Answer.omit({ usage: true }).extend({ approvals: z.array(z.object({ id: z.string() })).min(1) });

/** What lies on the searcher's host and is of use elsewhere. */
interface Loot {
  readonly signing: string;
  readonly key: string;
  readonly token: string;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly ca: string;
}

let on: SshHosts;
/** Path of the host file. */
let hostFile: string;
let home: string;
let state: JobState;
let loot: Loot;
/** A task at payments. */
let waiting: z.infer<typeof Waiting>;

const host = (index: number): SshHost => {
  const found = on.hosts[index];
  if (found === undefined) throw new Error("There is no such host");
  return found;
};
const folderOf = ({ home: of }: SshHost): string => join(of, ".troupe", "jobs", JOB);
const urlOf = (agent: string): string => `http://127.0.0.1:${state.ports[agent] ?? 0}`;

describe.skipIf(noSshd())("whoever has the searcher's host", () => {
  beforeAll(async () => {
    on = await startSshHosts([{}, {}]);
    const groups = on.hosts.map(
      ({ destination, address }, index) => `[${GROUPS[index]}]\n${destination} address=${address}`,
    );
    hostFile = await on.deployment.write("hosts", groups.join("\n"));
    home = join(on.deployment.home, ".troupe");
    await on.deployment.succeed("deploy", await on.deployment.write("stolen.yaml", FILE), "--hosts", hostFile);
    const stored = await readJobState(home, JOB);
    if (stored === undefined) throw new Error("The job has no state");
    state = stored;
    loot = await steal(folderOf(host(1)));
    const asked = await on.deployment.troupe("query", JOB, QUESTION, "--agent", "payments", "--json");
    if (asked.code !== 3) throw new Error(`Payments asks for no approval: ${asked.stdout}${asked.stderr}`);
    waiting = Waiting.parse(JSON.parse(asked.stdout));
  });
  afterAll(async () => on[Symbol.asyncDispose]());

  test("finds no secret of anything else there", async () => {
    const secrets = await readJobSecrets(jobLayout(home, JOB).secrets);
    const authority = z
      .object({ privateKey: z.string() })
      .parse(JSON.parse(await readFile(jobLayout(home, JOB).authority, "utf8")));
    const pems = [authority.privateKey, ...(await contentsOf(join(folderOf(host(0)), "keys"), /tls\.pem$/))];
    const foreign = [
      secrets?.key,
      secrets?.controlPlane,
      secrets?.signing[COMMAND_LINE]?.private,
      ...pems.map((pem) => pem.split("\n")[2]),
      ...(await contentsOf(join(folderOf(host(0)), "keys"), /(signing|key)$/)),
      ...(await contentsOf(join(folderOf(host(0)), "secrets"), /\.env$/)).flatMap((text) =>
        Array.from(text.matchAll(/='([^']+)'/g), ([, value]) => value),
      ),
    ].map((value) => value?.trim() ?? "");
    // Of the deployment 3, of the authority and three holders 4, two keys of each of those 6, two tokens and the control plane's secret 3.
    expect(foreign.filter((value) => value.length > 20)).toHaveLength(16);
    const there = (await contentsOf(folderOf(host(1)), /./)).join("\n");
    expect(there).toContain(loot.signing);
    expect(foreign.filter((value) => there.includes(value))).toEqual([]);
  });

  test("is the only one of that machine who may enter the folders, the model's socket with them", async () => {
    for (const of of on.hosts) {
      const folders = (await readdir(folderOf(of), { recursive: true, withFileTypes: true })).filter((entry) =>
        entry.isDirectory(),
      );
      expect(folders.map(({ name }) => name)).toContain("offline-model");
      for (const { parentPath, name } of folders)
        expect([name, (await stat(join(parentPath, name))).mode & 0o077]).toEqual([name, 0]);
    }
  });

  test.each([
    ["nobody", () => undefined],
    ["the searcher", () => signed("searcher", ["searcher"])],
    ["the searcher for the assistant", () => signed("searcher", ["assistant", "searcher"])],
    ["the assistant", () => signed("assistant", ["assistant"])],
    ["payments itself", () => signed("payments", ["payments"])],
    ["the command line", () => signed(COMMAND_LINE, [])],
    ["the searcher at the control plane", () => loot.token],
    ["a person with a key", () => newKeyText(JOB, loot.key)],
  ])("approves nothing at payments as %s", async (_, token) => {
    const response = await fetch(`${urlOf("payments")}/message:send`, {
      method: "POST",
      headers: { ...VERSION, "content-type": "application/json", ...bearer(token()) },
      body: BODY(),
    });
    expect(response.status).toBe(401);
  });

  test.each(["/tasks", "/extendedAgentCard", "/sessions/list", "/neighbours", "/greeting", "/anything"])(
    "reads nothing of payments at %s",
    async (path) => {
      for (const from of ["searcher", "assistant", COMMAND_LINE]) {
        const chain = from === COMMAND_LINE ? [] : [from];
        const method = ["/sessions/list", "/neighbours", "/greeting"].includes(path) ? "POST" : "GET";
        const mandate = { from, to: "payments", job: JOB, principal: "local", chain };
        const token = signRequest(loot.signing, mandate, { method, path });
        const response = await fetch(urlOf("payments") + path, { method, headers: { ...VERSION, ...bearer(token) } });
        expect([from, response.status]).toEqual([from, 401]);
      }
    },
  );

  test("makes no id of a task: one signed with the searcher's key names none, for those who may ask, either", async () => {
    const forged = formatTaskId(
      loot.key,
      { agent: "payments", principal: "local" },
      { contextId: waiting.contextId, n: 1 },
    );
    const send = await deployer("payments");
    const look = async (id: string) => (await send(`${urlOf("payments")}/tasks/${id}`, { headers: VERSION })).status;
    expect([await look(waiting.taskId), await look(forged)]).toEqual([200, 404]);
  });

  test("does at the control plane what the searcher may, and no more", async () => {
    const card = { name: "x", description: "x", version: "1", url: "http://127.0.0.1:1", skills: [], intervalMs: 1000 };
    const trace = `/v1/traces/${waiting.traceId}`;
    const call = { query: "q", id: "payments:t:0:1" };
    const attempts: [number, string | undefined, string, string, object?][] = [
      [200, loot.token, "GET", "/agents"],
      [201, loot.token, "POST", "/agents/register", { ...card, id: "searcher" }],
      [403, loot.token, "POST", "/agents/register", { ...card, id: "payments" }],
      [403, loot.token, "POST", "/agents/payments/heartbeat"],
      [403, loot.token, "DELETE", "/agents/payments"],
      [403, loot.token, "GET", "/v1/traces"],
      [403, loot.token, "GET", trace],
      [403, loot.token, "GET", `${trace}/otlp`],
      [403, loot.token, "DELETE", trace],
      [403, loot.token, "DELETE", "/v1/traces?before=2100-01-01T00:00:00Z"],
      [403, loot.token, "GET", "/v1/keys"],
      [403, loot.token, "POST", "/v1/keys", { name: "mine", scopes: ["approve"], as: "local" }],
      [403, loot.token, "POST", "/v1/budgets/cut", call],
      [401, undefined, "GET", "/agents"],
      [401, tokenFor(loot.key, JOB), "GET", "/v1/keys"],
      [401, tokenFor(loot.key, JOB, "payments"), "POST", "/agents/payments/heartbeat"],
      [401, loot.token.replace("searcher", "payments"), "POST", "/agents/payments/heartbeat"],
      [401, newKeyText(JOB, loot.key), "GET", "/v1/traces"],
    ];
    for (const [status, token, method, path, body] of attempts)
      expect([method, path, await overTls(token, method, path, body)]).toEqual([method, path, status]);
  });

  test("has left the approval as it was: the person who asked gives it, and it is paid once", async () => {
    const paid = async () =>
      (await on.deployment.succeed("query", JOB, "Which payments were made?", "--agent", "payments")).match(
        /invoice 4711/g,
      );
    expect(await paid()).toBeNull();
    const [approval] = waiting.approvals;
    await on.deployment.succeed(
      "query",
      JOB,
      "--agent",
      "payments",
      "--task",
      waiting.taskId,
      "--allow",
      approval?.id ?? "",
    );
    expect(await paid()).toHaveLength(1);
  });

  test.each([
    ["/health", 200],
    ["/.well-known/agent-card.json", 200],
    ["/.well-known/jwks.json", 200],
    ["/tasks", 401],
    ["/extendedAgentCard", 401],
    ["/anything", 401],
  ])("and without a token, an account on the machine of payments gets at %s a %i", async (path, status) => {
    expect((await fetch(urlOf("payments") + path, { headers: VERSION })).status).toBe(status);
  });

  test("health tells names, load and what fails, and nothing else", async () => {
    const health = await (await fetch(`${urlOf("payments")}/health`)).json();
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(health)).toSorted()).toEqual(
      ["agent", "breakers", "job", "registered", "status", "turns"].toSorted(),
    );
  });

  test("finds certificates that end when status says", async () => {
    const { certificatesEnd } = z
      .object({ certificatesEnd: z.iso.datetime() })
      .parse(await on.deployment.json("status", JOB));
    const end = Date.parse(new X509Certificate(loot.tls.cert).validTo);
    expect(Math.abs(Date.parse(certificatesEnd) - end)).toBeLessThan(10 * 60_000);
  });

  test("has nothing that counts once the secrets are made anew, as docs/security.md says", async () => {
    const { secrets, authority } = jobLayout(home, JOB);
    for (const path of [secrets, authority, join(folderOf(host(1)), "keys", "searcher")])
      await rm(path, { recursive: true });
    const file = join(on.deployment.home, "stolen.yaml");
    await on.deployment.succeed("deploy", file, "--hosts", hostFile);
    await expect(overTls(loot.token, "GET", "/agents")).rejects.toThrow(/certificate|alert|signature/i);
    const url = `http://127.0.0.1:${state.hosts?.controlPlanePort ?? 0}/agents`;
    expect((await fetch(url, { headers: bearer(loot.token) })).status).toBe(401);
    expect((await steal(folderOf(host(1)))).signing).not.toBe(loot.signing);
  });
});

const VERSION = { "a2a-version": "1.0" };

const BODY = () =>
  JSON.stringify({
    message: {
      messageId: "m",
      taskId: waiting.taskId,
      contextId: waiting.contextId,
      role: "ROLE_USER",
      parts: [{ text: `allow ${waiting.approvals[0]?.id ?? ""}` }],
    },
  });

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** The approval, as this sender would send it. */
function signed(from: string, chain: string[]): string {
  const mandate = { from, to: "payments", job: JOB, principal: "local", chain };
  return signRequest(loot.signing, mandate, {
    method: "POST",
    path: "/message:send",
    body: BODY(),
    messageId: "m",
  });
}

/** The command line that has deployed the job, as a caller of an agent. Both are on one machine here. */
async function deployer(agent: string): Promise<typeof fetch> {
  return signedFetch(home, JOB, urlOf(agent));
}

async function steal(folder: string): Promise<Loot> {
  const read = async (...path: string[]) => (await readFile(join(folder, ...path), "utf8")).trim();
  const [environment = ""] = await contentsOf(join(folder, "secrets"), /all-agents\.env$/);
  return {
    signing: await read("keys", "searcher", "signing"),
    key: await read("keys", "searcher", "key"),
    token: /TROUPE_TOKEN__SEARCHER='([^']+)'/.exec(environment)?.[1] ?? "",
    tls: { key: await read("keys", "searcher", "tls.pem"), cert: await read("releases", "1", "searcher.pem") },
    ca: await read("releases", "1", "ca.pem"),
  };
}

/** The texts of all files below a folder whose path matches. */
async function contentsOf(folder: string, path: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(files.filter((file) => path.test(file)).map(async (file) => readFile(file, "latin1")));
}

/** The status of the control plane's answer to the searcher's machine. */
async function overTls(token: string | undefined, method: string, path: string, body?: object): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = httpsRequest(
    {
      host: host(0).address,
      port: state.hosts?.tlsPorts["control-plane"],
      servername: controlPlaneCertificateName(JOB),
      ...loot.tls,
      ca: loot.ca,
      agent: false,
      method,
      path,
      headers: {
        host: `127.0.0.1:${state.hosts?.controlPlanePort ?? 0}`,
        ...bearer(token),
        ...(body && { "content-type": "application/json" }),
      },
    },
    (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    },
  );
  request.on("error", reject);
  request.end(body && JSON.stringify(body));
  return promise;
}
