// Connections that break in mid-answer: the same message is sent again, and what is shown goes on or begins anew.
import { expect, test } from "vitest";

import { ask, type Request } from "../../../../scripts/query/ask.ts";
import { agentDouble, type AgentDouble, piece, status, task } from "./agent-double.ts";

const QUESTION: Request = { is: "question", text: "hello", session: undefined };

/** The text as a screen would have it: each fresh piece begins a line. */
async function screenOf(agent: AgentDouble, patienceMs = 5_000, signal = new AbortController().signal) {
  const lines: string[] = [];
  const busy: string[] = [];
  let broken = 0;
  const answer = await ask({ job: "job", url: agent.url }, QUESTION, {
    signal,
    patienceMs,
    // So that no test waits long for the next try.
    pauseMs: 5,
    onText: (text, fresh) => void (fresh ? lines.push(text) : (lines[lines.length - 1] += text)),
    onTrace: () => {},
    onBroken: () => void (broken += 1),
    onBusy: (why) => void busy.push(why),
  });
  return { answer, lines, broken, busy };
}

test("a message whose connection broke is sent again under its id, and the answer that begins anew is shown anew", async () => {
  await using agent = await agentDouble((n, stream) => {
    stream.event(task("WORKING"));
    stream.event(piece(n < 2 ? "Once upon" : "Once again, ", false));
    if (n < 2) return stream.break();
    stream.event(piece("from the start", true));
    stream.event(status("COMPLETED"));
    stream.end();
  });
  const { answer, lines, broken } = await screenOf(agent);
  expect(answer).toMatchObject({ state: "completed", answer: "Once again, from the start", taskId: "t1" });
  expect(lines).toEqual(["Once upon", "Once again, from the start"]);
  expect([agent.messageIds.length, new Set(agent.messageIds).size, broken]).toEqual([3, 1, 2]);
});

test("an answer that went on meanwhile is shown on from where it broke off, without a repetition", async () => {
  await using agent = await agentDouble((n, stream) => {
    stream.event(n === 0 ? task("WORKING") : task("COMPLETED", "one two three"));
    if (n > 0) return stream.end();
    stream.event(piece("one ", false));
    stream.event(piece("two", true));
    stream.break();
  });
  expect((await screenOf(agent)).lines).toEqual(["one two three"]);
});

test("an answer that was begun anew and ended meanwhile is shown anew, whole", async () => {
  await using agent = await agentDouble((n, stream) => {
    stream.event(n === 0 ? task("WORKING") : task("COMPLETED", "another answer"));
    if (n > 0) return stream.end();
    stream.event(piece("one ", false));
    stream.break();
  });
  expect((await screenOf(agent)).lines).toEqual(["one ", "another answer"]);
});

test("an agent without room is asked again as often as it takes, and what it says is shown once", async () => {
  const full = { status: 503, message: "Its line is full.", headers: { "retry-after": "0.01" }, times: 30 };
  await using agent = await agentDouble((_, stream) => {
    stream.event(task("COMPLETED", "done"));
    stream.end();
  }, full);
  const { answer, busy, broken } = await screenOf(agent, 0);
  expect([answer.answer, busy, broken]).toEqual(["done", [expect.stringContaining("Its line is full.")], 0]);
  expect([agent.messageIds.length, new Set(agent.messageIds).size]).toEqual([31, 1]);
});

test("a stream that ends without the task's end is taken for broken", async () => {
  await using agent = await agentDouble((n, stream) => {
    stream.event(task(n === 0 ? "WORKING" : "COMPLETED", "done"));
    stream.end();
  });
  expect(await screenOf(agent)).toMatchObject({ broken: 1, answer: { state: "completed", answer: "done" } });
});

test("what the agent refuses is not sent again", async () => {
  await using agent = await agentDouble(() => {}, { status: 400, message: "That is no question." });
  await expect(screenOf(agent)).rejects.toThrow("The agent refused: That is no question.");
  expect(agent.messageIds).toHaveLength(1);
});

test("an agent that does not come back is given up in the end: the task is kept, and how to see it is said", async () => {
  await using agent = await agentDouble((_, stream) => {
    stream.event(task("WORKING"));
    stream.break();
    agent.vanish();
  });
  await expect(screenOf(agent, 600)).rejects.toMatchObject({
    code: "failed",
    message: expect.stringMatching(/could not be restored within 0.6 s: .*Its task is kept/),
    next: "Start the job again: npx troupe restart job. Then show it: npx troupe query job --task t1",
  });
});

test("an interruption while the agent is away ends at once with its reason", async () => {
  const interruption = new AbortController();
  await using agent = await agentDouble((_, stream) => {
    stream.event(task("WORKING"));
    stream.break();
    agent.vanish();
  });
  const asked = ask({ job: "job", url: agent.url }, QUESTION, {
    signal: interruption.signal,
    onText: () => {},
    onTrace: () => {},
    onBroken: () => interruption.abort(new Error("Ctrl-C")),
    onBusy: () => {},
  });
  await expect(asked).rejects.toThrow("Ctrl-C");
});

test("what a task waits for comes with the answer, as data", async () => {
  const approval = { id: "ap_1", agent: "payments", tool: "pay", input: { to: "x" }, reason: "r", expiresAt: 4e12 };
  await using agent = await agentDouble((_, stream) => {
    stream.event(task("INPUT_REQUIRED", "I will pay.", [approval]));
    stream.end();
  });
  const { answer } = await screenOf(agent);
  expect(answer).toMatchObject({ state: "input-required", approvals: [approval], answer: "I will pay." });
});

test("a question that is interrupted before its task is known is canceled all the same", async () => {
  const interruption = new AbortController();
  await using agent = await agentDouble((n, stream) => {
    if (n > 0) return stream.event(task("WORKING"));
    interruption.abort(new Error("enough"));
  });
  await expect(screenOf(agent, 5_000, interruption.signal)).rejects.toThrow("enough");
  expect([new Set(agent.messageIds).size, agent.messageIds.length, agent.canceled]).toEqual([1, 2, ["t1:cancel"]]);
});
