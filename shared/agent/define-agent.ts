// Makes a Worker of a definition: the front door is its handler, beside the Durable Object classes that it has to export.
import { checkHooks } from "../loop/hooks/matcher.ts";
import { tagOwnConsole } from "./log.ts";
import { BeaconObject } from "./beacon/beacon.ts";
import type { AgentDefinition } from "./definition.ts";
import { type AgentEnv, configOf } from "./env.ts";
import { inspectAgent } from "./inspection/inspect.ts";
import { INSPECT, isInspected } from "./inspection/report.ts";
import { belowPublicUrl } from "./front-door/below-public-url.ts";
import { frontDoor } from "./front-door/front-door.ts";
import { SessionIndexObject } from "./session-index/session-index.ts";
import { SessionObject } from "./session/session.ts";

export { defineTool } from "../loop/tools/tool.ts";

// Tags the lines that the agent's modules write while they load, too.
tagOwnConsole();

/**
 * A module becomes an agent Worker by `export default agent.worker; export const { Session, Beacon, SessionIndex } = agent.objects;`.
 * Throws TypeError for hooks that cannot work.
 */
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
    fetch: (request: Request, env: AgentEnv, ctx: ExecutionContext) =>
      app.fetch(belowPublicUrl(request, configOf(env).publicUrl), env, ctx),
    [INSPECT]: async (config: unknown) => inspectAgent(definition, config),
  };
  return { worker, objects: { Session, Beacon, SessionIndex } };
}
