// The OpenAPI 3.1 document of the control plane, put together from what its rooms say of themselves.
import { Problem } from "#shared/http/problem.ts";
import { budgetPaths, budgetSchemas } from "./budgets/paths.ts";
import { responses, schemaOf } from "./openapi-parts.ts";
import { registryPaths, registrySchemas } from "./registry/paths.ts";
import { tracePaths, traceSchemas } from "./traces/paths.ts";

export const openApiDocument = {
  openapi: "3.1.0",
  info: {
    title: "Troupe control plane",
    version: "1.0.0",
    description: "The registry, the traces and the budgets of a job's agents. The bearer token decides the job.",
  },
  security: [{ job: [] }],
  paths: {
    ...registryPaths,
    ...tracePaths,
    ...budgetPaths,
    "/health": { get: { summary: "Whether the server runs", security: [], responses: responses(200) } },
  },
  components: {
    securitySchemes: { job: { type: "http", scheme: "bearer", description: "The token of one job." } },
    schemas: { ...registrySchemas, ...traceSchemas, ...budgetSchemas, Problem: schemaOf(Problem, "output") },
  },
};
