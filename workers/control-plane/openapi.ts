// The OpenAPI 3.1 document of the control plane, joined from the parts of its rooms.
import { Problem } from "#shared/http/problem.ts";
import { budgetEndpoints, budgetSchemas } from "./budgets/endpoints.ts";
import { keyEndpoints, keySchemas } from "./keys/endpoints.ts";
import { responses, schemaOf } from "./openapi-parts.ts";
import { registryEndpoints, registrySchemas } from "./registry/endpoints.ts";
import { traceEndpoints, traceSchemas } from "./traces/endpoints.ts";

export const openApiDocument = {
  openapi: "3.1.0",
  info: {
    title: "Troupe control plane",
    version: "1.0.0",
    description:
      "The registry, the traces and the budgets of a job's agents, and its keys. The bearer token decides the job.",
  },
  security: [{ job: [] }],
  paths: {
    ...registryEndpoints.paths,
    ...traceEndpoints.paths,
    ...budgetEndpoints.paths,
    ...keyEndpoints.paths,
    "/health": { get: { summary: "Whether the server runs", security: [], responses: responses(200) } },
  },
  components: {
    securitySchemes: {
      job: {
        type: "http",
        scheme: "bearer",
        description: "The token of one job. A key with the scope `operate` reads and deletes, all but keys.",
      },
    },
    schemas: {
      ...registrySchemas,
      ...traceSchemas,
      ...budgetSchemas,
      ...keySchemas,
      Problem: schemaOf(Problem, "output"),
    },
  },
};
