// A deployed job that asks for keys: who gets in, how soon a revoked key is refused, and what happens while the control plane is away.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { controlPlaneLayout } from "../../scripts/targets/local/state/layout.ts";
import { endSupervised } from "../../scripts/targets/local/processes/supervisor.ts";
import { Deployment } from "../support/deployment.ts";
import { fourAgents, HUB_SPOKE, Status } from "./shapes.ts";

const JOB = "keyed";
const Made = z.object({ key: z.string() });
const JobStatus = Status.extend({ controlPlane: z.url() });
const VERSION = { "a2a-version": "1.0" };

let deployment: Deployment;
let status: z.infer<typeof JobStatus>;
beforeAll(async () => {
  deployment = await Deployment.create();
  const file = await deployment.write(`${JOB}.yaml`, fourAgents(JOB, `${HUB_SPOKE}\naccounts: required`));
  await deployment.succeed("deploy", file);
  status = JobStatus.parse(await deployment.json("status", JOB));
});
afterAll(async () => deployment.close());

async function makeKey(name: string, ...flags: string[]): Promise<string> {
  return Made.parse(await deployment.json("keys", "create", JOB, name, ...flags)).key;
}

/** The status of each agent's answer to a list of tasks. */
async function lists(key?: string): Promise<number[]> {
  const headers = { ...VERSION, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
  return Promise.all(status.agents.map(async ({ url }) => (await fetch(`${url}/tasks`, { headers })).status));
}

const ofAll = (code: number) => status.agents.map(() => code);

test("without a key every agent refuses, and the command line that deployed the job asks as before", async () => {
  expect(await lists()).toEqual(ofAll(401));
  expect(await deployment.succeed("query", JOB, "What is workerd?")).not.toBe("");
});

test("a key opens every agent, until it is revoked: then each refuses it", async () => {
  const key = await makeKey("laptop", "--scopes", "ask,read");
  expect(await lists(key)).toEqual(ofAll(200));
  const listed = await deployment.succeed("keys", "list", JOB);
  expect(listed).toMatch(/laptop +laptop +ask,read/);
  expect(listed).not.toContain(key);
  await deployment.succeed("keys", "revoke", JOB, "laptop");
  await expect.poll(async () => lists(key)).toEqual(ofAll(401));
  expect(await deployment.succeed("keys", "list", JOB)).toMatch(/revoked/);
});

test("a stream breaks off when its key is revoked", async () => {
  const slow = "model: { provider: offline, offline: { ttft: 600s } }";
  const file = await deployment.write("slow.yaml", fourAgents("slow", `${HUB_SPOKE}\naccounts: required\n${slow}`));
  await deployment.succeed("deploy", file);
  const { agents } = Status.parse(await deployment.json("status", "slow"));
  const { key } = Made.parse(await deployment.json("keys", "create", "slow", "streams"));
  const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "What is workerd?" }] };
  const response = await fetch(`${agents[0]?.url ?? ""}/message:stream`, {
    method: "POST",
    headers: { ...VERSION, "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ message }),
  });
  expect(response.status).toBe(200);
  await deployment.succeed("keys", "revoke", "slow", "streams");
  await expect(response.text()).rejects.toThrow(/./);
  await deployment.succeed("stop", "slow");
});

test("a key made as local sees what the command line has asked, another does not", async () => {
  const path = `${status.agents.find(({ id }) => id === "coordinator")?.url ?? ""}/tasks`;
  const tasks = async (key: string) => {
    const response = await fetch(path, { headers: { ...VERSION, authorization: `Bearer ${key}` } });
    return z.object({ tasks: z.array(z.unknown()) }).parse(await response.json()).tasks.length;
  };
  expect(await tasks(await makeKey("mine", "--as", "local"))).toBeGreaterThan(0);
  expect(await tasks(await makeKey("theirs"))).toBe(0);
});

test("a key with the scope operate reads the control plane", async () => {
  const [operator, reader] = [
    await makeKey("operator", "--scopes", "operate"),
    await makeKey("reader", "--scopes", "read"),
  ];
  const agents = async (key: string) =>
    (await fetch(`${status.controlPlane}/agents`, { headers: { authorization: `Bearer ${key}` } })).status;
  expect([await agents(operator), await agents(reader)]).toEqual([200, 403]);
});

test.each([
  [["create", JOB, "a", "--scopes", "everything"], /does not know "everything"/],
  [["create", JOB, "local"], /name "local" is taken/],
  [["create", JOB, "Mine"], /must hold only a-z, 0-9/],
  [["create", JOB, "a", "--as", "boss"], /--as takes local only/],
  [["create", JOB, "a", "--expires", "soon"], /takes a number and a unit/],
  [["revoke", JOB, "nobody"], /There is no key "nobody"/],
  [["list", "no-such-job"], /There is no job "no-such-job"/],
])("troupe keys %j says what is wrong", async (args, words) => {
  const { code, stderr } = await deployment.troupe("keys", ...args);
  expect([code, stderr]).toEqual([2, expect.stringMatching(words)]);
});

test("without the control plane a known key goes on, and one that nobody has seen gets a 503", async () => {
  const [known, unseen] = [await makeKey("known", "--scopes", "read"), await makeKey("unseen", "--scopes", "read")];
  expect(await lists(known)).toEqual(ofAll(200));
  await endSupervised([controlPlaneLayout(`${deployment.home}/.troupe`).registry]);
  expect(await lists(unseen)).toEqual(ofAll(503));
  expect(await lists(known)).toEqual(ofAll(200));
});
