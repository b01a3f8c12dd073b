// A Durable Object that runs the loop with a log that is kept as a Session keeps it, or with one in memory only; all else is equal.
// One turn a request: five tool calls in one answer, then the end.
import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import { defineTool } from "#shared/agent/define-agent.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";
import { newTaskTrace } from "#shared/agent/session/tasks/task-trace.ts";
import { baseHookInput } from "#shared/loop/hooks/input.ts";
import { runHooks } from "#shared/loop/hooks/run-hooks.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { TurnLog } from "#shared/loop/log/turn-log.ts";
import type { Turn } from "#shared/loop/turn.ts";
import { runTurn } from "#shared/loop/run-turn.ts";
import { messagesApi } from "#shared/models/messages-api.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { SILENT } from "#shared/tracing/tracer.ts";
import { TaskState } from "@a2a-js/sdk";
import { NO_PEERS } from "../../support/no-peers.ts";

interface Env {
  readonly TURNS: DurableObjectNamespace<Turns>;
  readonly NETWORK: Fetcher;
}

const Wish = z.object({
  /** Whether steps are written to the object's storage. */
  log: z.boolean(),
  /** What the tools do: nothing but return, or one request each, before which it has to be kept that they began. */
  tools: z.enum(["return", "call out"]),
  modelUrl: z.url(),
});
type Wish = z.infer<typeof Wish>;

const Input = z.object({ text: z.string() });

export class Turns extends DurableObject<Env> {
  readonly #store = new SessionStore(this.ctx.storage.sql);

  /** Runs one turn; resolves to the number of its steps. */
  async run(wish: Wish): Promise<number> {
    const contextId = crypto.randomUUID();
    const first: Step = { kind: "user", text: "go" };
    const log: Step[] = [first];
    const write = wish.log ? this.#kept(contextId, first) : () => {};
    const result = await runTurn(turn(this.env, wish, contextId, new TurnLog(log, { begin: 0, life: 1, write })));
    if (result.subtype !== "success") throw new Error(`The turn ended as ${result.subtype}.`);
    return log.length;
  }

  /** Begins a task, as a message does, and returns what writes a step of it. */
  #kept(contextId: string, first: Step): (step: Step) => void {
    const about = { method: "SendMessage", messageId: contextId, isRecorded: false };
    const row = this.#store.createTask({
      contextId,
      state: TaskState.TASK_STATE_WORKING,
      trace: newTaskTrace(undefined, [], about),
      messageId: contextId,
      asker: () => ({ principal: "local", chain: [], query: contextId }),
      first,
    });
    return (step) => this.#store.append(row, step, 0);
  }
}

function turn(env: Env, wish: Wish, contextId: string, log: TurnLog): Turn {
  const parent = randomContext();
  const base = baseHookInput({ contextId, taskId: contextId, agent: "bench", mode: "default" });
  const callsOut = wish.tools === "call out";
  const tool = defineTool({
    name: "work",
    description: "Works",
    input: Input,
    annotations: { readOnly: !callsOut, idempotent: !callsOut },
    async run({ text }) {
      if (!callsOut) return text;
      const response = await env.NETWORK.fetch(`${wish.modelUrl}/tool`, { method: "POST", body: text });
      return response.text();
    },
  });
  return {
    system: "You are measured.",
    tools: [tool],
    serverTools: [],
    model: messagesApi({
      baseUrl: wish.modelUrl,
      apiKey: "none",
      model: "bench",
      provider: "bench",
      price: undefined,
      maxTokens: 1000,
      contextTokens: 100_000,
      fetch: (input, init) => env.NETWORK.fetch(input, init),
    }),
    permissions: { preset: "full_access", mode: "default", allow: null, ask: [], deny: [] },
    canUseTool: undefined,
    hook: async (input, signal, toolUseId) => runHooks({}, { ...base, ...input }, signal, toolUseId),
    log,
    budget: { limits: { maxTurns: 10, maxWallMs: 60_000 }, workedMs: 0, account: undefined, queryWallMs: undefined },
    approvals: { policy: [], expiresMs: 60_000, idOf: ({ toolUseId }) => toolUseId },
    code: undefined,
    artifact: () => {},
    idempotencyKey: (toolUseId) => toolUseId,
    peerUsage: () => undefined,
    output: undefined,
    sessionStart: undefined,
    isFromPeer: false,
    call: { agent: "bench", config: {}, env: {}, contextId, taskId: contextId, peers: NO_PEERS },
    trace: { tracer: SILENT, parent, task: parent, agent: "bench", contextId },
    emit: () => {},
    signal: new AbortController().signal,
  };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const wish = Wish.parse(await request.json());
    return Response.json({ steps: await env.TURNS.getByName(wish.log ? "kept" : "in memory").run(wish) });
  },
};
