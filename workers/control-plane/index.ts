// The control plane's Worker: mounts registry, traces, budgets and keys.
import { Hono } from "hono";
import { CallerLimits } from "#shared/http/caller-limits.ts";
import { gate } from "#shared/http/gate.ts";
import { problem, problemResponse } from "#shared/http/problem.ts";
import { type JobEnv, requireSecret, visitorOf } from "./auth.ts";
import { budgetEndpoints } from "./budgets/endpoints.ts";
import { keyEndpoints } from "./keys/endpoints.ts";
import { openApiDocument } from "./openapi.ts";
import { registryEndpoints } from "./registry/endpoints.ts";
import { traceEndpoints } from "./traces/endpoints.ts";

export { Budget } from "./budgets/budget.ts";
export { Keys } from "./keys/keys.ts";
export { Registry } from "./registry/registry.ts";
export { Traces } from "./traces/traces.ts";

const operators = new CallerLimits();
/** Of one key. */
const OPERATOR = { perS: 50, burst: 200, open: 50 };

const app = new Hono<JobEnv>();

app.use(
  gate<JobEnv>({
    urls: ({ TROUPE_URL }) => (TROUPE_URL === undefined ? [] : [TROUPE_URL]),
    // The OTLP receiver authenticates exporters itself, to refuse them in their own encoding.
    enter: ({ var: { operator } }) =>
      operator ? operators.enter(`${operator.job} ${operator.account.name}`, OPERATOR) : undefined,
    visitor: (c) => (c.req.path === "/v1/traces" && c.req.method === "POST" ? "anonymous" : visitorOf(c)),
  }),
);
app.use(requireSecret);
app.get("/health", (c) => c.json({ status: "ok" }));
app.get("/openapi.json", (c) => c.json(openApiDocument));
app.route("/agents", registryEndpoints.routes);
app.route("/v1/traces", traceEndpoints.routes);
app.route("/v1/keys", keyEndpoints.routes);
app.route("/v1/budgets", budgetEndpoints.routes);

app.notFound((c) =>
  problemResponse(problem("not-found", `${c.req.path} does not exist. See /openapi.json for what does.`)),
);
app.onError((error, c) => {
  console.error(error);
  return problemResponse(problem("internal", `${c.req.method} ${c.req.path} failed. Its log says why.`));
});

export default app;
