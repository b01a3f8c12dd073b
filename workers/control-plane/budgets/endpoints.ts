// The accounts of queries over HTTP: checks requests, calls the job's Budget objects, and words what is wrong.
import type * as z from "zod";
import * as wire from "#shared/control-plane/budgets.ts";
import { problem, problemResponse } from "#shared/http/problem.ts";
import { Endpoints, withBody } from "../endpoints.ts";
import { refusedAs } from "../auth.ts";
import { jsonBody, pathParameter, responses, schemaOf } from "../openapi-parts.ts";
import type { Booked, BudgetRpc } from "../rpc.ts";
import { budgetOf } from "./shards.ts";

const MAX_BODY_BYTES = 64 * 1024;

const QUERY_PARAMETER = pathParameter("query", wire.QueryId);

export const budgetSchemas = {
  Reserve: schemaOf(wire.Reserve, "input"),
  ReserveAnswer: schemaOf(wire.ReserveAnswer, "output"),
  Settle: schemaOf(wire.Settle, "input"),
  Reserved: schemaOf(wire.Reserved, "input"),
  TaskLife: schemaOf(wire.TaskLife, "input"),
  ToolCalls: schemaOf(wire.ToolCalls, "input"),
  ToolCallsAnswer: schemaOf(wire.ToolCallsAnswer, "output"),
  TimeUp: schemaOf(wire.TimeUp, "input"),
  TimeUpAnswer: schemaOf(wire.TimeUpAnswer, "output"),
  QueryAccount: schemaOf(wire.QueryAccount, "output"),
};

export const budgetEndpoints = new Endpoints("/v1/budgets");

budgetEndpoints.add("/reserve", {
  post: {
    agents: true,
    summary: "Set aside what a model call may cost",
    description:
      "Waits for up to `waitMs` where calls under way may leave enough. Once a budget is spent, every further call of the query is refused.",
    requestBody: jsonBody("Reserve"),
    responses: responses(200, "ReserveAnswer", [400, 403, 409, 413, 415]),
    serve: forQuery(wire.Reserve, async (budget, call) => {
      const answer = await budget.reserve(call);
      return "released" in answer ? problemResponse(RELEASED) : Response.json(answer);
    }),
  },
});

budgetEndpoints.add("/settle", {
  post: {
    agents: true,
    summary: "Book what a call has really used",
    requestBody: jsonBody("Settle"),
    responses: responses(204, undefined, [400, 403, 404, 413, 415]),
    serve: forQuery(wire.Settle, async (budget, call) => booked(await budget.settle(call), call)),
  },
});

budgetEndpoints.add("/cut", {
  post: {
    agents: true,
    summary: "Say that a call broke off: all that was set aside counts",
    requestBody: jsonBody("Reserved"),
    responses: responses(204, undefined, [400, 403, 404, 413, 415]),
    serve: forQuery(wire.Reserved, async (budget, call) => booked(await budget.cut(call), call)),
  },
});

budgetEndpoints.add("/cut-earlier-lives", {
  post: {
    agents: true,
    summary: "Say that a task goes on in another life: what its former ones left open broke off",
    requestBody: jsonBody("TaskLife"),
    responses: responses(204, undefined, [400, 403, 413, 415]),
    serve: forQuery(wire.TaskLife, async (budget, current) => {
      await budget.cutEarlierLives(current);
      return new Response(null, { status: 204 });
    }),
  },
});

budgetEndpoints.add("/release", {
  post: {
    agents: true,
    summary: "Give a call up that was never made: nothing counts",
    requestBody: jsonBody("Reserved"),
    responses: responses(204, undefined, [400, 403, 404, 413, 415]),
    serve: forQuery(wire.Reserved, async (budget, call) => booked(await budget.release(call), call)),
  },
});

budgetEndpoints.add("/tool-calls", {
  post: {
    agents: true,
    summary: "Book tool calls, all or none",
    requestBody: jsonBody("ToolCalls"),
    responses: responses(200, "ToolCallsAnswer", [400, 403, 413, 415]),
    serve: forQuery(wire.ToolCalls, async (budget, calls) => Response.json(await budget.countToolCalls(calls))),
  },
});

budgetEndpoints.add("/time-up", {
  post: {
    agents: true,
    summary: "Say that the time of the whole query is over: no call of it is granted any more",
    requestBody: jsonBody("TimeUp"),
    responses: responses(200, "TimeUpAnswer", [400, 403, 413, 415]),
    serve: forQuery(wire.TimeUp, async (budget, time) => Response.json(await budget.timeIsUp(time))),
  },
});

budgetEndpoints.add(
  "/:query",
  {
    get: {
      summary: "Show the account of a query",
      responses: responses(200, "QueryAccount", [403, 404]),
      serve: async (c, query) => {
        const account = await budgetOf(c.env, c.var.job, query).account(query);
        return account ? c.json(account) : unknownQuery(query);
      },
    },
  },
  QUERY_PARAMETER,
);

/** Passes the request's body to the Budget object of the query that the body names. An agent names itself, and calls of its own. */
function forQuery<Schema extends z.ZodType<{ readonly query: string; readonly agent?: string; readonly id?: string }>>(
  schema: Schema,
  serve: (budget: DurableObjectStub<BudgetRpc>, body: z.output<Schema>) => Promise<Response>,
) {
  return withBody(schema, MAX_BODY_BYTES, async (c, body) => {
    for (const name of [body.agent, body.id === undefined ? undefined : callerOf(body.id)]) {
      const refused = name === undefined ? undefined : refusedAs(c, name);
      if (refused) return refused;
    }
    return serve(budgetOf(c.env, c.var.job, body.query), body);
  });
}

/** Agents begin the ids of their calls with their own and a colon. */
function callerOf(id: string): string {
  return id.split(":", 1)[0] ?? "";
}

const RELEASED = problem(
  "reservation-released",
  "The call was released, so it is not granted any more. Ask under another id.",
);

function booked(result: Booked, { query, id }: wire.Reserved): Response {
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
