// The searcher's own routes: a deployment reads the manifest of indexed files, and uploads the changes of its folder.
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import type { AgentEnv } from "#shared/agent/env.ts";
import { problem, problemResponse } from "#shared/http/problem.ts";
import { readJson } from "#shared/http/read-json.ts";
import { MAX_BATCH_BYTES, Removal, Upload } from "./corpus-schema.ts";
import { corpusOf } from "./providers/corpus.ts";

type Handler = (request: Request, env: AgentEnv) => Promise<Response>;

const ROUTES: Record<string, { method: string; handle: Handler }> = {
  "/corpus/manifest": {
    method: "GET",
    handle: async (_, env) => Response.json({ files: await corpusOf(env).manifest() }),
  },
  "/corpus/files": { method: "POST", handle: putFiles },
  "/corpus/remove": { method: "POST", handle: removeFiles },
};

/** Serves paths below /corpus/. Resolves to undefined for all others. */
export async function corpusRoutes(
  request: Request,
  env: AgentEnv,
  sender: string | undefined,
): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined;
  if (!route) return undefined;
  // Never an agent.
  if (sender !== COMMAND_LINE) {
    const detail = "Documents are uploaded by the command line that deployed the job: it signs each request.";
    return problemResponse(problem("unauthorized", detail), { "www-authenticate": "Bearer" });
  }
  if (request.method !== route.method) {
    return problemResponse(problem("method-not-allowed", `Use ${route.method}.`), { allow: route.method });
  }
  return route.handle(request, env);
}

async function putFiles(request: Request, env: AgentEnv): Promise<Response> {
  const body = await readJson(request, Upload, MAX_BATCH_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  await corpusOf(env).put(body.value);
  return Response.json({ files: body.value.files.length });
}

async function removeFiles(request: Request, env: AgentEnv): Promise<Response> {
  const body = await readJson(request, Removal, MAX_BATCH_BYTES);
  if (!body.ok) return problemResponse(body.problem);
  await corpusOf(env).remove(body.value.paths);
  return Response.json({ files: body.value.paths.length });
}
