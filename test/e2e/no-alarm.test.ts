// An agent's process ends in the middle of a turn, and its alarm is no help: it lies far ahead, because the clock was put back, or it was
// never set, because the turn was young. The turn resumes all the same.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TaskState } from "@a2a-js/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";

import { jobLayout } from "../../scripts/targets/local/state/layout.ts";
import { connect, saying, send, tasksOf, textOf } from "../support/a2a-client.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { NEVER, Status } from "./shapes.ts";
import { FIRST_WORD, QUESTION, SENTENCE, slowJob } from "./slow-answer.ts";

const HOUR_NS = 3_600_000_000_000n;
const LIMIT_MS = 10_000;
/** Without traces the log says how a task went. */
const LOGGED = "\ntracing: false\n";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
});
afterAll(async () => deployment.close());

/** Deploys a job and asks it. Its process is running, and speaks. */
async function asked(name: string) {
  await deployment.succeed("deploy", await deployment.write(`${name}.yaml`, slowJob(name) + NEVER + LOGGED));
  const { pid, agents } = Status.parse(await deployment.json("status", name));
  const client = await connect(agents[0]?.url ?? "");
  const { id } = await send(client, saying(QUESTION, true));
  const speaks = async () => (textOf(await client.getTask({ tenant: "", id })).includes(FIRST_WORD) ? true : undefined);
  await eventually(speaks, LIMIT_MS, "the agent speaks");
  return { client, id, pid };
}

/** Brings the process back, and asks nothing before the turn has ended. */
async function resumes(name: string, { client, id }: Awaited<ReturnType<typeof asked>>): Promise<void> {
  await deployment.succeed("restart", name);
  const ended = async () =>
    (await deployment.succeed("logs", name)).includes(`task ${id} completed`) ? true : undefined;
  await eventually(ended, LIMIT_MS, "the turn ends");
  expect(textOf(await client.getTask({ tenant: "", id }))).toContain(SENTENCE);
}

async function end(pid: number | null | undefined, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  signalProcess(pid, signal);
  await eventually(async () => (isThere(pid) ? undefined : true), LIMIT_MS, "the process ends");
}

test("a turn whose alarm lies an hour ahead resumes when its process is back, and nobody has to ask", async () => {
  const turn = await asked("late");
  await eventually(async () => (alarms("late") === 1 ? true : undefined), LIMIT_MS, "the turn has an alarm");
  // Listing sends the index what it has not been told yet.
  expect(await tasksOf(turn.client)).toHaveLength(1);
  await end(turn.pid, "SIGKILL");
  change("late", "Session/metadata", "UPDATE _cf_ALARM SET scheduled_time = scheduled_time + ?", HOUR_NS);
  await resumes("late", turn);
});

test("a turn that was too young for an alarm, and that the index does not know, resumes as well", async () => {
  const turn = await asked("young");
  await end(turn.pid, "SIGKILL");
  // On a slow machine it may have grown.
  if (alarms("young") > 0) change("young", "Session/metadata", "DELETE FROM _cf_ALARM");
  expect(alarms("young")).toBe(0);
  for (const file of indexes("young")) change("young", `SessionIndex/${file}`, "DELETE FROM task");
  await resumes("young", turn);
});

test("a process that is asked to end waits until a young turn has its alarm", async () => {
  const turn = await asked("asked-to-end");
  await end(turn.pid, "SIGTERM");
  expect(alarms("asked-to-end")).toBe(1);
  await resumes("asked-to-end", turn);
});

test("a task that ended right before its process was killed is listed", async () => {
  const turn = await asked("just-ended");
  const ended = async () => (await turn.client.getTask({ tenant: "", id: turn.id })).status?.state;
  await eventually(
    async () => ((await ended()) === TaskState.TASK_STATE_COMPLETED ? true : undefined),
    LIMIT_MS,
    "the turn ends",
  );
  await expect.poll(() => alarms("just-ended")).toBe(0);
  await end(turn.pid, "SIGKILL");
  // On a slow machine the index may know it.
  for (const file of indexes("just-ended")) change("just-ended", `SessionIndex/${file}`, "DELETE FROM task");
  await deployment.succeed("restart", "just-ended");
  // Whoever asks first must not keep the task from the index.
  expect(await ended()).toBe(TaskState.TASK_STATE_COMPLETED);
  await expect.poll(async () => tasksOf(turn.client), { timeout: LIMIT_MS }).toHaveLength(1);
});

const AGENT = "summarizer";

function folderOf(job: string, className: string): string {
  const { data } = jobLayout(join(deployment.home, ".troupe"), job);
  return join(data, AGENT, `agent-${AGENT}-${className}`);
}

/** How many sessions have an alarm. */
function alarms(job: string): number {
  const file = join(folderOf(job, "Session"), "metadata.sqlite");
  if (!existsSync(file)) return 0;
  using database = new DatabaseSync(file, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = '_cf_ALARM'").all();
  return tables.length === 0 ? 0 : database.prepare("SELECT 1 FROM _cf_ALARM").all().length;
}

/** The databases of the index; it may not have begun. */
function indexes(job: string): string[] {
  const names = readdirSync(folderOf(job, "SessionIndex")).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  return names.map((name) => name.replace(".sqlite", ""));
}

function change(job: string, file: string, query: string, ...values: bigint[]): void {
  const [className = "", name] = file.split("/");
  using database = new DatabaseSync(join(folderOf(job, className), `${name}.sqlite`));
  if (
    query.endsWith("FROM task") &&
    database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'task'").all().length === 0
  )
    return;
  database.prepare(query).run(...values);
}

function isThere(pid: number | null | undefined): boolean {
  try {
    signalProcess(pid, 0);
    return true;
  } catch {
    return false;
  }
}
