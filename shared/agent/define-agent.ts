// Turns a definition into a Worker: the front door as its handler, and the Durable Object classes it has to export.
import { checkHooks } from "../loop/hooks/matcher.ts";
import { tagOwnConsole } from "./log.ts";
import { BeaconObject } from "./beacon/beacon.ts";
import type { AgentDefinition } from "./definition.ts";
import type { AgentEnv } from "./env.ts";
import { inspectAgent } from "./inspection/inspect.ts";
import { INSPECT, isInspected } from "./inspection/report.ts";
import { frontDoor } from "./front-door/front-door.ts";
import { SessionIndexObject } from "./session-index/session-index.ts";
import { SessionObject } from "./session/session.ts";

export { defineTool } from "../loop/tools/tool.ts";

// What the agent's modules write while they load is theirs too.
tagOwnConsole();

/** `export default agent.worker; export const { Session, Beacon, SessionIndex } = agent.objects;` makes a module an agent Worker. Throws TypeError for hooks that cannot work. */
export function defineAgent(definition: AgentDefinition) {
  if (!isInspected()) checkHooks(definition.hooks ?? {});
  class Session extends SessionObject {
    constructor(ctx: DurableObjectState, env: AgentEnv) {
      super(ctx, env, definition);
    }
  }
  class Beacon extends BeaconObject {
    protected override readonly definition = definition;
  }
  class SessionIndex extends SessionIndexObject {}
  const app = frontDoor(definition);
  const worker = {
    fetch: (request: Request, env: AgentEnv, ctx: ExecutionContext) => app.fetch(request, env, ctx),
    [INSPECT]: async (config: unknown) => inspectAgent(definition, config),
  };
  return { worker, objects: { Session, Beacon, SessionIndex } };
}
