// The Worker under test: exports the Durable Object classes of all Workers. Tests call the Workers' own handlers themselves.
import { DurableObject } from "cloudflare:workers";
import { codeAgent } from "./agent/code-agent.ts";
import { shapedAgent } from "./agent/shaped-agent.ts";
import { testAgent } from "../support/test-agent.ts";

export { Ledger } from "../../workers/agents/payments/ledger.ts";
export { Corpus } from "../../workers/agents/searcher/corpus.ts";
export { Budget } from "../../workers/control-plane/budgets/budget.ts";
export { Keys } from "../../workers/control-plane/keys/keys.ts";
export { Registry } from "../../workers/control-plane/registry/registry.ts";
export { TestTraces as Traces } from "./traces/test-traces.ts";

export { TestSession as Session } from "./agent/test-session.ts";

export const { Beacon, SessionIndex } = testAgent.objects;

export const { Session: ShapedSession } = shapedAgent.objects;
export const { Session: CodeSession } = codeAgent.objects;

/** An empty SQLite object for tests of what needs only storage. */
export class Scratch extends DurableObject {}

export default {
  fetch: () => new Response("Call the Worker that you test, not this one.", { status: 501 }),
};
