// AgentPeers as a turn uses it, against a peer that is a function.
import { env } from "cloudflare:workers";
import { AgentPeers } from "#shared/agent/peers/agent-peers.ts";
import type { AgentEnv } from "#shared/agent/env.ts";
import type { RemoteCard } from "#shared/a2a/remote/card.ts";
import type { Approval } from "#shared/loop/log/approval.ts";
import type { HookOutcome } from "#shared/loop/hooks/outcome.ts";
import { TurnLog } from "#shared/loop/log/turn-log.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { SILENT, type Tracer } from "#shared/tracing/tracer.ts";
import type { Usage } from "#shared/budget/usage.ts";

export const CARD_ADDRESS = "https://w.example/card.json";
export const EXPIRES_MS = 3_600_000;
export const AGENT = {
  job: "tests",
  id: "tester",
  url: "https://tester.test",
  model: { provider: "anthropic", name: "m", maxTokens: 1000, contextTokens: 100000, baseUrl: "https://model.test" },
  permissions: { preset: "full_access", mode: "default", allow: null, ask: [], deny: [] },
  approvals: { expiresMs: EXPIRES_MS, policy: [] },
  queryBudget: null,
  turnsAtOnce: 100,
  budget: { maxTurns: 5, maxWallMs: 60000 },
  topology: "static",
  peers: [{ id: "other", binding: "PEER_OTHER" }],
  accounts: "optional",
  callers: [],
  tracing: { enabled: true, content: "redacted" },
  secrets: [],
  heartbeat: { intervalMs: 1000 },
  config: {},
};

interface Turn {
  readonly fetch?: unknown;
  /** The peer is an agent of others; `token` is the bearer token for it. */
  readonly remote?: { readonly card: RemoteCard; readonly token?: string };
  readonly principal?: string;
  readonly hook?: (input: { readonly hook_event_name: string }) => HookOutcome | undefined;
  readonly onUsage?: (toolUseId: string, usage: Usage) => void;
  readonly tracer?: Tracer;
  /** The agents that the query came through. */
  readonly chain?: readonly string[];
}

/** Asks the peer as a turn with this log does; `ordinal` is the place of the question in its call. */
export function asking(
  log: Step[],
  {
    fetch,
    remote,
    principal = "local",
    hook = () => undefined,
    onUsage = () => {},
    tracer = SILENT,
    chain = [],
  }: Turn = {},
) {
  const far = remote && { card: CARD_ADDRESS, said: remote.card, token: "REMOTE_TOKEN_OTHER" };
  const agent = far ? { ...AGENT, peers: [{ id: "other", binding: "PEER_OTHER", remote: far }] } : AGENT;
  const own: AgentEnv = Object.assign({}, env, {
    AGENT: agent,
    ...(fetch ? { PEER_OTHER: { fetch } } : {}),
    ...(remote?.token === undefined ? {} : { REMOTE_TOKEN_OTHER: remote.token }),
  });
  const parent = randomContext();
  const peers = new AgentPeers(own, {
    contextId: "c",
    taskId: "task",
    asker: { principal, chain: [...chain], query: "q" },
    trace: { tracer, task: parent, agent: "tester", contextId: "c" },
    earlierTurn: undefined,
    log: new TurnLog(log, { begin: 0, life: 1, write: () => {} }),
    hook: async (input) => hook(input) ?? { systemMessages: [] },
    whileAway: (work) => work(),
    earlierThreads: () => [],
    sessionSteps: () => log,
    onUsage,
    waitUntil: () => {},
  });
  const signal = new AbortController().signal;
  const call = { parent, toolUseId: "q", idempotencyKey: "m", agent: "other", signal };
  const ask = (message = "dig", ordinal = 1, thread?: number) => peers.ask({ ...call, ordinal, message, thread });
  return Object.assign(ask, { leave: () => peers.leave("q") });
}

export interface Heard {
  readonly messageId: string;
  readonly taskId?: string;
  readonly parts: { readonly text?: string; readonly data?: unknown }[];
}

/** A peer that answers each message with these events of its task; `heard` is what it was told, `canceled` by which paths to stop. */
export function peerSaying(...answers: readonly object[]) {
  const heard: Heard[] = [];
  const canceled: string[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    if (pathname.endsWith(":cancel")) {
      canceled.push(pathname);
      return Response.json({ id: "t", contextId: "c", status: { state: "TASK_STATE_CANCELED" } });
    }
    const { message } = JSON.parse(String(init.body)) as { message: Heard };
    const event = answers[heard.length] ?? COMPLETED;
    heard.push(message);
    const ids = { taskId: "t", contextId: "c" };
    const events = [
      { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } },
      { artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text: "dug" }] } } },
      { statusUpdate: { ...ids, ...event } },
    ];
    const frames = events.map((each) => `data: ${JSON.stringify(each)}\n\n`).join("");
    return new Response(frames, { headers: { "content-type": "text/event-stream" } });
  };
  return { heard, canceled, fetch };
}

export const COMPLETED = { status: { state: "TASK_STATE_COMPLETED" } };

export function approvalOf(id: string, expiresAt = Date.now() + 60_000): Approval {
  return { id, agent: "deep", tool: "dig", input: {}, reason: "It digs.", expiresAt };
}

/** The peer's task waits for these. */
export function asksFor(...approvals: readonly Approval[]): object {
  const message = { messageId: "s", role: "ROLE_AGENT", parts: [{ text: "May I?" }, { data: { approvals } }] };
  return { status: { state: "TASK_STATE_INPUT_REQUIRED", message } };
}
