// Asks the control plane's accounts over HTTP as one job, for the tests beside this file.
import { env as bindings } from "cloudflare:workers";
import { expect, vi } from "vitest";
import type * as z from "zod";
import { mac } from "#shared/a2a/token.ts";
import controlPlane from "../../../workers/control-plane/index.ts";
import { QueryAccount, type Reserve, ReserveAnswer, ToolCallsAnswer } from "#shared/control-plane/budgets.ts";
import { budgetOf } from "../../../workers/control-plane/budgets/shards.ts";

const SECRET = "a secret of the control plane, long enough";
export const QUERY = "query-1";
export const ENV = { ...bindings, TROUPE_URL: "https://control-plane", TROUPE_SECRET: SECRET };

/** Files share a runtime, but no jobs. */
function ofFile(job: string): string {
  const { testPath = "" } = expect.getState();
  return `${job}-${testPath.replaceAll(/^.*\/|\.test\.ts$/g, "")}`;
}

export function tokenOf(job: string): string {
  const own = ofFile(job);
  return `${own}.${mac(SECRET, `job:${own}`)}`;
}

export async function ask(job: string, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${tokenOf(job)}`, ...(body && { "content-type": "application/json" }) };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  return controlPlane.request(`http://localhost/v1/budgets${path}`, init, ENV);
}

type Asked = z.input<typeof Reserve>;
type Changes = Partial<Asked>;

/** A call of 100 tokens that wants an answer of 1000, of the searcher's task. */
export function call(id: string, changes: Changes = {}): Asked {
  const owner = { query: QUERY, agent: "searcher", task: "task-1", life: 0 };
  return { ...owner, limits: {}, id, inputTokens: 100, maxTokens: 1000, waitMs: 0, ...changes };
}

export async function reserve(job: string, id: string, changes: Changes = {}): Promise<ReserveAnswer> {
  const response = await ask(job, "POST", "/reserve", call(id, changes));
  expect(response.status).toBe(200);
  return ReserveAnswer.parse(await response.json());
}

/** Tokens of the answer that was granted; fails the test when it was not. */
export async function granted(job: string, id: string, changes: Changes = {}): Promise<number> {
  const answer = await reserve(job, id, changes);
  if (!("granted" in answer)) throw new Error(`It was not granted: ${JSON.stringify(answer)}`);
  return answer.granted.maxTokens;
}

/** Books `tokens` of output for a call. */
export async function settle(job: string, id: string, tokens: number, price?: Asked["price"]): Promise<number> {
  const usage = { inputTokens: 0, outputTokens: tokens, cacheReadTokens: 0, cacheWriteTokens: 0 };
  return (await ask(job, "POST", "/settle", { query: QUERY, id, usage, ...(price && { price }) })).status;
}

export async function end(job: string, how: "cut" | "release", id: string): Promise<number> {
  return (await ask(job, "POST", `/${how}`, { query: QUERY, id })).status;
}

/** Says that a task goes on in another life. */
export async function cutEarlierLives(job: string, life: number, task = "task-1"): Promise<number> {
  const owner = { query: QUERY, agent: "searcher", task };
  return (await ask(job, "POST", "/cut-earlier-lives", { ...owner, life })).status;
}

export async function countTools(job: string, id: string, count: number, limits: object): Promise<ToolCallsAnswer> {
  const owner = { query: QUERY, agent: "searcher", task: "task-1" };
  return ToolCallsAnswer.parse(await (await ask(job, "POST", "/tool-calls", { ...owner, limits, id, count })).json());
}

export async function account(job: string, query = QUERY): Promise<QueryAccount> {
  const response = await ask(job, "GET", `/${encodeURIComponent(query)}`);
  expect(response.status).toBe(200);
  return QueryAccount.parse(await response.json());
}

/** Resolves once so many calls wait. */
export async function waiting(job: string, count: number): Promise<void> {
  await vi.waitFor(async () => expect((await account(job)).waiting).toBe(count), { timeout: 15_000, interval: 5 });
}

export function objectOf(job: string, query = QUERY) {
  return budgetOf(bindings, ofFile(job), query);
}
