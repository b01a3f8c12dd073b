// The accounts' part of the OpenAPI document, made from the zod schemas that check the requests.
import { ref, responses, schemaOf } from "../openapi-parts.ts";
import * as wire from "#shared/control-plane/budgets.ts";

const QUERY_PARAMETER = { name: "query", in: "path", required: true, schema: schemaOf(wire.QueryId, "input") };

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

export const budgetPaths = {
  "/v1/budgets/reserve": {
    post: {
      summary: "Set aside what a model call may cost",
      description:
        "Waits for up to `waitMs` where calls under way may leave enough. Once a budget is spent, every further call of the query is refused.",
      requestBody: body("Reserve"),
      responses: responses(200, "ReserveAnswer", [400, 409, 413, 415]),
    },
  },
  "/v1/budgets/settle": {
    post: {
      summary: "Book what a call has really used",
      requestBody: body("Settle"),
      responses: responses(204, undefined, [400, 404, 413, 415]),
    },
  },
  "/v1/budgets/cut": {
    post: {
      summary: "Say that a call broke off: all that was set aside counts",
      requestBody: body("Reserved"),
      responses: responses(204, undefined, [400, 404, 413, 415]),
    },
  },
  "/v1/budgets/cut-earlier-lives": {
    post: {
      summary: "Say that a task goes on in another life: what its former ones left open broke off",
      requestBody: body("TaskLife"),
      responses: responses(204, undefined, [400, 413, 415]),
    },
  },
  "/v1/budgets/release": {
    post: {
      summary: "Give a call up that was never made: nothing counts",
      requestBody: body("Reserved"),
      responses: responses(204, undefined, [400, 404, 413, 415]),
    },
  },
  "/v1/budgets/tool-calls": {
    post: {
      summary: "Book tool calls, all or none",
      requestBody: body("ToolCalls"),
      responses: responses(200, "ToolCallsAnswer", [400, 413, 415]),
    },
  },
  "/v1/budgets/time-up": {
    post: {
      summary: "Say that the time of the whole query is over: no call of it is granted any more",
      requestBody: body("TimeUp"),
      responses: responses(200, "TimeUpAnswer", [400, 413, 415]),
    },
  },
  "/v1/budgets/{query}": {
    parameters: [QUERY_PARAMETER],
    get: { summary: "Show the account of a query", responses: responses(200, "QueryAccount", [404]) },
  },
};

function body(schema: string): object {
  return { required: true, content: { "application/json": { schema: ref(schema) } } };
}
