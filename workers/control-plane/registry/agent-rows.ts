// The registry's rows: one per agent, and the agent's words in a contentless full-text index under the same number.
// Synchronous: a method's writes commit together with the caller's.
import * as z from "zod";
import { matchAny } from "#shared/durable/full-text.ts";
import { parseJson } from "#shared/text/parse-json.ts";
import type { Lease } from "./leases.ts";
import {
  Agent,
  type AgentCard,
  type AgentPage,
  AgentState,
  type FoundAgent,
  MAX_REGISTERED,
  type PageQuery,
  type SearchQuery,
} from "#shared/control-plane/registry.ts";

export const MIGRATIONS = [
  `CREATE TABLE agents (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     card TEXT NOT NULL,
     interval_ms INTEGER NOT NULL,
     registered_at INTEGER NOT NULL,
     last_heartbeat INTEGER NOT NULL,
     state TEXT NOT NULL,
     due_at INTEGER NOT NULL
   );
   CREATE VIRTUAL TABLE agent_words USING fts5(
     name, description, skills, tags, examples,
     content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2'
   )`,
  `ALTER TABLE agents ADD COLUMN instance TEXT;
   ALTER TABLE agents ADD COLUMN registration TEXT`,
] as const;

/** Weight of a hit in name, description, skills, tags, examples. */
const WEIGHTS = "3.0, 1.0, 2.0, 3.0, 1.0";

/** Characters of all cards in one page. */
const MAX_PAGE_CHARS = 1_000_000;

const StoredCard = Agent.pick({ name: true, description: true, version: true, url: true, skills: true });
const DueRow = z.object({
  id: z.string(),
  card: z.string(),
  interval_ms: z.number(),
  state: AgentState,
  due_at: z.number(),
  last_heartbeat: z.number(),
  registration: z.string().nullable(),
});

export interface DueAgent {
  readonly id: string;
  readonly url: string;
  readonly intervalMs: number;
  readonly lease: Lease;
  readonly lastHeartbeat: number;
  /** The registration's span, as `traceparent`. */
  readonly registration: string | undefined;
}

/** What the registry knows of an agent beside the card. */
export type AgentStatus = {
  state: string;
  instance: string | null;
  last_heartbeat: number;
  registration: string | null;
};

export interface Registered {
  readonly card: AgentCard;
  readonly intervalMs: number;
  readonly instance: string | undefined;
}

type AgentRow = {
  id: string;
  card: string;
  interval_ms: number;
  registered_at: number;
  last_heartbeat: number;
  state: string;
};

export class AgentRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  status(id: string): AgentStatus | undefined {
    const sql = "SELECT state, instance, last_heartbeat, registration FROM agents WHERE id = ?";
    return this.#sql.exec<AgentStatus>(sql, id).toArray()[0];
  }

  /** Writes the agent. Writes the index only when the card changed. Returns whether the card changed. */
  upsert(id: string, { card, intervalMs, instance }: Registered, lease: Lease, now: number): boolean {
    const json = JSON.stringify(card);
    const [before] = this.#sql.exec<{ card: string }>("SELECT card FROM agents WHERE id = ?", id).toArray();
    const { number } = this.#sql
      .exec<{ number: number }>(
        `INSERT INTO agents (id, card, interval_ms, registered_at, last_heartbeat, state, due_at, instance)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE
         SET card = ?2, interval_ms = ?3, last_heartbeat = ?4, state = ?5, due_at = ?6, instance = ?7
         RETURNING number`,
        id,
        json,
        intervalMs,
        now,
        lease.state,
        lease.dueAt,
        instance ?? null,
      )
      .one();
    if (before?.card === json) return false;
    this.#sql.exec("DELETE FROM agent_words WHERE rowid = ?", number);
    this.#sql.exec(
      "INSERT INTO agent_words (rowid, name, description, skills, tags, examples) VALUES (?, ?, ?, ?, ?, ?)",
      number,
      ...words(id, card),
    );
    return true;
  }

  /** Stores the registration's span, as `traceparent`. */
  setRegistration(id: string, registration: string): void {
    this.#sql.exec("UPDATE agents SET registration = ? WHERE id = ?", registration, id);
  }

  intervalOf(id: string): number | undefined {
    const sql = "SELECT interval_ms FROM agents WHERE id = ?";
    return this.#sql.exec<{ interval_ms: number }>(sql, id).toArray()[0]?.interval_ms;
  }

  renew(id: string, lease: Lease, now: number): void {
    const sql = "UPDATE agents SET state = ?, due_at = ?, last_heartbeat = ? WHERE id = ?";
    this.#sql.exec(sql, lease.state, lease.dueAt, now, id);
  }

  setLease(id: string, lease: Lease): void {
    this.#sql.exec("UPDATE agents SET state = ?, due_at = ? WHERE id = ?", lease.state, lease.dueAt, id);
  }

  /** Gives a suspect its next lease. Returns false, and writes nothing, when the agent is no longer a suspect. */
  settleSuspect(id: string, lease: Lease): boolean {
    const sql = "UPDATE agents SET state = ?, due_at = ? WHERE id = ? AND state = 'suspect' RETURNING number";
    return this.#sql.exec(sql, lease.state, lease.dueAt, id).toArray().length > 0;
  }

  /** Returns whether the agent existed. */
  remove(id: string): boolean {
    const sql = "DELETE FROM agents WHERE id = ? RETURNING number";
    const [removed] = this.#sql.exec<{ number: number }>(sql, id).toArray();
    if (removed) this.#sql.exec("DELETE FROM agent_words WHERE rowid = ?", removed.number);
    return removed !== undefined;
  }

  get(id: string): Agent | undefined {
    const [row] = this.#sql.exec<AgentRow>("SELECT * FROM agents WHERE id = ?", id).toArray();
    return row && readAgent(row);
  }

  /** Up to `limit` agents after `after`, by id, and no more than fit a page. `next` is set when more follow. */
  page({ after, limit }: PageQuery): AgentPage {
    const agents: Agent[] = [];
    let [bytes, last] = [0, after];
    for (const row of this.#sql.exec<AgentRow>(
      "SELECT * FROM agents WHERE id > ? ORDER BY id LIMIT ?",
      after,
      limit + 1,
    )) {
      bytes += row.card.length;
      if (last !== after && (agents.length === limit || bytes > MAX_PAGE_CHARS)) return { agents, next: last };
      last = row.id;
      const agent = readAgent(row);
      if (agent) agents.push(agent);
    }
    return { agents };
  }

  /**
   * Makes room for one more agent, at the cost of the oldest dead one. Returns false when the registry is full of
   * living agents.
   */
  makeRoom(): boolean {
    const { count } = this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM agents").one();
    if (count < MAX_REGISTERED) return true;
    const oldest = "SELECT id FROM agents WHERE state = 'dead' ORDER BY last_heartbeat LIMIT 1";
    const [dead] = this.#sql.exec<{ id: string }>(oldest).toArray();
    return dead !== undefined && this.remove(dead.id);
  }

  ids(): string[] {
    return this.#sql
      .exec<{ id: string }>("SELECT id FROM agents")
      .toArray()
      .map((row) => row.id);
  }

  search({ skill, tag, q, limit }: SearchQuery): FoundAgent[] {
    const match = q?.trim() ? (matchAny(q) ?? NOTHING) : undefined;
    const source = match
      ? `(SELECT rowid, -bm25(agent_words, ${WEIGHTS}) AS score FROM agent_words WHERE agent_words MATCH ?1) AS hits
         JOIN agents ON agents.number = hits.rowid`
      : "(SELECT ?1, 0 AS score) AS hits JOIN agents";
    const rows = this.#sql.exec<AgentRow & { score: number }>(
      `SELECT agents.*, score FROM ${source}
       WHERE (?2 IS NULL OR EXISTS (
           SELECT 1 FROM json_each(card, '$.skills')
           WHERE ?2 IN (lower(value ->> 'id'), lower(value ->> 'name'))))
         AND (?3 IS NULL OR EXISTS (
           SELECT 1 FROM json_each(card, '$.skills') AS skill, json_each(skill.value, '$.tags') AS tag
           WHERE lower(tag.value) = ?3))
       ORDER BY CASE state WHEN 'alive' THEN 0 WHEN 'suspect' THEN 1 ELSE 2 END, score DESC, id
       LIMIT ?4`,
      match ?? null,
      normalize(skill),
      normalize(tag),
      limit,
    );
    return rows.toArray().flatMap((row) => {
      const agent = readAgent(row);
      return agent === undefined ? [] : [{ ...agent, score: row.score }];
    });
  }

  /** Agents whose lease ended by `now`. Removes rows that cannot be read: a living agent registers again. */
  due(now: number): DueAgent[] {
    const rows = this.#sql
      .exec<{ id: string }>(
        "SELECT id, card, interval_ms, state, due_at, last_heartbeat, registration FROM agents WHERE due_at <= ?",
        now,
      )
      .toArray();
    return rows.flatMap((row) => {
      const agent = readDue(row);
      if (agent === undefined) this.remove(row.id);
      return agent === undefined ? [] : [agent];
    });
  }

  /** When the next lease ends, in ms since the epoch; undefined without agents. */
  nextDue(): number | undefined {
    return this.#sql.exec<{ due: number | null }>("SELECT min(due_at) AS due FROM agents").one().due ?? undefined;
  }
}

function readDue(row: unknown): DueAgent | undefined {
  const parsed = DueRow.safeParse(row).data;
  const url = StoredCard.safeParse(parseJson(parsed?.card ?? "")).data?.url;
  if (parsed === undefined || url === undefined) return undefined;
  const { id, interval_ms, state, due_at, last_heartbeat, registration } = parsed;
  return {
    id,
    url,
    intervalMs: interval_ms,
    lease: { state, dueAt: due_at },
    lastHeartbeat: last_heartbeat,
    registration: registration ?? undefined,
  };
}

/** Undefined for a row that cannot be read, so that one bad row does not hide all others. */
function readAgent(row: AgentRow): Agent | undefined {
  try {
    return toAgent(row);
  } catch {
    return undefined;
  }
}

/** Matches no row: for a query without words, such as "???". */
const NOTHING = '""';

function normalize(value: string | undefined): string | null {
  return value?.trim().toLowerCase() || null;
}

function words(id: string, { name, description, skills }: AgentCard): string[] {
  const join = (values: string[]) => values.join("\n");
  return [
    `${id} ${name}`,
    description,
    join(skills.map((skill) => `${skill.id} ${skill.name} ${skill.description}`)),
    join(skills.flatMap((skill) => skill.tags)),
    join(skills.flatMap((skill) => skill.examples)),
  ];
}

function toAgent(row: AgentRow): Agent {
  return {
    id: row.id,
    ...StoredCard.parse(JSON.parse(row.card)),
    state: AgentState.parse(row.state),
    lastHeartbeat: new Date(row.last_heartbeat).toISOString(),
    registeredAt: new Date(row.registered_at).toISOString(),
    intervalMs: row.interval_ms,
  };
}
