// The accounts of queries over HTTP: checks what comes in, asks the job's Budget objects, words what went wrong.
import { Hono } from "hono";
import { problem, problemResponse, wrongMethod } from "#shared/http/problem.ts";
import { readJson } from "#shared/http/read-json.ts";
import { requireJob, type JobVariables } from "../auth.ts";
import type { Env } from "../env.ts";
import type { Booked } from "../rpc.ts";
import { Reserve, Reserved, Settle, TaskLife, TimeUp, ToolCalls } from "#shared/control-plane/budgets.ts";
import { budgetOf } from "./shards.ts";

const MAX_BODY_BYTES = 64 * 1024;

export const budgetRoutes = new Hono<{ Bindings: Env; Variables: JobVariables }>();

budgetRoutes.use(requireJob);

budgetRoutes.post("/reserve", async (c) => {
  const body = await readJson(c.req.raw, Reserve, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  const answer = await budgetOf(c.env, c.var.job, body.value.query).reserve(body.value);
  if (!("released" in answer)) return c.json(answer);
  return problemResponse(
    problem("reservation-released", "The call was released, so it is not granted any more. Ask under another id."),
  );
});

budgetRoutes.post("/tool-calls", async (c) => {
  const body = await readJson(c.req.raw, ToolCalls, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  return c.json(await budgetOf(c.env, c.var.job, body.value.query).countToolCalls(body.value));
});

budgetRoutes.post("/time-up", async (c) => {
  const body = await readJson(c.req.raw, TimeUp, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  return c.json(await budgetOf(c.env, c.var.job, body.value.query).timeIsUp(body.value));
});

budgetRoutes.post("/settle", async (c) => {
  const body = await readJson(c.req.raw, Settle, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  return booked(await budgetOf(c.env, c.var.job, body.value.query).settle(body.value), body.value);
});

budgetRoutes.post("/cut", async (c) => {
  const body = await readJson(c.req.raw, Reserved, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  return booked(await budgetOf(c.env, c.var.job, body.value.query).cut(body.value), body.value);
});

budgetRoutes.post("/cut-earlier-lives", async (c) => {
  const body = await readJson(c.req.raw, TaskLife, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  await budgetOf(c.env, c.var.job, body.value.query).cutEarlierLives(body.value);
  return new Response(null, { status: 204 });
});

budgetRoutes.post("/release", async (c) => {
  const body = await readJson(c.req.raw, Reserved, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  return booked(await budgetOf(c.env, c.var.job, body.value.query).release(body.value), body.value);
});

for (const path of ["/reserve", "/tool-calls", "/time-up", "/settle", "/cut", "/cut-earlier-lives", "/release"]) {
  budgetRoutes.all(path, () => wrongMethod("POST"));
}

budgetRoutes.get("/:query", async (c) => {
  const query = c.req.param("query");
  const account = await budgetOf(c.env, c.var.job, query).account(query);
  return account ? c.json(account) : unknownQuery(query);
});

budgetRoutes.all("/:query", () => wrongMethod("GET"));

function booked(result: Booked, { query, id }: Reserved): Response {
  switch (result) {
    case "booked":
      return new Response(null, { status: 204 });
    case "unknown-query":
      return unknownQuery(query);
    case "unknown-call":
      return problemResponse(
        problem("unknown-reservation", `The query has no call ${JSON.stringify(id.slice(0, 100))}. Reserve it first.`),
      );
  }
}

function unknownQuery(query: string): Response {
  const hint = "An account is opened by the first call of a query whose job sets a budget, and kept for 60 days.";
  return problemResponse(
    problem("unknown-query", `There is no account of the query ${JSON.stringify(query.slice(0, 100))}. ${hint}`),
  );
}
