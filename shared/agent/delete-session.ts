// Deletes a session at this agent. Its object ends with that.
import { reasonOf } from "../text/reason.ts";
import { sessionStub, type AgentEnv } from "./env.ts";
import { DELETED } from "./rpc.ts";

/** Deletes what the object of a session has. May be repeated. Resolves to false where it was used after `unusedSince`. */
export async function deleteSession(
  env: AgentEnv,
  principal: string,
  session: string,
  unusedSince?: number,
): Promise<boolean> {
  try {
    await sessionStub(env, principal, session).delete(unusedSince);
    return false;
  } catch (error) {
    // The object ends with its session.
    if (reasonOf(error).includes(DELETED)) return true;
    throw error;
  }
}
