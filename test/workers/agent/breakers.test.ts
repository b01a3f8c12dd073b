// The breakers before an agent's model and its peers: what the Session's turns find out, the front door's /health tells. Alone in its
// isolate.
import { afterEach, expect, it, vi } from "vitest";
import { answerOf, ask, client, knock, problemOf, send } from "./client.ts";

afterEach(() => {
  vi.useRealTimers();
});

const breakers = async () => (await (await knock("/health")).json<{ breakers: object[] }>()).breakers;

it("a peer that fails five times in a row is left alone, /health says so, and one call finds out whether it is back", async () => {
  const a2a = await client("JSONRPC");
  const question = (message: string) => `call query_agent ${JSON.stringify({ agent: "other", message })}`;
  const five = Array.from({ length: 5 }, () => ({ agent: "other", message: "refuse" }));
  await send(a2a, ask(`both ${JSON.stringify(five)}`, "five"));
  const times = { openSince: expect.any(String), openUntil: expect.any(String) };
  const open = { target: "peer:other", state: "open", failures: 5, ...times };
  expect(await breakers()).toContainEqual(open);
  const left = await send(a2a, ask(question("hello"), "left"));
  expect(answerOf(left)).toContain("The agent other did not answer: The circuit to peer other is open since");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6_000 });
  expect(answerOf(await send(a2a, ask(question("hello"), "back")))).toContain("in back~tester.1: hello");
  expect(await breakers()).not.toContainEqual(expect.objectContaining({ target: "peer:other" }));
});

it("a backend that fails five times in a row is left alone, and /health says so", async () => {
  const a2a = await client("JSONRPC");
  for (let n = 0; n < 4; n++) await send(a2a, ask("status 529"));
  const target = "model:scripted";
  expect(await breakers()).toContainEqual({ target, state: "closed", failures: 4 });
  expect(problemOf(await send(a2a, ask("status 529")))).toContain("overloaded (529)");
  const times = { openSince: expect.any(String), openUntil: expect.any(String) };
  expect(await breakers()).toContainEqual({ target, state: "open", failures: 5, ...times });
  expect(problemOf(await send(a2a, ask("say hello")))).toContain("The circuit to model scripted is open since");
});
