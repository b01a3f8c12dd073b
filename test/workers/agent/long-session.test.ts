// A session of 10,000 turns: it answers, and reads and keeps no more of itself than the model sees.
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import type { SessionsPage, TurnsPage } from "#shared/control-plane/sessions.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { answerOf, ask, client, send } from "./client.ts";
import { operated } from "./operator.ts";
import { crash, session } from "./sessions.ts";

const TURNS = 10_000;
const name = "very-long";

const say = async (text: string) => send(await client("JSONRPC"), ask(text, name));
const call = (message: string) => say(`call query_agent ${JSON.stringify({ agent: "other", message })}`);

/** Repeats the last turn until the session has this many. */
async function repeatLast(most: number): Promise<void> {
  await runInDurableObject(session(name), (_, { storage }) => {
    const { first, last, n } = storage.sql
      .exec<{ first: number; last: number; n: number }>(
        "SELECT MAX(task) AS first, MAX(id) AS last, MAX(n) AS n FROM entry",
      )
      .one();
    for (let k = 1; n + k <= most; k++)
      storage.sql.exec(
        `INSERT INTO entry (id, task, state, at, worked_ms, context_id, n, message_id, body)
         SELECT id + ?1, task + ?1, state, at, worked_ms, context_id, n + ?2, message_id || ?2, body
         FROM entry WHERE id BETWEEN ?3 AND ?4`,
        k * (last - first + 1),
        k,
        first,
        last,
      );
  });
  await crash(name);
}

it("a session of 10,000 turns answers, and a turn reads only what the last compaction has left", async () => {
  await call("dig");
  await say(`say ${"word ".repeat(60)}`);
  await repeatLast(TURNS - 3);
  expect(answerOf(await say("/compact"))).toContain("was compacted");
  expect(answerOf(await say("say next"))).toBe("next");
  expect(answerOf(await say("say last"))).toBe("last");

  await crash(name);
  expect(answerOf(await say("say again"))).toBe("again");
  const read = await runInDurableObject(session(name), (_, { storage }) => {
    const store = new SessionStore(storage.sql);
    const { steps, begin, isWhole } = store.threadLog({ contextId: name, n: TURNS + 1 });
    return { length: steps.length, hasEarlier: begin > 0, isWhole };
  });
  expect(read).toEqual({
    length: expect.toSatisfy((length: number) => length < 1_000),
    hasEarlier: true,
    isWhole: false,
  });
});

it("its threads at other agents keep their numbers, although the turn that opened them is not read", async () => {
  await call("dig again");
  const { turns } = await operated<TurnsPage>("turns", { session: name, last: 1 });
  expect(turns[0]?.peers).toMatchObject([{ agent: "other", thread: 2, contextId: `${name}~tester.2` }]);
  await say(`call query_agent ${JSON.stringify({ agent: "other", message: "more", thread: 1 })}`);
  const next = await operated<TurnsPage>("turns", { session: name, last: 1 });
  expect(next.turns[0]?.peers).toMatchObject([{ agent: "other", thread: 1, contextId: `${name}~tester.1` }]);
});

it("ten thousand turns are listed, read page by page, copied and deleted as a whole", async () => {
  const { sessions } = await operated<SessionsPage>("list", {});
  expect(sessions.map((part) => part.session)).toContain(name);
  const all = await operated<TurnsPage>("turns", { session: name });
  expect(all.total).toBe(TURNS + 3);
  const turns = Array.from({ length: 3_000 }, (_, index) => TURNS - 3_000 + index);
  const copied = { session: name, contextId: name, turns, to: "long-copy", lost: [] };
  expect(await operated("copy", copied)).toEqual({ turns: 3_000 });
  expect(await operated("delete", { session: name })).toEqual({ turns: 8 });
  expect((await operated<TurnsPage>("turns", { session: name })).total).toBe(0);
});
