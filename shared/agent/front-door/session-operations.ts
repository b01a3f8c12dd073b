// The agent's own operations on sessions, for the command line that deployed it: it sees what every caller has said.
import type * as z from "zod";
import { sessionOf } from "../../a2a/task-id.ts";
import { COMMAND_LINE } from "../../a2a/peer-token.ts";
import {
  type CopiedThread,
  CopyThread,
  type DeletedSession,
  DeleteSession,
  ListSessions,
  ListTurns,
  MAX_SESSIONS_BODY,
  type SessionsPage,
} from "../../control-plane/sessions.ts";
import { problem, problemResponse, type Problem } from "../../http/problem.ts";
import { readJson } from "../../http/read-json.ts";
import { deleteSession } from "../delete-session.ts";
import { sessionIndexStub, sessionStub, type AgentEnv } from "../env.ts";
import type { Admitted } from "./admit.ts";
import { flushReports } from "../session-index/reports.ts";

/** Turns that a session is asked for at a time; it gives as many as one call carries. */
const COPIED_AT_ONCE = 100;

/** Whether the command line that deployed the job asks. */
export function isOperator(admitted: Admitted | undefined): boolean {
  return admitted?.sender === COMMAND_LINE;
}

/** Undefined for an operation that does not exist. */
export async function sessionOperation(name: string, request: Request, env: AgentEnv): Promise<Response | undefined> {
  switch (name) {
    case "list":
      return answer(request, ListSessions, (asked) => list(env, asked));
    case "turns":
      return answer(request, ListTurns, (asked) => turns(env, asked));
    case "delete":
      return answer(request, DeleteSession, (asked) => remove(env, asked));
    case "copy":
      return answer(request, CopyThread, (asked) => copy(env, asked));
    default:
      return undefined;
  }
}

async function answer<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  carryOut: (asked: z.output<Schema>) => Promise<object>,
): Promise<Response> {
  const body = await readJson(request, schema, MAX_SESSIONS_BODY);
  if (!body.ok) return problemResponse(body.problem);
  const result = await carryOut(body.value);
  if (result instanceof Response) return result;
  return isProblem(result) ? problemResponse(result) : Response.json(result);
}

function isProblem(result: object): result is Problem {
  return "type" in result && "detail" in result;
}

async function list(
  env: AgentEnv,
  { principal, pageToken }: z.output<typeof ListSessions>,
): Promise<SessionsPage | Problem> {
  await flushReports();
  const page = await sessionIndexStub(env).sessions(principal, pageToken);
  return page ?? problem("invalid-request", "pageToken is not one that this agent gave out.");
}

async function turns(env: AgentEnv, asked: z.output<typeof ListTurns>): Promise<Response> {
  const page = await sessionStub(env, asked.principal, asked.session).turns(asked);
  return new Response(page, { headers: { "content-type": "application/json" } });
}

/** May be repeated: a session that is gone has nothing left. */
async function remove(env: AgentEnv, { principal, session }: z.output<typeof DeleteSession>): Promise<DeletedSession> {
  await deleteSession(env, principal, session);
  await flushReports();
  return { turns: await sessionIndexStub(env).forget(principal, session) };
}

async function copy(
  env: AgentEnv,
  { principal, session, contextId, turns: wanted, to, lost }: z.output<typeof CopyThread>,
): Promise<CopiedThread | Problem> {
  if (sessionOf(to) === session) return problem("invalid-request", "The copy needs another session.");
  const [source, target] = [sessionStub(env, principal, session), sessionStub(env, principal, sessionOf(to))];
  if ((await target.length(to)) > 0)
    return problem("session-exists", `The session ${sessionOf(to)} has turns already: choose another id.`);
  for (let start = 0; start < wanted.length;) {
    const { entries, done } = await source.entries(contextId, wanted.slice(start, start + COPIED_AT_ONCE));
    await target.copy(contextId, to, entries);
    start += Math.max(1, done);
  }
  const copied = await target.endCopy(to, lost);
  await flushReports();
  return { turns: copied };
}
