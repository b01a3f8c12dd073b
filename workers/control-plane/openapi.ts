// The OpenAPI 3.1 document of the control plane, joined from the parts of its rooms.
import { Problem } from "#shared/http/problem.ts";
import { budgetEndpoints, budgetSchemas } from "./budgets/endpoints.ts";
import { responses, schemaOf } from "./openapi-parts.ts";
import { registryEndpoints, registrySchemas } from "./registry/endpoints.ts";
import { traceEndpoints, traceSchemas } from "./traces/endpoints.ts";

export const openApiDocument = {
  openapi: "3.1.0",
  info: {
    title: "Troupe control plane",
    version: "1.0.0",
    description: "The registry, the traces and the budgets of a job's agents. The bearer token decides the job.",
  },
  security: [{ job: [] }],
  paths: {
    ...registryEndpoints.paths,
    ...traceEndpoints.paths,
    ...budgetEndpoints.paths,
    "/health": { get: { summary: "Whether the server runs", security: [], responses: responses(200) } },
  },
  components: {
    securitySchemes: { job: { type: "http", scheme: "bearer", description: "The token of one job." } },
    schemas: { ...registrySchemas, ...traceSchemas, ...budgetSchemas, Problem: schemaOf(Problem, "output") },
  },
};
