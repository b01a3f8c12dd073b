// The breaker before an agent's model: what the Session's turns find out, the front door's /health tells. Alone in its isolate.
import { expect, it } from "vitest";
import { ask, client, knock, problemOf, send } from "./client.ts";

it("a backend that fails five times in a row is left alone, and /health says so", async () => {
  const a2a = await client("JSONRPC");
  const breakers = async () => (await (await knock("/health")).json<{ breakers: object[] }>()).breakers;
  expect(await breakers()).toEqual([]);
  for (let n = 0; n < 4; n++) await send(a2a, ask("status 529"));
  const target = "model:scripted";
  expect(await breakers()).toEqual([{ target, state: "closed", failures: 4 }]);
  expect(problemOf(await send(a2a, ask("status 529")))).toContain("overloaded (529)");
  const times = { openSince: expect.any(String), openUntil: expect.any(String) };
  expect(await breakers()).toEqual([{ target, state: "open", failures: 5, ...times }]);
  expect(problemOf(await send(a2a, ask("say hello")))).toContain("The circuit to model scripted is open since");
});
