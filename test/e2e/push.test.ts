// Push notifications of a deployed job to a server of this machine, which the job file allows. The agent is killed between what happens
// and its delivery: everything arrives all the same, in order.
import type { RequestListener } from "node:http";
import { TaskState } from "@a2a-js/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { connect, saying, send } from "../support/a2a-client.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { serve } from "../support/serve.ts";
import { NEVER, Status } from "./shapes.ts";
import { QUESTION, SENTENCE, slowJob } from "./slow-answer.ts";

const LIMIT_MS = 10_000;

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
});
afterAll(async () => deployment.close());

/** A StreamResponse, as far as this test reads it. */
const status = z.object({ state: z.string() });
const Event = z.union([
  z.object({ task: z.object({ status }) }),
  z.object({ statusUpdate: z.object({ status }) }),
  z.object({ artifactUpdate: z.object({ artifact: z.object({ parts: z.array(z.object({ text: z.string() })) }) }) }),
]);

/** A receiver that answers nothing at first. `listener` is its server's, `heard` what it was told, `answers` has it answer from then on. */
function silentReceiver() {
  let isSilent = true;
  const heard: z.infer<typeof Event>[] = [];
  const listener: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      heard.push(Event.parse(JSON.parse(body)));
      if (!isSilent) response.writeHead(204).end();
    });
  };
  return { listener, heard, answers: () => (isSilent = false) };
}

/** Without what was told again because nobody had answered. */
function once<Told>(heard: readonly Told[]): Told[] {
  return heard.filter((told, i) => JSON.stringify(told) !== JSON.stringify(heard[i - 1]));
}

test("an agent that is killed before it has told what happened tells it when it is back, in order", async () => {
  const { listener, heard, answers } = silentReceiver();
  const [allowed, other] = [await serve(listener), await serve(listener)];
  const settings = `push: { allow: ["${allowed}"] }\ntracing: false\n`;
  await deployment.succeed("deploy", await deployment.write("push.yaml", `${slowJob("push")}${NEVER}\n${settings}`));
  const { pid, agents } = Status.parse(await deployment.json("status", "push"));
  const client = await connect(agents[0]?.url ?? "");
  const pushTo = (url: string) => {
    const config = { tenant: "", id: "", taskId: "", url, token: "", authentication: undefined };
    const request = saying(QUESTION, true);
    return {
      ...request,
      configuration: { acceptedOutputModes: [], returnImmediately: true, taskPushNotificationConfig: config },
    };
  };
  await expect(send(client, pushTo(`${other}/hook`))).rejects.toThrow("leads to a private address");

  const { id } = await send(client, pushTo(`${allowed}/hook`));
  const ended = async () => {
    const task = await client.getTask({ tenant: "", id });
    return task.status?.state === TaskState.TASK_STATE_COMPLETED ? true : undefined;
  };
  await eventually(ended, LIMIT_MS, "the turn ends");
  const working = { task: { status: { state: "TASK_STATE_WORKING" } } };
  expect(once(heard)).toEqual([working]);
  signalProcess(pid, "SIGKILL");
  answers();
  await deployment.succeed("restart", "push");
  const completed = { statusUpdate: { status: { state: "TASK_STATE_COMPLETED" } } };
  const text: unknown = expect.stringContaining(SENTENCE);
  await expect
    .poll(() => once(heard), { timeout: 3 * LIMIT_MS })
    .toEqual([working, { artifactUpdate: { artifact: { parts: [{ text }] } } }, completed]);
});
