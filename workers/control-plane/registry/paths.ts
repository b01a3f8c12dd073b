// The registry's part of the OpenAPI document, made from the zod schemas that check the requests.
import { queryParameters, ref, responses, schemaOf } from "../openapi-parts.ts";
import * as wire from "#shared/control-plane/registry.ts";

const ID_PARAMETER = { name: "id", in: "path", required: true, schema: schemaOf(wire.AgentId, "input") };

export const registrySchemas = {
  Registration: schemaOf(wire.Registration, "input"),
  Receipt: schemaOf(wire.Receipt, "output"),
  Renewal: schemaOf(wire.Renewal, "output"),
  Agent: schemaOf(wire.Agent, "output"),
  AgentPage: schemaOf(wire.AgentPage, "output"),
  FoundAgentList: schemaOf(wire.FoundAgentList, "output"),
};

export const registryPaths = {
  "/agents": {
    get: {
      summary: "List agents by id, page by page",
      parameters: queryParameters(wire.PageQuery, "output"),
      responses: responses(200, "AgentPage", [400]),
    },
  },
  "/agents/search": {
    get: {
      summary: "Find agents, alive ones first",
      parameters: queryParameters(wire.SearchQuery, "output"),
      responses: responses(200, "FoundAgentList", [400]),
    },
  },
  "/agents/register": {
    post: {
      summary: "Register an agent, or renew what is known of it",
      requestBody: { required: true, content: { "application/json": { schema: ref("Registration") } } },
      responses: responses(201, "Receipt", [400, 409, 413, 415]),
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
};
