// An answer that comes while those it is for are gone: an agent tries its neighbour for ten seconds.
import { TaskState } from "@a2a-js/sdk";
import { expect, test } from "vitest";

import { signalProcess } from "../support/deployment.ts";
import { ApprovalJob } from "./approval-job.ts";
import { Status } from "./shapes.ts";

test("an answer to a chain that is gone for a moment arrives when it is back", async () => {
  await using job = await ApprovalJob.deploy("gone", { more: "isolation: agent\nheartbeat: { interval: 500ms }" });
  const query = await job.ask("8");
  const { agents } = Status.parse(await job.deployment.json("status", job.name));
  for (const { pid } of agents.filter(({ id }) => id !== "assistant")) signalProcess(pid, "SIGKILL");
  const answered = job.query("--task", query.taskId, "--allow", "all");
  await job.reaches("assistant", query, TaskState.TASK_STATE_WORKING);
  await job.deployment.succeed("restart", job.name);
  expect(await answered).toMatchObject({ code: 0, stdout: expect.stringContaining("for invoice 8.") as unknown });
  expect(await job.paid()).toEqual(["8"]);
});
