// The agent's front door: the gate, authentication, routing. The Session carries out the operations.
import {
  A2A_CONTENT_TYPE,
  A2A_PROTOCOL_VERSION,
  A2A_VERSION_HEADER,
  AgentCard,
  HTTP_EXTENSION_HEADER,
  SSE_HEADERS,
} from "@a2a-js/sdk";
import { A2A_LEGACY_PROTOCOL_VERSION } from "@a2a-js/sdk/compat/v0_3";
import {
  A2A_ERROR_CODE,
  ContentTypeNotSupportedError,
  ExtendedAgentCardNotConfiguredError,
  RequestMalformedError,
  VersionNotSupportedError,
} from "@a2a-js/sdk/errors";
import { Hono, type Context } from "hono";
import { GREETING_PATH, NEIGHBOURS_PATH } from "../../control-plane/neighbours.ts";
import { SESSIONS_PATH } from "../../control-plane/sessions.ts";
import { diskFull, freeDisk } from "../../http/free-disk.ts";
import { asWhole, busy, gate, headersOf, type Visitor } from "../../http/gate.ts";
import { problem, problemResponse, type Problem } from "../../http/problem.ts";
import { readAnyJson } from "../../http/read-json.ts";
import { troubledBreakers } from "../breakers.ts";
import { agentCard, CARD_PATH, cardJson, extendedCard, JSON_RPC_PATH, JWKS_PATH } from "../card.ts";
import type { AgentConfig } from "../config.ts";
import type { AgentDefinition } from "../definition.ts";
import { beaconStub, configOf, sessionStub, type AgentEnv } from "../env.ts";
import { isStreaming, type Operation } from "../rpc.ts";
import { refusalReply } from "../refusal.ts";
import { errorReply, replyTo, toResponse } from "../reply.ts";
import { toolbox } from "../toolbox.ts";
import { activated } from "../../a2a/extensions.ts";
import { crossOrigin } from "../../http/cross-origin.ts";
import { serveCard, serveKeys } from "./card-routes.ts";
import { isReportDue } from "../session-index/reports.ts";
import { slotsOf } from "../slots.ts";
import { wakeSessions } from "../wake.ts";
import { askToWatch, WATCH_PATH, watchYoung } from "../young-turns.ts";
import { admit, refusalOf, type Admitted } from "./admit.ts";
import { greetNeighbours } from "./greet-neighbours.ts";
import { enterAs } from "./limits.ts";
import { isHttpJsonPath, parseHttpJson } from "./http-json.ts";
import { flushSpans } from "../control-plane/tracing.ts";
import { ofLegacy, parseJsonRpc, unreadable } from "./json-rpc.ts";
import { listAcrossSessions } from "./list-tasks.ts";
import { revocable } from "./revocable.ts";
import { isOperator, sessionOperation } from "./session-operations.ts";
import { beginsTask, isKnownMethod, isMessage, route } from "./route.ts";

/** Largest request body, in bytes: a message has to fit a row of the session's log. */
const MAX_BODY = 1024 * 1024;

/** `admitted`: undefined where nobody had to say who they are. */
type App = { Bindings: AgentEnv; Variables: { admitted: Admitted | undefined } };

export function frontDoor(definition: AgentDefinition): Hono<App> {
  const app = new Hono<App>({ strict: false });
  const origins = (env: AgentEnv) => configOf(env).cors;
  app.use(crossOrigin<App>(origins));
  app.use(
    gate<App>({
      urls: (env) => ownUrls(configOf(env)),
      visitor: (c) => visitor(c, definition),
      origins,
      enter: (c) => (c.var.admitted ? enterAs(c.var.admitted) : undefined),
      refuse: ({ req }, refused, headers) => {
        if (req.path === JSON_RPC_PATH || (req.path === "/" && req.method === "POST"))
          return toResponse(refusalReply({ binding: "JSONRPC", id: null }, refused, headers));
        if (isHttpJsonPath(req.path))
          return toResponse(refusalReply({ binding: "HTTP+JSON", id: null }, refused, headers));
        return problemResponse(refused, headers);
      },
    }),
  );
  app.get(CARD_PATH, async ({ env, req }) => serveCard(req.raw, env, definition));
  app.get(JWKS_PATH, ({ env }) => serveKeys(env));
  app.get("/health", async ({ env, req, executionCtx }) => {
    const { job, id } = configOf(env);
    // The command line flushes an agent before it stops it.
    if (req.query("flush") !== undefined) await flushSpans(env);
    const registered = await beaconStub(env).wake(req.header("traceparent") ?? null);
    // The first request of an agent's process wakes its sessions. Nobody waits for that.
    executionCtx.waitUntil(wakeSessions(env));
    return Response.json({
      status: "ok",
      job,
      agent: id,
      registered,
      turns: slotsOf(env).status,
      breakers: troubledBreakers(),
    });
  });
  app.post(WATCH_PATH, async ({ env, executionCtx, var: { admitted } }, next) => {
    if (admitted?.sender !== configOf(env).id) return next();
    return watchYoung(env, (work) => executionCtx.waitUntil(work), isReportDue);
  });
  app.post(GREETING_PATH, async ({ var: { admitted } }, next) =>
    admitted?.sender === undefined ? next() : new Response(null, { status: 204 }),
  );
  app.post(NEIGHBOURS_PATH, async ({ env, var: { admitted } }, next) =>
    isOperator(admitted) ? Response.json(await greetNeighbours(env)) : next(),
  );
  app.post(`${SESSIONS_PATH}/:operation`, async ({ env, req, var: { admitted } }, next) => {
    const answered = isOperator(admitted) ? await sessionOperation(req.param("operation"), req.raw, env) : undefined;
    return answered ?? next();
  });
  // Clients that are given the agent's address instead of its card send JSON-RPC there.
  for (const path of [JSON_RPC_PATH, "/"]) app.post(path, (c) => jsonRpc(c, definition));
  app.all("*", async (c) => {
    const { env, req } = c;
    if (isHttpJsonPath(req.path)) return httpJson(c, definition);
    const answered = await definition.routes?.(req.raw, env, c.var.admitted?.sender);
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

function ownUrls({ url, publicUrl }: AgentConfig): string[] {
  return publicUrl === undefined ? [url] : [url, publicUrl];
}

/** The sender of a request, for the gate. The agent's own paths check credentials themselves. */
function visitor(c: Context<App>, definition: AgentDefinition): Visitor | Promise<Visitor> {
  const admitted = admit(c.req.raw, c.env);
  return admitted instanceof Promise
    ? admitted.then((found) => visitorOf(found, c, definition))
    : visitorOf(admitted, c, definition);
}

function visitorOf(admitted: Admitted | Problem, c: Context<App>, definition: AgentDefinition): Visitor {
  if ("status" in admitted) {
    const isOpen = isPublic(c.req.path) && !c.req.raw.headers.has("authorization");
    const isOwn = definition.routes && !isServed(c.req.path) && configOf(c.env).accounts === "optional";
    return isOpen || isOwn ? "anonymous" : admitted;
  }
  c.set("admitted", admitted);
  if (admitted.caller.chain.length > 0) return "peer";
  return c.req.raw.headers.has("authorization") ? "known" : "anonymous";
}

/** What whoever looks for an agent has to read before it has a key. */
function isPublic(path: string): boolean {
  return path === "/health" || path.startsWith("/.well-known/");
}

function isServed(path: string): boolean {
  return path === JSON_RPC_PATH || path === "/" || path === CARD_PATH || path === "/health" || isHttpJsonPath(path);
}

/** Codes of JSON-RPC errors for bodies that cannot be read, by HTTP status. */
const UNREADABLE: Readonly<Record<number, number>> = {
  400: A2A_ERROR_CODE.PARSE_ERROR,
  415: A2A_ERROR_CODE.CONTENT_TYPE_NOT_SUPPORTED,
};

async function jsonRpc(c: Context<App>, definition: AgentDefinition): Promise<Response> {
  const read = await readAnyJson(c.req.raw, MAX_BODY);
  if (!read.ok) {
    const { status, detail } = read.problem;
    return unreadable(UNREADABLE[status] ?? A2A_ERROR_CODE.INVALID_REQUEST, detail, status === 400 ? 200 : status);
  }
  const operation = parseJsonRpc(read.value);
  if ("invalid" in operation) return Response.json(operation.invalid);
  return perform(isLegacyVersion(versionOf(c.req.raw)) ? ofLegacy(operation) : operation, c, definition);
}

async function httpJson(c: Context<App>, definition: AgentDefinition): Promise<Response> {
  const http = { binding: "HTTP+JSON", id: null } as const;
  const request = c.req.raw;
  try {
    let body: unknown;
    if (request.method === "POST" && request.body !== null && request.headers.get("content-length") !== "0") {
      const read = await readAnyJson(request, MAX_BODY);
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
    return inAcceptedType(request, await perform(operation, c, definition));
  } catch (error) {
    return inAcceptedType(request, toResponse(errorReply(http, error)));
  }
}

/** Some clients read nothing but `application/json`, and say so. */
function inAcceptedType(request: Request, response: Response): Response {
  const wantsPlain = request.headers.get("accept")?.trim().toLowerCase() === "application/json";
  const isA2a = response.headers.get("content-type") === A2A_CONTENT_TYPE;
  if (wantsPlain && isA2a) response.headers.set("content-type", "application/json");
  return response;
}

async function perform(operation: Operation, c: Context<App>, definition: AgentDefinition): Promise<Response> {
  const wanted = c.req.raw.headers.get(HTTP_EXTENSION_HEADER);
  const carriedOut = await carryOut(operation, c, definition);
  const response = operation.legacy === undefined ? carriedOut : await asLegacyStream(operation, carriedOut);
  if (wanted === null) return response;
  const agreed = activated(wanted, agentCard(definition, configOf(c.env)).capabilities?.extensions ?? []);
  if (agreed !== "") response.headers.set(HTTP_EXTENSION_HEADER, agreed);
  return response;
}

/** Clients of A2A 0.3 understand no other answer to a streaming operation than a stream, even where it only says an error. */
async function asLegacyStream({ method }: Operation, response: Response): Promise<Response> {
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  if (!isStreaming(method) || !isJson || response.status !== 200) return response;
  return asWhole(new Response(`data: ${await response.text()}\n\n`, { headers: SSE_HEADERS }));
}

async function carryOut(operation: Operation, c: Context<App>, definition: AgentDefinition): Promise<Response> {
  const { env, req, executionCtx } = c;
  const { admitted } = c.var;
  try {
    if (operation.legacy === undefined && isKnownMethod(operation.method)) checkVersion(req.raw);
    if (!admitted) throw new Error("The gate lets nobody through without knowing who that is.");
    const refusal = refusalOf(admitted, operation);
    if (refusal) return toResponse(refusalReply(operation, refusal, headersOf(refusal)));
    const { caller } = admitted;
    const owner = { agent: configOf(env).id, principal: caller.principal };
    const target = route(operation, caller, env.TROUPE_KEY, owner);
    if (target.to === "card") {
      // In 0.3 it is for authenticated callers alone. In 1.0 it is for those who may ask, and the gate has let them in.
      if (operation.legacy !== undefined && !req.raw.headers.has("authorization"))
        throw new ExtendedAgentCardNotConfiguredError("Only callers with a key or a token get the extended card.");
      const { tools } = await toolbox(env, definition);
      const card = extendedCard(agentCard(definition, configOf(env)), configOf(env), tools);
      const result = operation.legacy === undefined ? AgentCard.toJSON(card) : cardJson(card);
      return toResponse(replyTo(operation, { jsonrpc: "2.0", id: operation.id, result }));
    }
    if (target.to === "index") {
      return toResponse(await listAcrossSessions(env, operation, caller));
    }
    if (isMessage(operation)) {
      const disk = await freeDisk(env.MACHINE);
      if (!disk.enough) return toResponse(refusalReply(operation, ...diskFull(disk)));
      await askToWatch(env, (work) => executionCtx.waitUntil(work));
    }
    const full = beginsTask(operation) ? slotsOf(env).refusal(caller) : undefined;
    if (full !== undefined) return toResponse(refusalReply(operation, ...busy(full)));
    const stub = sessionStub(env, caller.principal, target.session);
    if (!isStreaming(operation.method)) return toResponse(await stub.call(target.operation, caller));
    const streamed = await stub.stream(target.operation, caller);
    if (!("stream" in streamed)) return toResponse(streamed.reply);
    const stream = admitted.counts ? revocable(streamed.stream, admitted.counts) : streamed.stream;
    return new Response(stream, { headers: SSE_HEADERS });
  } catch (error) {
    return toResponse(errorReply(operation, error));
  }
}

/** A patch version does not count (A2A 1.0, sections 3.6 and 3.6.2). */
function checkVersion(request: Request): void {
  const version = versionOf(request);
  if (version === A2A_PROTOCOL_VERSION) return;
  const asks = version === "" ? "names no version" : `asks for ${version}`;
  throw new VersionNotSupportedError(
    `This agent speaks A2A ${A2A_PROTOCOL_VERSION}, and over JSON-RPC the methods of ${A2A_LEGACY_PROTOCOL_VERSION}; the request ${asks}: send the header "${A2A_VERSION_HEADER}: ${A2A_PROTOCOL_VERSION}".`,
  );
}

/** Without its patch; empty where the request names none. */
function versionOf(request: Request): string {
  const version = request.headers.get(A2A_VERSION_HEADER) ?? new URL(request.url).searchParams.get(A2A_VERSION_HEADER);
  return (version ?? "").replace(/^(\d+\.\d+)\.\d+$/, "$1");
}

/** A request without a version is of 0.3 (section 3.6.2). */
function isLegacyVersion(version: string): boolean {
  return version === "" || version === A2A_LEGACY_PROTOCOL_VERSION;
}
