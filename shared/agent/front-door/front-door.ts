// The agent's front door: body limit, authentication, routing. What an operation means is the Session's part.
import { A2A_PROTOCOL_VERSION, A2A_VERSION_HEADER, SSE_HEADERS } from "@a2a-js/sdk";
import {
  A2A_ERROR_CODE,
  ContentTypeNotSupportedError,
  RequestMalformedError,
  VersionNotSupportedError,
} from "@a2a-js/sdk/errors";
import { Hono } from "hono";
import * as z from "zod";
import { bearer, verifyToken } from "../../a2a/token.ts";
import { problem, problemResponse } from "../../http/problem.ts";
import { readJson } from "../../http/read-json.ts";
import { troubledBreakers } from "../breakers.ts";
import { agentCard, JSON_RPC_PATH, serializeCard } from "../card.ts";
import type { AgentDefinition } from "../definition.ts";
import { beaconStub, configOf, sessionStub, type AgentEnv } from "../environment.ts";
import { isStreaming, LOCAL_PRINCIPAL, type Caller, type Operation } from "../operation.ts";
import { errorReply, toResponse } from "../reply.ts";
import { isHttpJsonPath, parseHttpJson } from "./http-json.ts";
import { wakeSessions } from "../session-index.ts";
import { flushSpans } from "../tracing.ts";
import { parseJsonRpc, unreadable } from "./json-rpc.ts";
import { listAcrossSessions } from "./list-tasks.ts";
import { route } from "./route.ts";

/** Largest request body, in bytes: a message has to fit a row of the session's log. */
const MAX_BODY = 1024 * 1024;

type App = { Bindings: AgentEnv };

export function frontDoor(definition: AgentDefinition): Hono<App> {
  const app = new Hono<App>({ strict: false });
  app.get("/.well-known/agent-card.json", async ({ env, req }) => {
    const { body, etag } = await serializeCard(agentCard(definition, configOf(env)));
    const headers = { "content-type": "application/json", "cache-control": "public, max-age=60", etag };
    return req.header("if-none-match") === etag
      ? new Response(null, { status: 304, headers })
      : new Response(body, { headers });
  });
  app.get("/health", async ({ env, req, executionCtx }) => {
    const { job, id } = configOf(env);
    // Whoever is about to stop the agent asks for what it has not sent yet.
    if (req.query("flush") !== undefined) await flushSpans(env);
    const registered = await beaconStub(env).wake(req.header("traceparent") ?? null);
    // Whoever starts an agent's process asks this first. Nobody waits for it.
    executionCtx.waitUntil(wakeSessions(env));
    return Response.json({ status: "ok", job, agent: id, registered, breakers: troubledBreakers() });
  });
  app.post(JSON_RPC_PATH, ({ env, req }) => jsonRpc(req.raw, env));
  app.all("*", async ({ env, req }) => {
    if (isHttpJsonPath(req.path)) return httpJson(req.raw, env);
    const answered = await definition.routes?.(req.raw, env);
    return (
      answered ??
      problemResponse(
        problem(
          "not-found",
          `${req.method} ${req.path} is not served. The agent's card is at /.well-known/agent-card.json.`,
        ),
      )
    );
  });
  return app;
}

async function jsonRpc(request: Request, env: AgentEnv): Promise<Response> {
  const read = await readJson(request, z.unknown(), MAX_BODY);
  if (!read.ok) {
    const code = read.problem.status === 400 ? A2A_ERROR_CODE.PARSE_ERROR : A2A_ERROR_CODE.INVALID_REQUEST;
    return unreadable(code, read.problem.detail, read.problem.status === 400 ? 200 : read.problem.status);
  }
  const operation = parseJsonRpc(read.value);
  if ("invalid" in operation) return Response.json(operation.invalid);
  return perform(operation, request, env);
}

async function httpJson(request: Request, env: AgentEnv): Promise<Response> {
  const http = { binding: "HTTP+JSON", id: null } as const;
  try {
    let body: unknown;
    if (request.method === "POST" && request.body !== null && request.headers.get("content-length") !== "0") {
      const read = await readJson(request, z.unknown(), MAX_BODY);
      if (!read.ok) {
        const { status, detail } = read.problem;
        const error = status === 415 ? new ContentTypeNotSupportedError(detail) : new RequestMalformedError(detail);
        return toResponse(errorReply(http, error, status));
      }
      body = read.value;
    }
    const operation = parseHttpJson(request.method, new URL(request.url), body);
    if (!operation)
      return problemResponse(
        problem("method-not-allowed", `${request.method} means nothing at this path (A2A 1.0, section 11).`),
      );
    return await perform(operation, request, env);
  } catch (error) {
    return toResponse(errorReply(http, error));
  }
}

async function perform(operation: Operation, request: Request, env: AgentEnv): Promise<Response> {
  try {
    checkVersion(request);
    const caller = identify(request, env);
    if (!caller)
      return problemResponse(
        problem(
          "unauthorized",
          "The bearer token is not valid for this agent: it is forged, expired or meant for another.",
        ),
        { "www-authenticate": "Bearer" },
      );
    const owner = { agent: configOf(env).id, principal: caller.principal };
    const target = route(operation, caller, env.TROUPE_KEY, owner);
    if (target.to === "index") {
      return toResponse(await listAcrossSessions(env, operation, caller));
    }
    const stub = sessionStub(env, caller.principal, target.session);
    if (!isStreaming(operation.method)) return toResponse(await stub.call(target.operation, caller));
    const streamed = await stub.stream(target.operation, caller);
    return "stream" in streamed ? new Response(streamed.stream, { headers: SSE_HEADERS }) : toResponse(streamed.reply);
  } catch (error) {
    return toResponse(errorReply(operation, error));
  }
}

/** An absent header means 0.3 (A2A 1.0, section 3.6.2), which is not spoken here. */
function checkVersion(request: Request): void {
  const version = request.headers.get(A2A_VERSION_HEADER) ?? new URL(request.url).searchParams.get(A2A_VERSION_HEADER);
  if (version === A2A_PROTOCOL_VERSION) return;
  throw new VersionNotSupportedError(
    `This agent speaks A2A ${A2A_PROTOCOL_VERSION}, the request ${version ? `asks for ${version}` : "names no version"}: send the header "${A2A_VERSION_HEADER}: ${A2A_PROTOCOL_VERSION}".`,
  );
}

/** Who calls; undefined for a token that is not genuine. Without a token it is a person, who acts for nobody else. */
function identify(request: Request, env: AgentEnv): Caller | undefined {
  const asked = { traceparent: request.headers.get("traceparent"), receivedAt: Date.now() };
  const token = bearer(request.headers.get("authorization"));
  if (token === undefined) return { principal: LOCAL_PRINCIPAL, chain: [], query: undefined, ...asked };
  const claims = verifyToken(env.TROUPE_KEY, token, configOf(env).id);
  return claims && { principal: claims.principal, chain: claims.chain, query: claims.query, ...asked };
}
