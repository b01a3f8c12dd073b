// The clock was put back while an agent's process was down, so that the alarm of its turn lies far ahead: the turn goes on all the same.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";

import { jobLayout } from "../../scripts/targets/local/state/layout.ts";
import { connect, saying, send, tasksOf, textOf } from "../support/a2a-client.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { NEVER, Status } from "./shapes.ts";
import { FIRST_WORD, QUESTION, SENTENCE, slowJob } from "./slow-answer.ts";

const HOUR_NS = 3_600_000_000_000n;
const LIMIT_MS = 10_000;

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", await deployment.write("late.yaml", slowJob("late") + NEVER));
});
afterAll(async () => deployment.close());

test("a turn whose alarm lies an hour ahead goes on when its process is back, and nobody has to ask", async () => {
  const { pid, agents } = Status.parse(await deployment.json("status", "late"));
  const client = await connect(agents[0]?.url ?? "");
  const { id } = await send(client, saying(QUESTION, true));
  const speaks = async () => (textOf(await client.getTask({ tenant: "", id })).includes(FIRST_WORD) ? true : undefined);
  await eventually(speaks, LIMIT_MS, "the agent speaks");
  // Listing sends the index what it has not been told yet.
  expect(await tasksOf(client)).toHaveLength(1);
  signalProcess(pid, "SIGKILL");
  await eventually(async () => (isThere(pid) ? undefined : true), LIMIT_MS, "the process ends");
  expect(putOffAlarms("summarizer")).toBe(1);
  await deployment.succeed("restart", "late");
  const logs = async () => deployment.succeed("logs", "late");
  const ended = async () => ((await logs()).includes(`task ${id} completed`) ? true : undefined);
  await eventually(ended, LIMIT_MS, "the turn ends");
  expect(textOf(await client.getTask({ tenant: "", id }))).toContain(SENTENCE);
});

/** Sets the alarms of an agent's sessions an hour ahead, and returns how many there were. */
function putOffAlarms(agent: string): number {
  const { data } = jobLayout(join(deployment.home, ".troupe"), "late");
  using database = new DatabaseSync(join(data, agent, `agent-${agent}-Session`, "metadata.sqlite"));
  const { changes } = database.prepare("UPDATE _cf_ALARM SET scheduled_time = scheduled_time + ?").run(HOUR_NS);
  return Number(changes);
}

function isThere(pid: number | null | undefined): boolean {
  try {
    signalProcess(pid, 0);
    return true;
  } catch {
    return false;
  }
}
