// The registry over HTTP: checks requests, calls the job's Registry object, and words what is wrong.
import * as wire from "#shared/control-plane/registry.ts";
import { problem, problemResponse } from "#shared/http/problem.ts";
import { parseTraceparent } from "#shared/tracing/trace-context.ts";
import { refusedAs } from "../auth.ts";
import { Endpoints, type JobContext, withBody, withQuery } from "../endpoints.ts";
import { jsonBody, pathParameter, queryParameters, responses, schemaOf } from "../openapi-parts.ts";
import type { RegistryRpc } from "../rpc.ts";

const MAX_BODY_BYTES = 256 * 1024;

const ID_PARAMETER = pathParameter("id", wire.AgentId);

export const registrySchemas = {
  Registration: schemaOf(wire.Registration, "input"),
  Receipt: schemaOf(wire.Receipt, "output"),
  Renewal: schemaOf(wire.Renewal, "output"),
  Agent: schemaOf(wire.Agent, "output"),
  AgentPage: schemaOf(wire.AgentPage, "output"),
  FoundAgentList: schemaOf(wire.FoundAgentList, "output"),
};

export const registryEndpoints = new Endpoints("/agents");

registryEndpoints.add("/", {
  get: {
    agents: true,
    summary: "List agents by id, page by page",
    parameters: queryParameters(wire.PageQuery, "output"),
    responses: responses(200, "AgentPage", [400]),
    serve: withQuery(wire.PageQuery, async (c, query) => c.json(await registryOf(c).page(query))),
  },
});

registryEndpoints.add("/search", {
  get: {
    agents: true,
    summary: "Find agents, alive ones first",
    parameters: queryParameters(wire.SearchQuery, "output"),
    responses: responses(200, "FoundAgentList", [400]),
    serve: withQuery(wire.SearchQuery, async (c, query) => c.json({ agents: await registryOf(c).search(query) })),
  },
});

registryEndpoints.add("/register", {
  post: {
    agents: true,
    summary: "Register an agent, or renew what is known of it",
    requestBody: jsonBody("Registration"),
    responses: responses(201, "Receipt", [400, 403, 409, 413, 415]),
    serve: withBody(wire.Registration, MAX_BODY_BYTES, async (c, registration) => {
      const refused = refusedAs(c, registration.id);
      if (refused) return refused;
      const receipt = await registryOf(c).register(registration, parseTraceparent(c.req.header("traceparent")));
      return receipt === "full" ? problemResponse(FULL) : c.json(receipt, 201);
    }),
  },
});

registryEndpoints.add(
  "/:id",
  {
    get: {
      agents: true,
      summary: "Show one agent",
      responses: responses(200, "Agent", [404]),
      serve: async (c, id) => {
        const agent = await registryOf(c).get(id);
        return agent.found ? c.json(agent.value) : unknownAgent(c, id, agent.nearest);
      },
    },
    delete: {
      agents: true,
      summary: "Forget an agent",
      responses: responses(204, undefined, [403, 404]),
      serve: async (c, id) => {
        const refused = refusedAs(c, id);
        if (refused) return refused;
        const removed = await registryOf(c).remove(id);
        return removed.found ? c.body(null, 204) : unknownAgent(c, id, removed.nearest);
      },
    },
  },
  ID_PARAMETER,
);

registryEndpoints.add(
  "/:id/heartbeat",
  {
    post: {
      agents: true,
      summary: "Renew an agent's lease",
      responses: responses(200, "Renewal", [403, 404]),
      serve: async (c, id) => {
        const refused = refusedAs(c, id);
        if (refused) return refused;
        const renewal = await registryOf(c).heartbeat(id);
        return renewal.found ? c.json(renewal.value) : unknownAgent(c, id, renewal.nearest);
      },
    },
  },
  ID_PARAMETER,
);

function registryOf(c: JobContext): DurableObjectStub<RegistryRpc> {
  return c.env.REGISTRY.getByName(c.var.job);
}

const FULL = problem(
  "registry-full",
  `The job has ${wire.MAX_REGISTERED} living agents, which is the limit. Remove some: DELETE /agents/{id}.`,
);

function unknownAgent(c: JobContext, id: string, nearest: string | undefined): Response {
  const shown = JSON.stringify(id.slice(0, 100));
  const hint = nearest ? `Did you mean "${nearest}"?` : "GET /agents lists those there are.";
  return problemResponse(problem("unknown-agent", `The job "${c.var.job}" has no agent ${shown}. ${hint}`));
}
