// The life of a conversation: listed, shown, forked, gone on with in the fork, exported and deleted.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { Deployment, signalProcess } from "../support/deployment.ts";
import { fourAgents, HUB_SPOKE, NEVER, Status } from "./shapes.ts";

const JOB = "research-assistant";
const PROMPT = /(?:^|\n)> *$/;
const Answer = z.object({ contextId: z.string(), taskId: z.string(), state: z.string(), answer: z.string() });
const List = z.object({ sessions: z.array(z.object({ id: z.string(), turns: z.int(), state: z.string() })) });
const Shown = z.object({
  tokens: z.number(),
  conversations: z.array(
    z.object({
      agent: z.string(),
      turns: z.array(
        z.object({ record: z.object({ taskId: z.string() }), asked: z.array(z.object({ agent: z.string() })) }),
      ),
    }),
  ),
});
const Forked = z.object({
  session: z.string(),
  agents: z.array(z.object({ id: z.string(), turns: z.int() })),
  lost: z.array(z.unknown()),
});
const Traces = z.object({ traces: z.array(z.unknown()) });
const Exported = z.object({
  agents: z.array(z.object({ id: z.string(), turns: z.array(z.object({ steps: z.array(z.unknown()) })) })),
});

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", JOB);
});
// An agent is killed, and comes back without its last spans.
afterAll(async () => deployment.close({ unchecked: true }));

const ask = async (...words: string[]) => Answer.parse(await deployment.json("query", JOB, ...words));
const show = async (id: string) => Shown.parse(await deployment.json("sessions", "show", id));
const ids = async () => List.parse(await deployment.json("sessions", "list", JOB)).sessions.map(({ id }) => id);

test("a conversation is listed, shown, forked, continued in the fork, exported and deleted", async () => {
  const { contextId: first } = await ask("What is a Durable Object?");
  await ask("And its limits?", "--session", first);
  expect(List.parse(await deployment.json("sessions", "list", JOB)).sessions).toMatchObject([
    { id: first, turns: 2, state: "completed" },
  ]);

  const shown = await show(first);
  expect(shown.tokens).toBeGreaterThan(0);
  expect(shown.conversations).toMatchObject([{ agent: "coordinator" }]);
  expect(shown.conversations[0]?.turns).toHaveLength(2);
  expect(shown.conversations[0]?.turns[0]?.asked.map(({ agent }) => agent)).toContain("searcher");
  expect(await deployment.succeed("sessions", "show", first.slice(0, 8))).toContain("> And its limits?");

  const fork = Forked.parse(await deployment.json("sessions", "fork", first, "--turn", "1", "--as", "other-way"));
  expect(fork).toMatchObject({ session: "other-way", lost: [] });
  expect(fork.agents).toContainEqual({ id: "searcher", turns: 1 });
  const next = await ask("And its limits?", "--session", "other-way");
  expect(next).toMatchObject({ contextId: "other-way", state: "completed" });
  expect((await show("other-way")).conversations[0]?.turns).toHaveLength(2);
  expect((await show(first)).conversations[0]?.turns).toHaveLength(2);

  const exported = Exported.parse(JSON.parse(await deployment.succeed("sessions", "export", "other-way")));
  expect(exported.agents.find(({ id }) => id === "coordinator")?.turns.map(({ steps }) => steps.length > 1)).toEqual([
    true,
    true,
  ]);
  expect(await deployment.succeed("sessions", "export", first, "--format", "markdown")).toContain(
    "> What is a Durable Object?",
  );

  expect(await deployment.succeed("__complete", "--", "sessions", "show", "oth")).toBe("other-way\n");
  const traced = async () => Traces.parse(await deployment.json("traces", "list", JOB)).traces.length;
  expect(await traced()).toBe(3);
  expect((await deployment.start("sessions", "delete", first).outcome).stderr).toContain("nothing is deleted");
  await deployment.succeed("sessions", "delete", first, "--force");
  expect(await ids()).toEqual(["other-way"]);
  const gone = await deployment.start("query", JOB, "--task", shown.conversations[0]?.turns[0]?.record.taskId ?? "")
    .outcome;
  expect(gone.code).not.toBe(0);
  expect(gone.stderr).toContain("was not found");
  const again = await deployment.start("sessions", "delete", "other-wax", "--force").outcome;
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('Did you mean "other-way"?');

  await deployment.succeed("sessions", "clear", JOB, "--older-than", "1d", "--force");
  expect(await ids()).toEqual(["other-way"]);
  await deployment.succeed("sessions", "clear", JOB, "--force", "--traces");
  // One question was asked in the original alone, where its trace stays.
  expect(await traced()).toBe(1);
  expect(await ids()).toEqual([]);
});

test("a person forks in the middle of a conversation and goes on there, and says yes before something is deleted", async () => {
  await using chat = deployment.terminal(["chat", JOB, "--new"]);
  await chat.shows(PROMPT);
  chat.type("What is a Durable Object?\r");
  await chat.shows(/traces? (?:show )?\w{8}\s+>\s*$/);
  chat.type("/fork\r");
  const screen = await chat.shows("You are in the copy now.");
  expect(screen).toMatch(/Forked [\w-]{36}, turns 1 to 1,\nas [\w-]{36}\./);
  chat.type("/session\r");
  await chat.shows("1 answer.");
  chat.type("/sessions\r");
  await chat.shows(/BEGAN WITH/);
  chat.type("/fork 7\r");
  await chat.shows("there is no turn 7");
  await chat.shows(PROMPT);
  chat.type("/quit\r");
  expect(await chat.exit).toBe(0);

  const [first = "", second = ""] = await ids();
  await using no = deployment.terminal(["sessions", "delete", first]);
  await no.shows("[y/n]");
  no.type("n\r");
  expect(await no.exit).toBe(130);
  expect(await ids()).toEqual([first, second]);
  await using yes = deployment.terminal(["sessions", "delete", first]);
  await yes.shows("[y/n]");
  yes.type("y\r");
  expect(await yes.exit).toBe(0);
  expect(await ids()).toEqual([second]);
});

test("an agent that was killed is named: a fork goes on without its thread, a deletion is finished once it is back", async () => {
  const name = "one-missing";
  const fields = `${HUB_SPOKE}\nisolation: agent\n${NEVER}`;
  await deployment.succeed("deploy", await deployment.write(`${name}.yaml`, fourAgents(name, fields)));
  const { contextId: first } = Answer.parse(
    await deployment.json("query", name, "How long does the marmot hibernate?"),
  );
  const { agents } = Status.parse(await deployment.json("status", name));
  signalProcess(agents.find(({ id }) => id === "searcher")?.pid, "SIGKILL");

  const listed = await deployment.start("sessions", "list", name).outcome;
  expect(listed.stdout).toContain(first);
  expect(listed).toMatchObject({ code: 1, stderr: expect.stringContaining("The agent searcher cannot be reached") });
  const forked = await deployment.succeed("sessions", "fork", first, "--job", name, "--as", "without-searcher");
  expect(forked).toContain("with searcher is not copied: searcher cannot be reached.");
  const exported = await deployment.start("sessions", "export", "without-searcher", "--job", name).outcome;
  expect(exported.stdout).toContain("searcher remembers nothing of it");

  const half = await deployment.start("sessions", "delete", first, "--job", name, "--force").outcome;
  expect(half).toMatchObject({ code: 1, stderr: expect.stringContaining("run the command again") });
  await deployment.succeed("restart", name);
  await deployment.succeed("sessions", "delete", first, "--job", name, "--force");
  expect(List.parse(await deployment.json("sessions", "list", name)).sessions).toMatchObject([
    { id: "without-searcher" },
  ]);
});
