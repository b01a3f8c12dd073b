// A neighbour of the test agent: answers, fails or takes forever, as the message says, and remembers what it was told to cancel.
// Each runtime has one of its own.
import { RequestMalformedError, toRestErrorBody } from "@a2a-js/sdk/errors";
import { Response, type Request } from "miniflare";
import { bodyDigest, verifyRequest } from "../../shared/a2a/peer-token.ts";
import { publicKeyOf } from "./test-signers.ts";

/** In milliseconds since the epoch. */
const FAR = 4e12;
const USAGE = { inputTokens: 100, outputTokens: 50, cacheReadTokens: 0, cacheWriteTokens: 0 };

const RECEIVER = { id: "other", job: "tests", callers: [{ id: "tester", key: publicKeyOf("tester") }] };

/** Whether the test agent has signed this request, and for the first time. */
function isSigned(request: Request, body: string): boolean {
  const { pathname, search } = new URL(request.url);
  const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
  const claims = verifyRequest(token, RECEIVER, { method: request.method, path: pathname + search });
  return claims?.body === bodyDigest(body);
}

export function otherAgent(): (request: Request) => Promise<Response> {
  const canceled: string[] = [];
  const messages: { readonly messageId: string; readonly [field: string]: unknown }[] = [];
  /** How long the next reader of the card waits. */
  let cardDelayMs = 0;
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/stall-card") {
      cardDelayMs = 1_000;
      return Response.json({});
    }
    if (pathname === "/.well-known/agent-card.json") {
      const delayMs = cardDelayMs;
      cardDelayMs = 0;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return Response.json({
        name: "Other",
        description: "Answers other things",
        skills: [{ id: "other", name: "Othering" }],
      });
    }
    if (pathname === "/canceled") return Response.json(canceled);
    if (pathname === "/messages") return Response.json(messages);
    const sent = await request.text();
    if (!isSigned(request, sent))
      return Response.json({ error: { code: 401, message: "not signed" } }, { status: 401 });
    const [, id] = /^\/tasks\/([^/]+):cancel$/.exec(pathname) ?? [];
    if (id !== undefined) {
      canceled.push(decodeURIComponent(id));
      return Response.json({ id, contextId: "", status: { state: "TASK_STATE_CANCELED" } });
    }
    // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
    const { message } = JSON.parse(sent) as {
      message: { contextId: string; messageId: string; taskId?: string; parts: { text: string; data?: unknown }[] };
    };
    messages.push({ ...message, text: message.parts[0]?.text });
    const text = message.parts[0]?.text ?? "";
    const { contextId } = message;
    const ids = { taskId: `${contextId}.1.task`, contextId };
    if (text === "move") return new Response(null, { status: 307, headers: { location: "https://elsewhere.test/" } });
    if (text === "refuse") return Response.json({ error: { code: 500, message: "not now" } }, { status: 500 });
    if (text === "slow") await new Promise((resolve) => setTimeout(resolve, 300));
    const events: object[] = [{ task: { id: ids.taskId, contextId, status: { state: "TASK_STATE_WORKING" } } }];
    if (message.taskId && contextId.startsWith("late~"))
      return Response.json(toRestErrorBody(new RequestMalformedError("It has expired."), 400), { status: 400 });
    const isRepeated = messages.filter((other) => other.messageId === message.messageId).length > 1;
    const asks = text.startsWith("approve") && !isRepeated;
    if (asks) {
      const approvals = [
        { id: `ap_${text}`, agent: "deep", tool: "dig", input: { text }, reason: "It digs.", expiresAt: FAR },
      ];
      const parts = [{ text: "May I dig?" }, { data: { approvals } }];
      const question = { messageId: "m", role: "ROLE_AGENT", parts };
      events.push({ statusUpdate: { ...ids, status: { state: "TASK_STATE_INPUT_REQUIRED", message: question } } });
    } else if (message.taskId) {
      const answer = `told ${JSON.stringify(message.parts[0]?.data)}`;
      events.push(
        { artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text: answer }] } } },
        { statusUpdate: { ...ids, status: { state: "TASK_STATE_COMPLETED" }, metadata: { usage: USAGE } } },
      );
    } else if (text === "fail") {
      const reason = { messageId: "m", role: "ROLE_AGENT", parts: [{ text: "could not" }] };
      events.push({ statusUpdate: { ...ids, status: { state: "TASK_STATE_FAILED", message: reason } } });
    } else if (text === "garbage") {
      events.push({ artifactUpdate: 5 });
    } else if (text !== "forever" && text !== "slow") {
      const answer = `${request.headers.get("traceparent")} in ${contextId}: ${text}`;
      events.push(
        { artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text: answer }] } } },
        { statusUpdate: { ...ids, status: { state: "TASK_STATE_COMPLETED" }, metadata: { usage: USAGE } } },
      );
    }
    const frames =
      events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("") + (text === "garbage" ? "data: {\n\n" : "");
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(frames));
        if (text !== "forever" && text !== "slow") controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}
