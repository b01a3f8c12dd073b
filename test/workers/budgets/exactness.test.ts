import { expect, test } from "vitest";
import { queryAccount } from "#shared/agent/query-account.ts";
import { BudgetSpent, type Limits } from "#shared/budget/limits.ts";
import { Reserve } from "#shared/control-plane/budgets.ts";
import controlPlane from "../../../workers/control-plane/index.ts";
import { randomOf } from "../../support/fuzzed-requests.ts";
import { account, call, ENV, objectOf, QUERY, tokenOf } from "./accounts.ts";

const PRICE = { input: 0.37, output: 10.01, cacheRead: 0.037, cacheWrite: 0.4625 };
/** The same in whole pico-dollars a token. */
const PICO = { input: 370_000n, output: 10_010_000n, cacheRead: 37_000n, cacheWrite: 462_500n };

test.for([
  ["turns", { maxTurns: 23 }],
  ["tokens", { maxTokens: 9_999 }],
  ["dollars", { maxUsd: 0.05 }],
] as [string, Limits][])(
  "ten agents side by side cannot overspend the %s of their query together",
  async ([name, limits]) => {
    const job = `parallel-${name}`;
    const refusals = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => spend(job, `agent_${index}`, limits, index)),
    );
    const { spent, states, exhausted, byAgent } = await account(job);
    expect(states.open.turns + states.cut.turns).toBe(0);
    expect(spent.turns).toBeLessThanOrEqual(limits.maxTurns ?? Number.POSITIVE_INFINITY);
    expect(spent.tokens).toBeLessThanOrEqual(limits.maxTokens ?? Number.POSITIVE_INFINITY);
    expect(spent.usd).toBeLessThanOrEqual(limits.maxUsd ?? Number.POSITIVE_INFINITY);
    // Nobody stopped while there was room for more than the shortest answer.
    expect(exhausted && exhausted.spent + exhausted.needed).toBeGreaterThan(
      exhausted?.limit ?? Number.POSITIVE_INFINITY,
    );
    expect(new Set(refusals.map(({ kind }) => kind))).toEqual(new Set([exhausted?.kind]));
    expect(byAgent.reduce((sum, share) => sum + share.turns, 0)).toBe(spent.turns);
    for (const { message } of refusals) expect(message).toContain("of the whole query was spent");
  },
);

/** Calls the model until the budget is spent, using all that it may. */
async function spend(job: string, agent: string, limits: Limits, inputTokens: number): Promise<BudgetSpent> {
  const spender = { query: QUERY, agent, task: `task of ${agent}`, life: 0, limits, price: PRICE };
  const own = queryAccount(environment(job), spender);
  const { signal } = new AbortController();
  for (;;) {
    try {
      const { id, maxTokens } = await own.reserve({ inputTokens, maxTokens: 700 }, signal);
      await own.settle(id, {
        inputTokens: 0,
        outputTokens: maxTokens,
        cacheReadTokens: 0,
        cacheWriteTokens: inputTokens,
      });
    } catch (error) {
      if (error instanceof BudgetSpent) return error;
      throw error;
    }
  }
}

function environment(job: string) {
  const fetch = async (url: string, init: RequestInit) => controlPlane.request(url, init, ENV);
  return { CONTROL_PLANE: { fetch }, TROUPE_TOKEN: tokenOf(job) };
}

interface Booked {
  readonly state: "open" | "settled" | "cut" | "released";
  readonly tokens: number;
  readonly pico: bigint;
}

test.for(Array.from({ length: 25 }, (_, seed) => seed))(
  "whatever order reserve, settle, cut and release come in, sums are exact and limits hold (seed %d)",
  async (seed) => {
    const random = randomOf(seed);
    const limits = { maxTurns: 30, maxTokens: 20_000, maxUsd: 0.1 };
    const job = `random-${seed}`;
    const object = objectOf(job);
    const booked = new Map<string, Booked>();
    for (let step = 0; step < 60; step++) {
      const id = `call ${Math.floor(random() * 25)}`;
      const before = booked.get(id);
      const inputTokens = Math.floor(random() * 500);
      const action = Math.floor(random() * 5);
      if (action < 2) {
        const maxTokens = 1 + Math.floor(random() * 1500);
        const asked = Reserve.parse(call(id, { limits, price: PRICE, inputTokens, maxTokens }));
        const answer = await object.reserve(asked);
        if (before || !("granted" in answer)) continue;
        const tokens = answer.granted.maxTokens;
        const pico = BigInt(inputTokens) * PICO.cacheWrite + BigInt(tokens) * PICO.output;
        booked.set(id, { state: "open", tokens: inputTokens + tokens, pico });
      } else if (action === 2) {
        // A part of what was set aside: at most as much, and never more expensive.
        const all = before ? Math.floor(before.tokens * random() * 0.9) : 0;
        const output = before && before.pico > BigInt(all) * PICO.output ? all : 0;
        const usage = { inputTokens: 0, outputTokens: output, cacheReadTokens: all - output, cacheWriteTokens: 0 };
        await object.settle({ query: QUERY, id, usage, price: PRICE });
        const pico = BigInt(output) * PICO.output + BigInt(all - output) * PICO.cacheRead;
        if (before?.state !== "released" && before) booked.set(id, { state: "settled", tokens: all, pico });
        else if (before) booked.set(id, { state: "settled", tokens: 0, pico: 0n });
      } else if (action === 3) {
        await object.cut({ query: QUERY, id });
        if (before?.state === "open") booked.set(id, { ...before, state: "cut" });
      } else {
        await object.release({ query: QUERY, id });
        const isOpen = before?.state === "open" || before?.state === "cut";
        if (isOpen || (!before && booked.size > 0)) booked.set(id, { state: "released", tokens: 0, pico: 0n });
      }
      const { spent, states } = (await object.account(QUERY)) ?? {};
      if (!spent || !states) continue;
      expect(spent.tokens).toBeLessThanOrEqual(limits.maxTokens);
      expect(spent.usd).toBeLessThanOrEqual(limits.maxUsd);
      for (const state of ["open", "settled", "cut"] as const) {
        const own = [...booked.values()].filter((entry) => entry.state === state);
        expect(states[state]).toMatchObject({
          turns: own.length,
          tokens: own.reduce((sum, entry) => sum + entry.tokens, 0),
          usd: Number(own.reduce((sum, entry) => sum + entry.pico, 0n)) / 1e12,
        });
      }
    }
    expect(booked.size).toBeGreaterThan(10);
  },
);
