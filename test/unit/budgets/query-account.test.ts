import { afterEach, expect, test, vi } from "vitest";
import { queryAccount, type Spender } from "#shared/agent/control-plane/query-account.ts";
import { BudgetSpent, PriceUnknown } from "#shared/budget/limits.ts";
import { BudgetUnreachable } from "#shared/budget/account.ts";
import { type AccountServer, accountServer, type Answering } from "../../support/account-server.ts";
import { SettableClock } from "../../support/settable-clock.ts";

const CALL = { inputTokens: 100, maxTokens: 1000 };
const USAGE = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 };
const PRICE = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
type Patience = NonNullable<Parameters<typeof queryAccount>[2]>;
/** A busy machine may take long to answer. */
const PATIENT: Patience = { waitMs: 50, answerMs: 10_000, giveUpMs: 15_000, delaysMs: [1, 10] };
/** Where nothing else comes. */
const QUICK: Patience = { ...PATIENT, answerMs: 100, giveUpMs: 300 };
const NEVER = new AbortController().signal;
const GRANTED = { status: 200, body: { granted: { maxTokens: 700 } } };

let server: AccountServer;
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await server.close();
});

async function accountAt(answering: Answering, changes: Partial<Spender> = {}, patience = PATIENT) {
  server = await accountServer(answering);
  return queryAccount(server.env, spender(changes), patience);
}

function spender(changes: Partial<Spender>): Spender {
  const owner = { query: "q", agent: "searcher", task: "task", life: 3 };
  return { ...owner, limits: { maxTurns: 9 }, price: undefined, ...changes };
}

/** What a promise rejects with. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "It did not fail.",
    (error: unknown) => error,
  );
}

test("each call of a life has an id of its own, and says who spends, with the job's token", async () => {
  const account = await accountAt(() => GRANTED, { price: PRICE });
  const first = await account.reserve(CALL, NEVER);
  const second = await account.reserve(CALL, NEVER);
  const reborn = await queryAccount(server.env, spender({ life: 4 }), PATIENT).reserve(CALL, NEVER);
  expect(first).toEqual({ id: "searcher:task:3:1", maxTokens: 700 });
  expect([second.id, reborn.id]).toEqual(["searcher:task:3:2", "searcher:task:4:1"]);
  expect(server.asked[0]).toEqual({
    operation: "reserve",
    token: "Bearer job.token",
    body: { ...owner(), limits: { maxTurns: 9 }, life: 3, id: first.id, ...CALL, waitMs: 50, price: PRICE },
  });
});

test("what a call came to is booked under its id", async () => {
  const account = await accountAt(() => ({ status: 204 }), { price: PRICE });
  await account.settle("a", USAGE);
  await account.cut("b");
  await account.cutEarlierLives();
  await account.release("c");
  expect(server.asked.map(({ operation, body }) => ({ operation, body }))).toEqual([
    { operation: "settle", body: { query: "q", id: "a", usage: USAGE, price: PRICE } },
    { operation: "cut", body: { query: "q", id: "b" } },
    { operation: "cut-earlier-lives", body: { ...owner(), life: 3 } },
    { operation: "release", body: { query: "q", id: "c" } },
  ]);
});

test("tool calls keep their id over the lives of a task", async () => {
  const account = await accountAt(() => ({ status: 200, body: { ok: true } }));
  await account.countToolCalls("step 7", 2, NEVER);
  await queryAccount(server.env, spender({ life: 4 }), PATIENT).countToolCalls("step 7", 2, NEVER);
  const body = { ...owner(), limits: { maxTurns: 9 }, id: "searcher:task:step 7", count: 2 };
  expect(server.asked.map((asked) => asked.body)).toEqual([body, body]);
});

test("a spent budget is said in words: which, how much, and by whom", async () => {
  const byAgent = [
    { agent: "searcher", turns: 12, tokens: 9, usd: 0, toolCalls: 0 },
    { agent: "coordinator", turns: 8, tokens: 9, usd: 0, toolCalls: 0 },
  ];
  const exhausted = { kind: "turns", limit: 20, spent: 20, needed: 1, byAgent };
  const account = await accountAt(() => ({ status: 200, body: { exhausted } }));
  const work = [account.reserve(CALL, NEVER), account.countToolCalls("t", 1, NEVER)];
  for (const error of await Promise.all(work.map(failure))) {
    expect(error).toBeInstanceOf(BudgetSpent);
    expect(error).toMatchObject({
      kind: "turns",
      message:
        "The budget of 20 model calls of the whole query was spent before the answer was complete (searcher: 12, coordinator: 8).",
    });
  }
  expect(server.asked.map(({ operation }) => operation).toSorted()).toEqual(["reserve", "tool-calls"]);
});

test("a call that has to wait is asked for again under the same id", async () => {
  const account = await accountAt((_, count) => (count < 4 ? { status: 200, body: { wait: true } } : GRANTED));
  expect((await account.reserve(CALL, NEVER)).maxTokens).toBe(700);
  expect(new Set(server.asked.map(({ body }) => body.id)).size).toBe(1);
  expect(server.asked).toHaveLength(4);
});

test.for([
  ["answers 500", { status: 500 }],
  ["answers 503", { status: 503 }],
  ["answers 429", { status: 429 }],
  ["hangs up", "hang up"],
  ["says nothing", "silence"],
] as const)("while the control plane %s it is asked again, the same", async ([, trouble]) => {
  const answer: Answering = ({ operation }, count) => {
    if (operation === "reserve") return count === 1 ? trouble : GRANTED;
    return count === 3 ? trouble : { status: 204 };
  };
  const account = await accountAt(answer, {}, trouble === "silence" ? { ...PATIENT, answerMs: 1_000 } : PATIENT);
  const { id } = await account.reserve(CALL, NEVER);
  await account.settle(id, USAGE);
  const bodies = server.asked.map(({ body }) => body);
  expect(bodies[1]).toEqual(bodies[0]);
  expect(bodies[3]).toEqual(bodies[2]);
  expect(bodies).toHaveLength(4);
});

test.for([
  ["answers 500", { status: 500 }, "it answered 500"],
  ["hangs up", "hang up", "it does not answer"],
  ["says nothing", "silence", "it does not answer"],
] as const)("a control plane that only ever %s means that no model call is made", async ([, trouble, said]) => {
  const answerMs = trouble === "silence" ? QUICK.answerMs : PATIENT.answerMs;
  const account = await accountAt(() => trouble, {}, { ...QUICK, answerMs });
  const work = [
    account.reserve(CALL, NEVER),
    account.settle("a", USAGE),
    account.cut("a"),
    account.cutEarlierLives(),
    account.release("a"),
    account.countToolCalls("t", 1, NEVER),
  ];
  for (const error of await Promise.all(work.map(failure))) {
    expect(error).toBeInstanceOf(BudgetUnreachable);
    expect(String(error)).toContain(`(${said}), so no model call is made`);
    expect(String(error)).not.toMatch(/127\.0\.0\.1|http/);
  }
});

test("a control plane that is not there means that no model call is made", async () => {
  const account = await accountAt(() => GRANTED, {}, { ...QUICK, answerMs: PATIENT.answerMs });
  await server.close();
  const error = await failure(account.reserve(CALL, NEVER));
  expect(error).toBeInstanceOf(BudgetUnreachable);
  expect(String(error)).not.toMatch(/127\.0\.0\.1|http/);
});

test.for([
  ["a refusal", { status: 401, body: problemOf("Deploy the job again.") }, "it answered 401, Deploy the job again."],
  ["another page", { status: 404, body: "<html>" }, "it answered 404"],
  ["what fits no schema", { status: 200, body: { granted: { maxTokens: 0 } } }, "was not understood"],
] as const)("an answer that is %s is not asked for again", async ([, answer, said]) => {
  const account = await accountAt(({ operation }) => (operation === "release" ? { status: 204 } : answer));
  const error = await failure(account.reserve(CALL, NEVER));
  expect(error).toBeInstanceOf(BudgetUnreachable);
  expect(String(error)).toContain(said);
  expect(server.asked.filter(({ operation }) => operation === "reserve")).toHaveLength(1);
});

test.for(["silence", { status: 200, body: { wait: true } }, { status: 500 }] as const)(
  "a canceled task stops asking at once, and gives up what it may have been granted (%j)",
  async (answer) => {
    const reason = new Error("canceled");
    const cancel = new AbortController();
    const account = await accountAt(({ operation }) => {
      if (operation === "release") return { status: 204 };
      cancel.abort(reason);
      return answer;
    });
    expect(await failure(account.reserve(CALL, cancel.signal))).toBe(reason);
    await vi.waitFor(() => expect(server.asked.at(-1)?.operation).toBe("release"), { timeout: 5_000, interval: 5 });
    expect(server.asked.map(({ body }) => body.id)).toEqual(["searcher:task:3:1", "searcher:task:3:1"]);
  },
);

test("a clock that is set forward by an hour while the control plane is away does not use up the time to try", async () => {
  await accountAt(() => GRANTED);
  const clock = new SettableClock();
  const answers = [503, 503, 204];
  // Not over a socket, which would wait for timers that a test holds still.
  const fetch = async () => new Response(null, { status: answers.shift() ?? 500 });
  const patience = { waitMs: 10_000, answerMs: 5_000, giveUpMs: 15_000, delaysMs: [1_000] } as const;
  const env = { ...server.env, CONTROL_PLANE: { fetch } };
  const settled = queryAccount(env, spender({}), patience).settle("a", USAGE);
  await clock.pass(500);
  await clock.set(3_600_000);
  await clock.pass(1_000);
  await settled;
  expect(answers).toEqual([]);
});

test("a canceled task does not wait for the next try", async () => {
  const reason = new Error("canceled");
  const cancel = new AbortController();
  server = await accountServer(() => ({ status: 500 }));
  const slow = { ...PATIENT, giveUpMs: 120_000, delaysMs: [60_000] } as const;
  const failed = failure(queryAccount(server.env, spender({}), slow).reserve(CALL, cancel.signal));
  await vi.waitFor(() => expect(server.asked).toHaveLength(1), { timeout: 5_000, interval: 5 });
  cancel.abort(reason);
  expect(await failed).toBe(reason);
});

test("dollars without a price are refused before anybody is asked", async () => {
  const account = await accountAt(() => GRANTED, { limits: { maxUsd: 1 } });
  const error = await failure(account.reserve(CALL, NEVER));
  expect(error).toBeInstanceOf(PriceUnknown);
  expect(String(error)).toContain("searcher");
  expect(String(error)).toContain("model.price");
  expect(server.asked).toEqual([]);
});

function owner() {
  return { query: "q", agent: "searcher", task: "task" };
}

function problemOf(detail: string) {
  return { type: "/problems/unauthorized", title: "No", status: 401, detail };
}
