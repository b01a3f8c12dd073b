// Deletes a session at this agent. Its object ends with that.
import { reasonOf } from "../text/reason.ts";
import { sessionStub, type AgentEnv } from "./env.ts";
import { DELETED } from "./rpc.ts";

/** Deletes what the object of a session has. May be repeated. */
export async function deleteSession(env: AgentEnv, principal: string, session: string): Promise<void> {
  try {
    await sessionStub(env, principal, session).delete();
  } catch (error) {
    // The object ends with its session.
    if (!reasonOf(error).includes(DELETED)) throw error;
  }
}
