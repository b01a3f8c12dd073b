// The life of a conversation: listed, shown, forked, gone on with in the fork, exported and deleted.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { Deployment } from "../support/deployment.ts";

const JOB = "research-assistant";
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
const Exported = z.object({
  agents: z.array(z.object({ id: z.string(), turns: z.array(z.object({ steps: z.array(z.unknown()) })) })),
});

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", JOB);
});
afterAll(async () => deployment.close());

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

  expect((await deployment.start("sessions", "delete", first).outcome).stderr).toContain("nothing is deleted");
  await deployment.succeed("sessions", "delete", first, "--force");
  expect(await ids()).toEqual(["other-way"]);
  const gone = await deployment.start("query", JOB, "--task", shown.conversations[0]?.turns[0]?.record.taskId ?? "")
    .outcome;
  expect(gone.code).not.toBe(0);
  expect(gone.stderr).toContain("There is no task");
  const again = await deployment.start("sessions", "delete", "other-wax", "--force").outcome;
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('Did you mean "other-way"?');

  await deployment.succeed("sessions", "clear", JOB, "--older-than", "1d", "--force");
  expect(await ids()).toEqual(["other-way"]);
  await deployment.succeed("sessions", "clear", JOB, "--force");
  expect(await ids()).toEqual([]);
});
