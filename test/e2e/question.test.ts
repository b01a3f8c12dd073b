// One question, through deployed jobs of each kind, to a cited answer.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Deployment } from "../support/deployment.ts";
import { Answer, fourAgents, HUB_SPOKE, Status } from "./shapes.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
});
afterAll(async () => deployment.close());

async function ask(job: string, question: string, ...flags: string[]) {
  return Answer.parse(await deployment.json("query", job, question, ...flags));
}

test("npm start's command deploys, answers with sources, and leaves the job running", async () => {
  const output = await deployment.succeed("start");
  expect(output).toMatch(/Sources:\n\[1\] .*jobs\/corpus\/.+\.md/);
  expect(output).toContain("troupe.mjs query research-assistant");
  const status = Status.parse(await deployment.json("status", "research-assistant"));
  expect(status.agents.map(({ id, state }) => `${id} ${state}`)).toEqual([
    "coordinator alive",
    "searcher alive",
    "summarizer alive",
    "fact_checker alive",
  ]);
  await deployment.succeed("stop", "research-assistant");
});

const KINDS: readonly (readonly [kind: string, fields: string])[] = [
  ["hub-spoke", HUB_SPOKE],
  ["dynamic", "topology: { type: dynamic }\nexecution: { entry_point: coordinator }"],
  ["agent-isolation", `${HUB_SPOKE}\nisolation: agent`],
  ["mesh", "topology: { type: mesh }\nexecution: { entry_point: coordinator }"],
  [
    "staged-pipeline",
    "topology: { type: pipeline, stages: [coordinator, [searcher, fact_checker], summarizer] }\ndeployment: { strategy: staged }",
  ],
];

describe.each(KINDS)("%s", (kind, fields) => {
  test("answers a question about the documents given with --corpus from the right file", async () => {
    const folder = join(deployment.home, "notes", "deep");
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, "marmots.md"),
      "# Marmots\n\nThe alpine marmot hibernates for seven months in its burrow.\n",
    );
    await writeFile(join(folder, "owls.txt"), "Tawny owls hunt at night and hear the mice below the snow.\n");
    const path = await deployment.write(`${kind}.yaml`, fourAgents(kind, fields));
    await deployment.succeed("deploy", path, "--corpus", "notes");

    const { answer, state } = await ask(kind, "How long does the alpine marmot hibernate?");
    expect(state).toBe("completed");
    expect(answer).toContain("seven months");
    expect(answer).toMatch(/Sources:\n\[1\] notes\/deep\/marmots\.md/);
    await deployment.succeed("stop", kind);
  });
});

test("a session goes on where its first message left it, and a stopped job keeps it", async () => {
  const path = await deployment.write("keeps.yaml", fourAgents("keeps", HUB_SPOKE));
  await deployment.succeed("deploy", path);
  const first = await ask("keeps", "What is a Durable Object?");
  await deployment.succeed("stop", "keeps");
  await deployment.succeed("restart", "keeps");
  const second = await ask("keeps", "And what is workerd?", "--session", first.contextId);
  expect(second.contextId).toBe(first.contextId);
  expect(second.taskId).toContain(`${first.contextId}.2.`);
  const store = await deployment.traces("keeps");
  const provisional = (await store.spans(first.traceId)).filter((span) => span.provisional || span.open);
  expect(provisional).toEqual([]);
  await deployment.succeed("stop", "keeps");
});

test("what of a folder cannot be read is named, and a folder that is gone leaves what is indexed", async () => {
  const folder = join(deployment.home, "mixed");
  await mkdir(folder);
  await writeFile(join(folder, "photo.png"), "x");
  await writeFile(join(folder, "gate.txt"), `${"filler ".repeat(200)}the marzipan key opens the garden gate`);
  await writeFile(join(folder, "team.txt"), Buffer.from("\ufeff仓库主管的名字是李明远。", "utf16le"));
  const path = await deployment.write("mixed.yaml", fourAgents("mixed", HUB_SPOKE));
  const deployed = await deployment.json("deploy", path, "--corpus", "mixed");
  expect(deployed).toMatchObject({
    leftOut: [{ path: "photo.png", reason: "has a type that is not read (.png)" }],
  });
  await rm(folder, { recursive: true });
  await deployment.succeed("deploy", path);

  expect((await ask("mixed", "仓库主管的名字是什么？")).answer).toContain("李明远");
  const { answer } = await ask("mixed", "Which key opens the garden gate?");
  expect(answer).toContain("the marzipan key opens the garden gate [1]");
  expect(answer).not.toMatch(/none of the sources|No text came/);
  await deployment.succeed("stop", "mixed");
});
