// A Messages API server without a language model: the same protocol, answers by rules (decide.ts).
import { bearer } from "#shared/a2a/token.ts";
import { gate, type Visitor } from "#shared/http/gate.ts";
import { problem } from "#shared/http/problem.ts";
import { readRequest } from "#shared/http/read-body.ts";
import { isTooDeep, MOST_JSON_DEPTH } from "#shared/text/parse-json.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { Hono } from "hono";
import type * as z from "zod";
import { decide } from "./decide.ts";
import { errorResponse, firstIssue, isErrorStatus, newRequestId } from "./api/errors.ts";
import { parseMessages } from "./api/plain-request.ts";
import { CountRequest, misplacedBlocks } from "./api/request.ts";
import { MODEL, countTokens, reply } from "./reply.ts";
import { readSettings } from "./api/settings.ts";
import { failingResponse } from "./api/faults.ts";
import { streamMessage } from "./api/stream.ts";

const MAX_BODY_BYTES = 32 * 1024 * 1024;

const NO_TOKEN = problem(
  "unauthorized",
  "The Authorization header holds no bearer token. The offline model takes any.",
);

const app = new Hono();

app.use(
  gate<{ Bindings: object }>({
    urls: () => [],
    visitor: ({ req }) => visitor(req.raw.headers.get("authorization")),
    refuse: (_, { status, detail }, headers) => errorResponse(isErrorStatus(status) ? status : 400, detail, headers),
  }),
);

/** Accepts any key or token, because calls cost nothing. A malformed header is refused as a mistake. */
function visitor(authorization: string | null): Visitor {
  return authorization === null || bearer(authorization) !== undefined ? "anonymous" : NO_TOKEN;
}

app.get("/health", (c) => c.json({ status: "ok", model: MODEL }));

app.post("/v1/messages", async (c) => {
  const read = readSettings(c.req.header("x-offline-settings") ?? null);
  if ("error" in read) return errorResponse(400, read.error);
  const { settings } = read;
  const request = await readBody(c.req.raw, parseMessages);
  if (request instanceof Response) return request;

  if (settings.ttftMs > 0) await scheduler.wait(settings.ttftMs);
  const message = reply(request, decide(request));
  const failing = await failingResponse(settings.fault, message, request.stream ?? false);
  if (failing !== null) return failing;

  const requestId = newRequestId();
  return request.stream
    ? streamMessage(message, settings, requestId)
    : Response.json(message, { headers: { "request-id": requestId } });
});

app.post("/v1/messages/count_tokens", async (c) => {
  const request = await readBody(c.req.raw, (body) => CountRequest.safeParse(body));
  return request instanceof Response ? request : c.json({ input_tokens: countTokens(request) });
});

app.notFound(() => errorResponse(404, "Not found"));
app.onError((error) => {
  console.error(error);
  return errorResponse(500, "Internal server error");
});

/** The parsed body, or the API's error response. */
async function readBody<Body extends CountRequest>(
  raw: Request,
  parse: (body: unknown) => z.ZodSafeParseResult<Body>,
): Promise<Body | Response> {
  const bytes = await readRequest(raw, MAX_BODY_BYTES);
  if (bytes === "too-large") return errorResponse(413, "Request exceeds the maximum allowed number of bytes.");
  if (bytes === "too-slow") return errorResponse(408, "The request body came too slowly.");
  let body: unknown;
  try {
    const text = new TextDecoder().decode(bytes);
    if (isTooDeep(text)) return errorResponse(400, `The request is nested more than ${MOST_JSON_DEPTH} levels deep.`);
    body = JSON.parse(text);
  } catch (error) {
    return errorResponse(400, `The request body is not valid JSON: ${reasonOf(error)}`);
  }
  const parsed = parse(body);
  if (!parsed.success) return errorResponse(400, firstIssue(parsed.error));
  const misplaced = misplacedBlocks(parsed.data.messages);
  return misplaced === null ? parsed.data : errorResponse(400, misplaced);
}

export default app;
