// The SDK's own client, unmodified, against the test agent's front door; and the front door raw.
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { AgentCard, Role, type Message, type SendMessageRequest, type Task } from "@a2a-js/sdk";
import {
  ClientFactory,
  ClientFactoryOptions,
  JsonRpcTransportFactory,
  RestTransportFactory,
  type Client,
} from "@a2a-js/sdk/client";
import { textMessage } from "../../../shared/a2a/message.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import type { Step } from "#shared/loop/log/step.ts";
import type { Mandate } from "#shared/a2a/peer-token.ts";
import { signedBy } from "../../support/test-signers.ts";
import { testAgent } from "../../support/test-agent.ts";

const ORIGIN = "https://tester.test";

/** One request through the front door, as it would come over a socket. */
export async function knock(path: string, init: RequestInit = {}): Promise<Response> {
  const ctx = createExecutionContext();
  const response = await testAgent.worker.fetch(new Request(ORIGIN + path, init), env, ctx);
  void waitOnExecutionContext(ctx);
  return response;
}

/** POSTs JSON with the headers that A2A wants. */
export function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return knock(path, {
    method: "POST",
    headers: { "content-type": "application/json", "a2a-version": "1.0", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** POSTs JSON as an agent does: `other`, unless `mandate` names another. */
export function postSigned(
  path: string,
  body: { message?: { messageId: string; [field: string]: unknown } },
  mandate: Partial<Mandate> = {},
) {
  const text = JSON.stringify(body);
  const messageId = body.message?.messageId;
  return post(path, text, signedBy(mandate, { method: "POST", path, body: text, messageId }));
}

export function client(binding: "JSONRPC" | "HTTP+JSON"): Promise<Client> {
  const fetchImpl: typeof fetch = (input, init) => knock(new URL(String(input)).href.slice(ORIGIN.length), init);
  const transports = [new JsonRpcTransportFactory({ fetchImpl }), new RestTransportFactory({ fetchImpl })];
  const factory = new ClientFactory(
    ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { transports, preferredTransports: [binding] }),
  );
  return knock("/.well-known/agent-card.json")
    .then((response) => response.json())
    .then((card) => factory.createFromAgentCard(AgentCard.fromJSON(card)));
}

export function ask(text: string, contextId = "", more: Partial<Message> = {}): SendMessageRequest {
  const message = { ...textMessage(Role.ROLE_USER, text, { contextId }), ...more };
  return { tenant: "", message, configuration: undefined, metadata: undefined };
}

export async function send(a2a: Client, request: SendMessageRequest): Promise<Task> {
  const result = await a2a.sendMessage(request);
  if (!("status" in result)) throw new Error("The agent answered with a bare message.");
  return result;
}

export function answerOf(task: Task): string {
  const [part] = task.artifacts.find(({ artifactId }) => artifactId === "answer")?.parts ?? [];
  return part?.content?.$case === "text" ? part.content.value : "";
}

/** The log of a session, all its threads. */
export function logOf(session: string): Promise<Step[]> {
  const stub = env.SESSION.getByName(JSON.stringify(["local", session]));
  return runInDurableObject(stub, (_, { storage }) => new SessionStore(storage.sql).allSteps());
}

export function problemOf(task: Task): string {
  const [part] = task.status?.message?.parts ?? [];
  return part?.content?.$case === "text" ? part.content.value : "";
}

/** The ids of what a task waits for. */
export function waitsFor(task: Task): string[] {
  const data = task.status?.message?.parts.flatMap(({ content }) => (content?.$case === "data" ? [content.value] : []));
  const [first] = data ?? [];
  return (first as { approvals: { id: string }[] } | undefined)?.approvals.map(({ id }) => id) ?? [];
}
