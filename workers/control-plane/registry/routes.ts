// The registry over HTTP: checks what comes in, asks the job's Registry object, words what went wrong.
import { Hono } from "hono";
import { checkValue, readJson } from "#shared/http/read-json.ts";
import { problem, problemResponse, wrongMethod } from "#shared/http/problem.ts";
import { parseTraceparent } from "#shared/tracing/trace-context.ts";
import { requireJob, type JobVariables } from "../auth.ts";
import type { Env } from "../env.ts";
import type { RegistryRpc } from "../rpc.ts";
import { MAX_REGISTERED, PageQuery, Registration, SearchQuery } from "#shared/control-plane/registry.ts";

const MAX_BODY_BYTES = 256 * 1024;
const FULL = `The job has ${MAX_REGISTERED} agents that live, which is as many as are kept. Take some out: DELETE /agents/{id}.`;

export const registryRoutes = new Hono<{ Bindings: Env; Variables: JobVariables }>();

registryRoutes.use(requireJob);

registryRoutes.post("/register", async (c) => {
  const body = await readJson(c.req.raw, Registration, MAX_BODY_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  const parent = parseTraceparent(c.req.header("traceparent"));
  const receipt = await registryOf(c.env, c.var.job).register(body.value, parent);
  return receipt === "full" ? problemResponse(problem("registry-full", FULL)) : c.json(receipt, 201);
});

registryRoutes.post("/:id/heartbeat", async (c) => {
  const id = c.req.param("id");
  const renewal = await registryOf(c.env, c.var.job).heartbeat(id);
  return renewal.found ? c.json(renewal.value) : unknownAgent(c.var.job, id, renewal.nearest);
});

registryRoutes.get("/search", async (c) => {
  const query = checkValue(c.req.query(), SearchQuery);
  if (!query.ok) return problemResponse(query.problem);
  return c.json({ agents: await registryOf(c.env, c.var.job).search(query.value) });
});

// Whatever reaches an `all` route has a path that exists and a method that does not.
registryRoutes.all("/register", () => wrongMethod("POST"));
registryRoutes.all("/search", () => wrongMethod("GET"));

registryRoutes.get("/", async (c) => {
  const query = checkValue(c.req.query(), PageQuery);
  if (!query.ok) return problemResponse(query.problem);
  return c.json(await registryOf(c.env, c.var.job).page(query.value));
});

registryRoutes.get("/:id", async (c) => {
  const id = c.req.param("id");
  const agent = await registryOf(c.env, c.var.job).get(id);
  return agent.found ? c.json(agent.value) : unknownAgent(c.var.job, id, agent.nearest);
});

registryRoutes.delete("/:id", async (c) => {
  const id = c.req.param("id");
  const removed = await registryOf(c.env, c.var.job).remove(id);
  return removed.found ? c.body(null, 204) : unknownAgent(c.var.job, id, removed.nearest);
});

registryRoutes.all("/", () => wrongMethod("GET"));
registryRoutes.all("/:id/heartbeat", () => wrongMethod("POST"));
registryRoutes.all("/:id", () => wrongMethod("GET, DELETE"));

function registryOf(env: Env, job: string): DurableObjectStub<RegistryRpc> {
  return env.REGISTRY.getByName(job);
}

function unknownAgent(job: string, id: string, nearest: string | undefined): Response {
  const shown = JSON.stringify(id.slice(0, 100));
  const hint = nearest ? `Did you mean "${nearest}"?` : "GET /agents lists those there are.";
  return problemResponse(problem("unknown-agent", `The job "${job}" has no agent ${shown}. ${hint}`));
}
