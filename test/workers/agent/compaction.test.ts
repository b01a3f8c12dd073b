// Compaction of a thread in a Session: on demand, and of what is too long to be let in.
import { TaskState } from "@a2a-js/sdk";
import { expect, it } from "vitest";
import { answerOf, ask, client, logOf, problemOf, send } from "./client.ts";
import { crash } from "./sessions.ts";

it("/compact, perhaps with words on what matters, puts a summary in the place of the messages before", async () => {
  const a2a = await client("JSONRPC");
  for (const text of ["say one", "say two", "say three"]) await send(a2a, ask(text, "compacted"));
  const task = await send(a2a, ask("/compact keep the numbers", "compacted"));
  expect(answerOf(task)).toMatch(/^The conversation was compacted: about \d+ tokens before, \d+ now\.$/);
  const summary = expect.stringMatching(/^5 messages, the last: .*What matters most: keep the numbers$/s);
  expect(await logOf("compacted")).toContainEqual(
    expect.objectContaining({ kind: "compaction", trigger: "manual", summary }),
  );
  await crash("compacted");
  // The summary and the last exchange make three messages with this one.
  expect(answerOf(await send(a2a, ask("and now", "compacted")))).toBe("3 messages, the last: and now");
});

it("what only begins like /compact is a message for the model", async () => {
  const task = await send(await client("JSONRPC"), ask("/compactness", "no-command"));
  expect(answerOf(task)).toBe("1 messages, the last: /compactness");
});

it("a message that does not fit the context is refused, and the thread goes on without it, also in another life", async () => {
  const a2a = await client("JSONRPC");
  await send(a2a, ask("say one", "too-long"));
  const task = await send(a2a, ask("x".repeat(400_000), "too-long"));
  expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED);
  expect(problemOf(task)).toMatch(/^The message does not fit the model's context: it has about 133,33\d tokens/);
  await crash("too-long");
  expect(answerOf(await send(a2a, ask("next", "too-long")))).toBe("3 messages, the last: next");
});
