// The OpenAPI 3.1 document of the control plane, made from the zod schemas that check the requests.
import * as z from "zod";
import { Problem } from "#shared/http/problem.ts";
import * as wire from "./schema.ts";

const bodies = {
  Receipt: wire.Receipt,
  Renewal: wire.Renewal,
  Agent: wire.Agent,
  AgentList: wire.AgentList,
  FoundAgentList: wire.FoundAgentList,
  Problem,
};
type BodyName = keyof typeof bodies;

const ID_PARAMETER = { name: "id", in: "path", required: true, schema: schemaOf(wire.AgentId, "input") };

export const openApiDocument = {
  openapi: "3.1.0",
  info: {
    title: "Troupe control plane",
    version: "1.0.0",
    description: "The registry of a job's agents. The bearer token decides the job.",
  },
  security: [{ job: [] }],
  paths: {
    "/agents": { get: { summary: "List all agents", responses: responses(200, "AgentList") } },
    "/agents/search": {
      get: {
        summary: "Find agents, alive ones first",
        parameters: queryParameters(),
        responses: responses(200, "FoundAgentList", [400]),
      },
    },
    "/agents/register": {
      post: {
        summary: "Register an agent, or renew what is known of it",
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/Registration" } } },
        },
        responses: responses(201, "Receipt", [400, 413, 415]),
      },
    },
    "/agents/{id}": {
      parameters: [ID_PARAMETER],
      get: { summary: "Show one agent", responses: responses(200, "Agent", [404]) },
      delete: { summary: "Forget an agent", responses: responses(204, undefined, [404]) },
    },
    "/agents/{id}/heartbeat": {
      parameters: [ID_PARAMETER],
      post: { summary: "Renew an agent's lease", responses: responses(200, "Renewal", [404]) },
    },
    "/health": { get: { summary: "Whether the server runs", security: [], responses: responses(200) } },
  },
  components: {
    securitySchemes: { job: { type: "http", scheme: "bearer", description: "The token of one job." } },
    schemas: {
      Registration: schemaOf(wire.Registration, "input"),
      ...Object.fromEntries(Object.entries(bodies).map(([name, schema]) => [name, schemaOf(schema, "output")])),
    },
  },
};

function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io });
  return jsonSchema;
}

function queryParameters(): object[] {
  const { shape } = wire.SearchQuery;
  return Object.entries(shape).map(([name, schema]) => ({ name, in: "query", schema: schemaOf(schema, "output") }));
}

/** The responses of an operation: success, the named client errors, and those of every operation. */
function responses(status: number, body?: BodyName, errors: number[] = []): Record<string, object> {
  const success = body ? { content: jsonContent("application/json", body) } : {};
  const failure = {
    description: "What was wrong and what to do",
    content: jsonContent("application/problem+json", "Problem"),
  };
  const failures = Object.fromEntries([...errors, 401, 503].map((code) => [String(code), failure]));
  return { [String(status)]: { description: "Success", ...success }, ...failures };
}

function jsonContent(type: string, body: BodyName): object {
  return { [type]: { schema: { $ref: `#/components/schemas/${body}` } } };
}
