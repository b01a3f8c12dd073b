// The Session under test. A test can give its query an account, and have it end its own object in the middle of a turn, as a turn does that uses up all memory.
import type { AgentEnv } from "#shared/agent/env.ts";
import { endings, testAgent } from "../../support/test-agent.ts";
import { withAccount } from "./test-account.ts";

export class TestSession extends testAgent.objects.Session {
  constructor(ctx: DurableObjectState, env: AgentEnv) {
    super(ctx, withAccount(ctx.id.name ?? "", env));
    const ending = endings.get(ctx.id.name ?? "");
    if (ending) ending.end = () => ctx.abort("ended by its turn");
  }
}
