// The sessions of an agent, by its index of tasks. Nobody waits for these lists in a turn, so they read the whole table.
import { TaskState, taskStateFromJSON, taskStateToJSON } from "@a2a-js/sdk";
import { fromBase64url, toBase64url } from "../../a2a/base64url.ts";
import type { SessionPart, SessionsPage } from "../../control-plane/sessions.ts";

const PAGE = 500;

/** The session of a row: its context_id up to the first `~` (shared/a2a/task-id.ts). */
const SESSION = "IIF(INSTR(context_id, '~') = 0, context_id, SUBSTR(context_id, 1, INSTR(context_id, '~') - 1))";
const { TASK_STATE_SUBMITTED: SUBMITTED, TASK_STATE_WORKING: WORKING, TASK_STATE_INPUT_REQUIRED: WAITING } = TaskState;

type Columns = {
  session: string;
  turns: number;
  own: number;
  working: number;
  waiting: number;
  updated_at: number;
  state: number;
};

/** Undefined for a token that no page before has given out. */
export function sessionsPage(sql: SqlStorage, principal: string, pageToken: string): SessionsPage | undefined {
  const [, time, last] = /^(\d{1,15})\.(.+)$/s.exec(fromBase64url(pageToken) ?? "") ?? [];
  if (pageToken !== "" && last === undefined) return undefined;
  // With one MAX, SQLite takes the other columns from its row: `state` is that of the task that changed last.
  const rows = sql
    .exec<Columns>(
      `SELECT ${SESSION} AS session, COUNT(*) AS turns, SUM(context_id NOT LIKE '%~%') AS own,
         SUM(state IN (${SUBMITTED}, ${WORKING})) AS working, SUM(state = ${WAITING}) AS waiting,
         MAX(updated_at) AS updated_at, ABS(state) AS state
       FROM task WHERE principal = ?1 GROUP BY session
       HAVING ?2 IS NULL OR (MAX(updated_at), session) < (?2, ?3)
       ORDER BY updated_at DESC, session DESC LIMIT ?4`,
      principal,
      time === undefined ? null : Number(time),
      last ?? null,
      PAGE + 1,
    )
    .toArray();
  const { others } = sql
    .exec<{ others: number }>(
      `SELECT COUNT(*) AS others FROM (SELECT DISTINCT principal, ${SESSION} FROM task WHERE principal <> ?)`,
      principal,
    )
    .one();
  const page = rows.slice(0, PAGE);
  const end = page.at(-1);
  const nextPageToken = end && rows.length > PAGE ? toBase64url(`${end.updated_at}.${end.session}`) : "";
  return { sessions: page.map(toPart), nextPageToken, ofOthers: others };
}

export interface Owned {
  readonly principal: string;
  readonly session: string;
}

/** Sessions without an open task, and without a change since this time, in milliseconds since the epoch. */
export function unusedSince(sql: SqlStorage, time: number, most: number): Owned[] {
  return sql
    .exec<{ principal: string; session: string }>(
      `SELECT principal, ${SESSION} AS session FROM task GROUP BY principal, session
       HAVING MAX(updated_at) <= ? AND SUM(state IN (${SUBMITTED}, ${WORKING}, ${WAITING})) = 0
       ORDER BY MAX(updated_at) LIMIT ?`,
      time,
      most,
    )
    .toArray();
}

/** Returns the number of tasks. */
export function forgetSession(sql: SqlStorage, principal: string, session: string): number {
  // Threads of the session follow its own name and a `~`; the next character of ASCII ends them.
  const gone = sql.exec(
    `DELETE FROM task WHERE principal = ?1
     AND (context_id = ?2 OR (context_id > ?2 || '~' AND context_id < ?2 || char(127))) RETURNING 1`,
    principal,
    session,
  );
  return gone.toArray().length;
}

function toPart({ session, turns, own, working, waiting, updated_at: updatedAt, state }: Columns): SessionPart {
  const lastState = taskStateToJSON(taskStateFromJSON(state));
  return { session, turns, ownTurns: own, working, waiting, lastState, updatedAt };
}
