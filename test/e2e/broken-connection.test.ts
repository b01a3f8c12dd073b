// The agent's process dies in mid-answer: whoever asked goes on waiting, and gets the whole answer from its next life.
import { afterAll, beforeAll, expect, test } from "vitest";

import { connect, tasksOf, textOf } from "../support/a2a-client.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { Status } from "./shapes.ts";
import { FIRST_WORD, QUESTION, SENTENCE, slowJob } from "./slow-answer.ts";

const LIMIT_MS = 10_000;

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", await deployment.write("dying.yaml", slowJob("dying")));
});
afterAll(async () => deployment.close());

test("kill -9 in mid-answer: the process is started again by itself, and one troupe query prints the whole answer, once", async () => {
  const { pid, agents } = Status.parse(await deployment.json("status", "dying"));
  const client = await connect(agents[0]?.url ?? "");
  const asked = deployment.start("query", "dying", QUESTION);
  const speaks = async () => {
    const [task] = await tasksOf(client);
    return task && textOf(await client.getTask({ tenant: "", id: task.id })).includes(FIRST_WORD) ? true : undefined;
  };
  await eventually(speaks, LIMIT_MS, "the agent speaks");
  signalProcess(pid, "SIGKILL");
  const { code, stdout, stderr } = await asked.outcome;
  expect([code, stdout.split(SENTENCE).length]).toEqual([0, 2]);
  expect(stdout).toMatch(/Sources:\n\[1\] marmots\.md\n$/);
  expect(stderr).toContain("The connection broke; trying again …");
  expect(await tasksOf(client)).toHaveLength(1);
  const { state, processes } = Status.parse(await deployment.json("status", "dying"));
  const lastEnd = { at: expect.any(String) as unknown, reason: "it was ended by SIGKILL" };
  expect([state, processes]).toEqual([
    "running",
    [
      {
        name: "all-agents",
        pid: expect.any(Number) as unknown,
        state: "running",
        supervised: true,
        restarts: 1,
        lastEnd,
      },
    ],
  ]);
  expect(await deployment.succeed("status", "dying")).toContain("The process all-agents was restarted 1 time\n");
});
