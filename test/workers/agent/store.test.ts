// The store of a Session: what memory knows is what a later life reads, and what waits for a commit is there with the next one.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { describe, expect, it } from "vitest";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { newTaskTrace } from "#shared/agent/session/tasks/task-trace.ts";
import type { Step } from "#shared/loop/log/step.ts";

const { TASK_STATE_COMPLETED, TASK_STATE_INPUT_REQUIRED, TASK_STATE_SUBMITTED, TASK_STATE_WORKING } = TaskState;
const note = (text: string): Step => ({ kind: "note", about: "context", text });
const END = { answer: "done", problem: null, usage: null, result: null } as const;

/** Work on a store, and the same question to it and to one that reads what is on disk. */
function both<Answer>(name: string, work: (store: SessionStore) => void, look: (store: SessionStore) => Answer) {
  return runInDurableObject(env.SCRATCH.getByName(name), (_, { storage }) => {
    const store = new SessionStore(storage.sql);
    work(store);
    return { known: look(store), read: look(new SessionStore(storage.sql)) };
  });
}

const traceOf = (messageId: string) =>
  newTaskTrace(undefined, [], { method: "SendMessage", messageId, isRecorded: true });

function begin(store: SessionStore, contextId: string, messageId: string, state = TASK_STATE_WORKING) {
  return store.createTask({
    contextId,
    state,
    trace: traceOf(messageId),
    messageId,
    asker: () => ({ principal: "local", chain: [], query: "q" }),
    first: { kind: "user", text: messageId },
  });
}

describe("a store that has worked", () => {
  it("knows of its tasks what another reads: states, lives, ends, who waits, the logs of threads", async () => {
    const { known, read } = await both(
      "store-same",
      (store) => {
        const first = begin(store, "c", "m1");
        store.append(first, note("one"), 3.6);
        store.endTask(first, { ...END, state: TASK_STATE_COMPLETED });
        const second = begin(store, "c", "m2");
        const waiting = begin(store, "c", "m3", TASK_STATE_SUBMITTED);
        const other = begin(store, "c~peer.1", "m1");
        store.append(second, note("two"), 7);
        store.append(other, note("three"), 1);
        store.setLife(second, { n: 2, strikes: 1, steps: 2 }, traceOf("again"));
        store.setState(other, TASK_STATE_INPUT_REQUIRED, 99);
        store.append(waiting, note("four"), 0);
      },
      (store) => ({
        open: store.openTasks(),
        ended: store.task({ contextId: "c", n: 1 }),
        listed: store.tasks().map(({ contextId, n, state, updatedAt }) => [contextId, n, state, updatedAt]),
        byMessage: [store.taskOfMessage("c", "m2")?.n, store.taskOfMessage("c", "m4")],
        waits: store.waitingTask("c~peer.1")?.wakeAt,
        later: [1, 2, 3].map((n) => store.hasLater({ contextId: "c", n })),
        logs: [1, 2, 3].map((n) => store.threadLog({ contextId: "c", n })),
        questions: [1, 2, 3].map((n) => store.question({ contextId: "c", n })),
        resting: store.restingTasks().map(({ contextId }) => contextId),
      }),
    );
    expect(read).toEqual(known);
    expect(known.logs[1]).toMatchObject({ begin: 2, workedMs: 7 });
    expect(known.later).toEqual([true, true, false]);
  });

  it("numbers on where an earlier life ended", async () => {
    const { read } = await both(
      "store-on",
      (store) => void begin(store, "c", "m1"),
      (store) => {
        const next = begin(store, "c", crypto.randomUUID());
        store.append(next, note("more"), 0);
        return store.tasks("c").map(({ n }) => n);
      },
    );
    expect(read).toEqual([1, 2, 3]);
  });
});

describe("a step that may wait", () => {
  const look = (store: SessionStore) => store.ownSteps({ contextId: "c", n: 1 }).length;

  it("is known at once, and on disk with the next entry, before it", async () => {
    const { known, read } = await both(
      "store-later",
      (store) => {
        const row = begin(store, "c", "m1");
        store.appendLater(row, note("first"), 0);
        store.append(row, note("second"), 0);
      },
      (store) => store.ownSteps({ contextId: "c", n: 1 }),
    );
    expect(known).toEqual([{ kind: "user", text: "m1" }, note("first"), note("second")]);
    expect(read).toEqual(known);
  });

  it("is not on disk before that, unless it is flushed", async () => {
    const counts = await runInDurableObject(env.SCRATCH.getByName("store-waits"), (_, { storage }) => {
      const store = new SessionStore(storage.sql);
      const row = begin(store, "c", "m1");
      store.appendLater(row, note("waits"), 0);
      const before = look(new SessionStore(storage.sql));
      store.flush();
      return [before, look(new SessionStore(storage.sql))];
    });
    expect(counts).toEqual([1, 2]);
  });
});

it("a store with more steps than it keeps in memory reads them, and loses none", async () => {
  const text = "x".repeat(300_000);
  const { known, read } = await both(
    "store-large",
    (store) => {
      const row = begin(store, "c", "m1");
      for (let n = 0; n < 10; n++) store.append(row, note(`${n} ${text}`), n);
    },
    (store) => {
      const { steps, begin: from, workedMs } = store.threadLog({ contextId: "c", n: 1 });
      return [
        steps.length,
        from,
        workedMs,
        steps.map((step) => (step.kind === "note" ? step.text.slice(0, 2) : "")).join(""),
      ];
    },
  );
  expect(known).toEqual([11, 0, 9, "0 1 2 3 4 5 6 7 8 9 "]);
  expect(read).toEqual(known);
});
