// A job that asks an agent of another job by the address of its card, as any A2A agent: with and without keys, and after a change of keys.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { Deployment } from "../support/deployment.ts";
import { lastResults, MessagesApi, saidLast, type Script } from "../support/messages-api.ts";
import { Waiting } from "./approval-job.ts";
import { addressesSeen } from "./scripted.ts";
import { Answer, Status } from "./shapes.ts";

const Remotes = z.object({ remotes: z.array(z.object({ id: z.string(), url: z.url(), reachable: z.boolean() })) });
const Made = z.object({ key: z.string() });
const OFFLINE = "model: { provider: offline }\n";
/** The deployment takes the key for the other job from here. */
const TOKEN = "THEIR_TOKEN";

let api: MessagesApi;
let deployment: Deployment;
let theirUrl: string;
beforeAll(async () => {
  api = await MessagesApi.start();
  deployment = await Deployment.create({ ...api.environment, [TOKEN]: "not yet known" });
  theirUrl = await deployTheirs("");
});
afterAll(async () => {
  await deployment.close();
  await api.close();
});

function job(name: string, agents: string, fields: string): string {
  return `name: ${name}
agents:
${agents}
model: { provider: anthropic }
heartbeat: { interval: 500ms }
${fields}
`;
}

/** Deploys the job that is asked, and returns the address of its agent. */
async function deployTheirs(fields: string): Promise<string> {
  const agents = "  - { id: weather, worker: coordinator, model: { name: weather } }";
  await deployment.succeed(
    "deploy",
    await deployment.write("theirs.yaml", job("theirs", agents, `topology: { type: mesh }\n${fields}`)),
  );
  const { agents: deployed } = Status.parse(await deployment.json("status", "theirs"));
  return deployed[0]?.url ?? "";
}

/** The job that asks. */
async function ours(remote: string): Promise<string> {
  const agents = `  - { id: asker, worker: coordinator, model: { name: asker } }\n  - { id: forecast, ${remote} }`;
  return deployment.write(
    "ours.yaml",
    job("ours", agents, "topology: { type: hub-spoke, hub: asker, spokes: [forecast] }"),
  );
}

const passOn: Script = function* (call) {
  const said = saidLast(call);
  if (said !== "") yield { tool: "query_agent", input: { agent: "forecast", message: said } };
  else yield { text: `I was told: ${lastResults(call)[0]?.text ?? ""}` };
};

async function asked(question: string): Promise<string> {
  api.script("asker", passOn);
  return Answer.parse(await deployment.json("query", "ours", question)).answer;
}

test("an agent of another job answers as any agent does, and no model sees its address", async () => {
  await deployment.succeed("deploy", await ours(`remote: "${theirUrl}"`));
  const calls = api.script("weather", function* (call) {
    yield { text: `Rain, as to "${saidLast(call)}".` };
  });
  expect(await asked("And tomorrow?")).toContain('I was told: Rain, as to "And tomorrow?".');
  expect(calls).toHaveLength(1);
  const own = api.script("asker", passOn);
  await deployment.succeed("query", "ours", "Again?");
  expect(addressesSeen(own, new Map([["weather", theirUrl]]))).toEqual([]);
  const card = `${theirUrl}/.well-known/agent-card.json`;
  expect(Remotes.parse(await deployment.json("status", "ours")).remotes).toEqual([
    expect.objectContaining({ id: "forecast", url: card, reachable: true }),
  ]);
  expect(await deployment.succeed("plan", await ours(`remote: "${theirUrl}"`))).toContain(card);
});

test("each job has its part of the trace, and that of the job that asked comes first", async () => {
  const { traceId } = Answer.parse(await deployment.json("query", "ours", "Once more?"));
  // Spans come a moment after the answer.
  const theirs = ["traces", "show", traceId, "--job", "theirs"];
  await expect.poll(async () => (await deployment.troupe(...theirs)).stdout).toContain("weather");
  const { code, stdout, stderr } = await deployment.troupe("traces", "show", traceId);
  expect([code, stdout]).toEqual([0, expect.stringContaining("query_agent")]);
  expect(stderr).toContain("Shown is what ours did. Others went on: ");
});

test("it remembers a conversation that goes on, and begins a new one otherwise", async () => {
  const calls = api.script("weather", function* () {
    yield { text: "Noted." };
  });
  const turns = [{}, { thread: 1 }, {}];
  const script: Script = function* (call) {
    const said = saidLast(call);
    if (said !== "") yield { tool: "query_agent", input: { agent: "forecast", message: said, ...turns.shift() } };
    else yield { text: "Done." };
  };
  api.script("asker", script);
  const { contextId } = Answer.parse(await deployment.json("query", "ours", "one"));
  for (const question of ["two", "three"]) await deployment.succeed("query", "ours", question, "--session", contextId);
  expect(calls.map(({ request }) => request.messages.filter(({ role }) => role === "user").length)).toEqual([1, 2, 1]);
});

test("in a dynamic topology it is found among the others, also where each agent has a process", async () => {
  const agents = `  - { id: seeker, worker: coordinator, model: { name: seeker } }\n  - { id: forecast, remote: "${theirUrl}" }`;
  const fields = "topology: { type: dynamic }\nisolation: agent";
  await deployment.succeed("deploy", await deployment.write("finds.yaml", job("finds", agents, fields)));
  api.script("weather", function* () {
    yield { text: "Snow." };
  });
  api.script("seeker", function* (call) {
    if (saidLast(call) !== "") yield { tool: "find_agents", input: { query: "forecast" } };
    else if (lastResults(call)[0]?.text.startsWith("- forecast (remote)") === true)
      yield { tool: "query_agent", input: { agent: "forecast", message: "And tomorrow?" } };
    else yield { text: `I was told: ${lastResults(call)[0]?.text ?? ""}` };
  });
  expect(Answer.parse(await deployment.json("query", "finds", "Snow?")).answer).toContain("I was told: Snow.");
  await deployment.succeed("stop", "finds");
});

test("what another job asks approval for goes up to the person, and the answer down again", async () => {
  const pays = `name: pays\nagents: [{ id: payments, permissions: { ask: [pay_invoice] } }]\ntopology: { type: mesh }\n${OFFLINE}`;
  await deployment.succeed("deploy", await deployment.write("pays.yaml", pays));
  const url = Status.parse(await deployment.json("status", "pays")).agents[0]?.url ?? "";
  const orders = `name: orders
agents: [{ id: buyer, worker: desk }, { id: treasury, remote: "${url}" }]
topology: { type: pipeline, stages: [buyer, treasury] }
${OFFLINE}`;
  await deployment.succeed("deploy", await deployment.write("orders.yaml", orders));
  const pay = ["query", "orders", "Pay invoice 4711 over 120 EUR to ACME"] as const;
  const { code, stdout } = await deployment.troupe(...pay, "--json");
  const waiting = Waiting.parse(JSON.parse(stdout));
  expect([code, waiting.approvals.map(({ agent, tool }) => [agent, tool])]).toEqual([3, [["treasury", "pay_invoice"]]]);
  const answer = ["query", "orders", "--task", waiting.taskId, "--allow", waiting.approvals[0]?.id ?? ""];
  expect(await deployment.succeed(...answer)).toMatch(/4711/);
  const paid = await deployment.succeed("query", "pays", "Which payments were made?");
  expect([...paid.matchAll(/for invoice (\S+)\./g)].map(([, invoice]) => invoice)).toEqual(["4711"]);
  await deployment.succeed("stop", "orders");
  await deployment.succeed("stop", "pays");
});

test("where they ask for keys, the question fails without one, and goes through with one", async () => {
  theirUrl = await deployTheirs("accounts: required");
  api.script("weather", function* () {
    yield { text: "Sun." };
  });
  expect(await asked("Open?")).toMatch(/did not answer: .*(key|401)/i);
  const { key } = Made.parse(await deployment.json("keys", "create", "theirs", "ours", "--scopes", "ask"));
  deployment.set(TOKEN, key);
  await deployment.succeed("deploy", await ours(`remote: "${theirUrl}", auth: "\${${TOKEN}}"`));
  expect(await asked("Open?")).toContain("I was told: Sun.");
});

test("a card that another key signs is refused, until the job is deployed again", async () => {
  const calls = api.script("weather", function* () {
    yield { text: "Wind." };
  });
  await deployment.succeed("stop", "theirs");
  await rm(join(deployment.home, ".troupe", "jobs", "theirs", "secrets.json"));
  theirUrl = await deployTheirs("");
  expect(await asked("Still there?")).toMatch(
    /forecast cannot be reached: the key of its card has changed.*deploy the job again/,
  );
  expect(calls).toEqual([]);
  expect(await deployment.succeed("logs", "ours")).toContain("The card of forecast was refused");
  const file = await ours(`remote: "${theirUrl}"`);
  const { stderr } = await deployment.troupe("deploy", file);
  expect(stderr).toContain(
    "The card of the remote agent forecast is signed by another key than at the last deployment.",
  );
  expect(await asked("And now?")).toContain("I was told: Wind.");
});

test.each([
  ["http://127.0.0.1:9", /The remote agent forecast cannot be used: it cannot be reached/],
  ["OUR_API", /cannot be used: there is no card: .*status 404/],
])("a deployment says what is wrong with a remote agent at %s, and what ran goes on", async (address, words) => {
  const url = address === "OUR_API" ? `http://127.0.0.1:${api.port}` : address;
  const { code, stderr } = await deployment.troupe("deploy", await ours(`remote: "${url}"`));
  expect([code, stderr]).toEqual([1, expect.stringMatching(words)]);
  expect(await asked("Still there?")).toContain("I was told:");
});
