// An agent whose definition has an outputSchema, from its definition to what an A2A client gets.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { shapedAgent } from "./shaped-agent.ts";

async function ask(text: string, method: "send" | "stream"): Promise<Response> {
  const ctx = createExecutionContext();
  const request = new Request(`https://tester.test/message:${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", "a2a-version": "1.0" },
    body: JSON.stringify({ message: { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text }] } }),
  });
  const response = await shapedAgent.worker.fetch(request, { ...env, SESSION: env.SHAPED_SESSION }, ctx);
  void waitOnExecutionContext(ctx);
  return response;
}

it("an answer that fits is delivered as a data part", async () => {
  const { task } = await (await ask('say {"city":"Bern","people":134000}', "send")).json<{ task: object }>();
  expect(task).toMatchObject({
    status: { state: "TASK_STATE_COMPLETED" },
    artifacts: [{ parts: [{ data: { city: "Bern", people: 134_000 } }] }],
  });
});

it("nothing of an answer is streamed before it is known to fit, and then it comes once, as data", async () => {
  const events = await (await ask('say {"city":"Bern","people":134000}', "stream")).text();
  const artifacts = events.match(/"artifactUpdate"/g);
  expect(artifacts).toHaveLength(1);
  expect(events).toContain('"data":{"city":"Bern","people":134000}');
  expect(events).not.toContain('"text":"{');
});

it("an answer that never fits ends the task as failed, and says what did not fit", async () => {
  const { task } = await (await ask("say Bern has many people", "send")).json<{ task: object }>();
  expect(task).toMatchObject({
    status: { state: "TASK_STATE_FAILED" },
    metadata: { result: { subtype: "error_max_structured_output_retries" } },
  });
  expect(JSON.stringify(task)).toContain("is not JSON");
});
