// An agent of a job, as far as the command line asks it about sessions: it keeps turns in memory.
import type { TurnRecord } from "#shared/control-plane/sessions.ts";
import { Operator } from "../../../../scripts/sessions/operator.ts";
import { serve } from "../../../support/serve.ts";

/** A request of the command line, as the agent got it. */
export interface Heard {
  readonly operation: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AgentDouble {
  readonly operator: Operator;
  readonly heard: Heard[];
}

/** `fails`: operations that it answers with 500. */
export async function agentWith(
  id: string,
  turns: readonly TurnRecord[],
  { fails = [] }: { readonly fails?: readonly string[] } = {},
): Promise<AgentDouble> {
  const heard: Heard[] = [];
  const url = await serve((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    request.on("end", () => {
      const operation = (request.url ?? "").split("/").at(-1) ?? "";
      // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
      const body = JSON.parse(text) as Heard["body"];
      heard.push({ operation, body });
      response.writeHead(fails.includes(operation) ? 500 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer(operation, body, turns)));
    });
  });
  return { operator: new Operator("job", { id, url }, new AbortController().signal), heard };
}

/** An agent at an address where nobody listens. */
export function absent(id: string): Operator {
  return new Operator("job", { id, url: "http://127.0.0.1:1" }, new AbortController().signal);
}

function answer(operation: string, body: Heard["body"], all: readonly TurnRecord[]): object {
  if (operation === "copy") return { turns: Array.isArray(body["turns"]) ? body["turns"].length : 0 };
  if (operation === "delete") return { turns: all.length };
  const ids = body["messageIds"];
  const turns = all.filter(
    ({ contextId, messageId }) =>
      (body["contextId"] === undefined || body["contextId"] === contextId) &&
      (!Array.isArray(ids) || ids.includes(messageId)),
  );
  return { turns, total: turns.length, next: null };
}

export function turn(contextId: string, n: number, more: Partial<TurnRecord> = {}): TurnRecord {
  return {
    contextId,
    n,
    taskId: `${contextId}.${n}`,
    messageId: `${contextId}#${n}`,
    state: "TASK_STATE_COMPLETED",
    createdAt: 0,
    updatedAt: 0,
    question: `question ${n}`,
    answer: `answer ${n}`,
    problem: null,
    usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
    costUsd: 0.01,
    traceId: "",
    compacted: false,
    peers: [],
    ...more,
  };
}

/** The question that opens turn `n` of a thread at another agent. */
export function asks(agent: string, contextId: string, n: number, thread = 1) {
  return { agent, contextId, thread, messageId: `${contextId}#${n}` };
}
