// The searcher's own routes: a deployment reads the manifest of indexed files, and uploads the changes of its folder.
import { bearer, verifyToken } from "#shared/a2a/token.ts";
import { configOf, type AgentEnv } from "#shared/agent/env.ts";
import { problem, problemResponse } from "#shared/http/problem.ts";
import { readJson } from "#shared/http/read-json.ts";
import { MAX_BATCH_BYTES, Removal, Upload } from "./corpus-schema.ts";
import { corpusOf } from "./providers/corpus.ts";

/** The only caller that may write documents: the command line tool, never an agent. */
const UPLOADER = "cli";

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
export async function corpusRoutes(request: Request, env: AgentEnv): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined;
  if (!route) return undefined;
  const token = bearer(request.headers.get("authorization"));
  const claims = token === undefined ? undefined : verifyToken(env.TROUPE_KEY, token, configOf(env).id);
  if (claims?.from !== UPLOADER) {
    const detail = "Documents are uploaded with a token that the command line tool signs with the job's key.";
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
