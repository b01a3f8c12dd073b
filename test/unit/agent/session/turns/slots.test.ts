// Slots: how many turns of an agent work at once, and why nothing can wait for itself.
import { expect, test } from "vitest";

import { Slots } from "#shared/agent/slots.ts";

const forever = new AbortController().signal;
const person = { chain: [] };
const peer = { chain: ["coordinator"] };

/** Whether a promise has settled by now, all that is due aside. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const other = Symbol();
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise.catch(() => undefined), Promise.resolve(other)])) !== other;
}

test("as many turns as the limit says work at once; the others follow in their order", async () => {
  const slots = new Slots(2);
  const [first, second] = await Promise.all([slots.begin("a", forever), slots.begin("b", forever)]);
  const order: string[] = [];
  const follow = async (name: string) => {
    const slot = await slots.begin(name, forever);
    order.push(name);
    return slot;
  };
  const [third, fourth] = [follow("c"), follow("d")];
  expect(slots.status).toEqual({ limit: 2, running: 2, waiting: 2 });
  first.end();
  (await third).end();
  (await fourth).end();
  second.end();
  expect(order).toEqual(["c", "d"]);
  expect(slots.status).toEqual({ limit: 2, running: 0, waiting: 0 });
});

test("a turn that waits for a peer makes room, and comes back before those that have not begun", async () => {
  const slots = new Slots(1);
  const hub = await slots.begin("hub", forever);
  const answer = Promise.withResolvers<string>();
  const away = hub.without(() => answer.promise, forever);
  const spoke = await slots.begin("spoke", forever);
  const late = slots.begin("late", forever);
  answer.resolve("42");
  expect(await isSettled(away)).toBe(false);
  spoke.end();
  expect(await away).toBe("42");
  expect(await isSettled(late)).toBe(false);
  hub.end();
  (await late).end();
});

test("a turn that asks several peers comes back once, when the last has answered", async () => {
  const slots = new Slots(1);
  const hub = await slots.begin("hub", forever);
  const answers = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const asked = answers.map(({ promise }) => hub.without(() => promise, forever));
  answers[0]?.resolve(1);
  expect(await asked[0]).toBe(1);
  expect(slots.status.running).toBe(0);
  answers[1]?.resolve(2);
  expect(await asked[1]).toBe(2);
  expect(slots.status.running).toBe(1);
  hub.end();
  expect(slots.status.running).toBe(0);
});

test("a hundred turns that each ask another one all come to their end with a single slot", async () => {
  const slots = new Slots(1);
  const turn = async (name: string, depth: number): Promise<number> => {
    const slot = await slots.begin(name, forever);
    try {
      return depth === 0 ? 1 : 1 + (await slot.without(() => turn(`${name}.${depth}`, depth - 1), forever));
    } finally {
      slot.end();
    }
  };
  const all = await Promise.all(Array.from({ length: 100 }, (_, n) => turn(`q${n}`, 3)));
  expect(all).toEqual(Array.from({ length: 100 }, () => 4));
  expect(slots.status).toEqual({ limit: 1, running: 0, waiting: 0 });
});

test("who is canceled while it waits leaves the line, also on its way back", async () => {
  const slots = new Slots(1);
  const hub = await slots.begin("hub", forever);
  const cancel = new AbortController();
  const answer = Promise.withResolvers<string>();
  const away = hub.without(() => answer.promise, cancel.signal);
  const other = await slots.begin("other", forever);
  const waits = slots.begin("canceled", cancel.signal);
  answer.resolve("42");
  expect(await isSettled(away)).toBe(false);
  cancel.abort(new Error("canceled"));
  await expect(waits).rejects.toThrow("canceled");
  await expect(away).rejects.toThrow("canceled");
  other.end();
  hub.end();
  expect(slots.status).toEqual({ limit: 1, running: 0, waiting: 0 });
});

test("an object that has ended without a word leaves nothing taken and nothing waiting", async () => {
  const slots = new Slots(1);
  await slots.begin("dead", forever);
  const lost = slots.begin("dead", forever);
  const alive = slots.begin("alive", forever);
  slots.forget("dead");
  (await alive).end();
  expect(await isSettled(lost)).toBe(false);
  expect(slots.status).toEqual({ limit: 1, running: 0, waiting: 0 });
});

test("a new query is refused when the line is full, and counts those too that wait for peers", async () => {
  const slots = new Slots(1);
  const turns = [];
  for (let n = 0; n < 1_000; n++) {
    const slot = await slots.begin(`q${n}`, forever);
    turns.push(slot);
    void slot.without(() => new Promise(() => {}), forever);
  }
  expect(slots.refusal(person)).toBeUndefined();
  turns.push(await slots.begin("last", forever));
  expect(slots.refusal(person)).toMatch(/has 1001 turns to work on, 1 at once: its line of 1000 is full/);
  // What a peer asks is part of a query that was let in, and nobody waits for a slot here.
  expect(slots.refusal(peer)).toBeUndefined();
  turns.pop()?.end();
  expect(slots.refusal(person)).toBeUndefined();
});

test("a peer is kept out only while a thousand turns wait for a slot, which come on without it", async () => {
  const slots = new Slots(1);
  const working = await slots.begin("working", forever);
  const leaving = new AbortController();
  const waiting = Array.from({ length: 1_000 }, (_, n) => slots.begin(`w${n}`, leaving.signal).catch(() => undefined));
  expect(slots.refusal(peer)).toMatch(/line of 1000 is full/);
  working.end();
  expect(slots.refusal(peer)).toBeUndefined();
  leaving.abort();
  await waiting[0];
});
