// The push configs of a Session and the events that wait for them, in tables of their own: a session without configs has none of them.
import type { TaskRef } from "../../../a2a/task-id.ts";
import { migrate, readVersion } from "../../../durable/migrations.ts";
import { MIGRATIONS, VIEW } from "./schema.ts";

/** Where the events of a task go. What is not set is "". */
export interface PushConfig {
  /** Unique within the task. */
  readonly id: string;
  readonly url: string;
  readonly token: string;
  readonly scheme: string;
  readonly credentials: string;
  /** It came from a client of A2A 0.3, which gets the task instead of events. */
  readonly isLegacy: boolean;
}

export interface StoredEvent {
  /** A StreamResponse as ProtoJSON; in that of A2A 0.3 where it is for clients of that. */
  readonly body: string;
  readonly isLegacy: boolean;
}

export interface ConfigRef extends TaskRef {
  readonly id: string;
}

/** A config with the oldest event that waits for it. */
export interface Waiting extends ConfigRef {
  readonly event: number;
  /** When it may be sent, in milliseconds since the epoch; 0 for at once. */
  readonly dueAt: number;
}

export interface NextEvent extends Waiting {
  readonly config: PushConfig;
  readonly body: string;
  /** Attempts that failed. */
  readonly tries: number;
}

const CONFIG = "id, url, token, scheme, credentials, legacy";
/** Whether an event `e` waits for a config `c`. */
const WAITS = "e.context_id = c.context_id AND e.n = c.n AND e.id > c.sent AND e.legacy = c.legacy";

/** Writes without an `await` between them commit together, with those of the task's log, too. */
export class PushStore {
  readonly #sql: SqlStorage;
  #exists: boolean | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Replaces the config with this id, or adds one that gets what happens from now on. */
  save({ contextId, n }: TaskRef, { id, url, token, scheme, credentials, isLegacy }: PushConfig): void {
    migrate(this.#sql, MIGRATIONS, { view: VIEW });
    this.#exists = true;
    this.#sql.exec(
      `INSERT INTO push_config (context_id, n, id, url, token, scheme, credentials, legacy, sent, tries, due_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
       ON CONFLICT DO UPDATE SET url = excluded.url, token = excluded.token, scheme = excluded.scheme,
         credentials = excluded.credentials, legacy = excluded.legacy, tries = 0, due_at = 0`,
      contextId,
      n,
      id,
      url,
      token,
      scheme,
      credentials,
      Number(isLegacy),
      this.#lastEvent({ contextId, n }),
    );
  }

  /** The configs of a task, by their ids. */
  configs({ contextId, n }: TaskRef): PushConfig[] {
    if (!this.#isThere) return [];
    return this.#sql
      .exec<ConfigColumns>(`SELECT ${CONFIG} FROM push_config WHERE context_id = ? AND n = ? ORDER BY id`, contextId, n)
      .toArray()
      .map(toConfig);
  }

  delete({ contextId, n, id }: ConfigRef): void {
    if (!this.#isThere) return;
    this.#sql.exec("DELETE FROM push_config WHERE context_id = ? AND n = ? AND id = ?", contextId, n, id);
    this.#forgetSent({ contextId, n });
  }

  /** Adds events of a task, in their order. Keeps the newest `most`. Returns how many older ones were dropped. */
  add(ref: TaskRef, events: readonly StoredEvent[], most: number): number {
    let last = this.#lastEvent(ref);
    const { contextId, n } = ref;
    for (const { body, isLegacy } of events)
      this.#sql.exec(
        "INSERT INTO push_event (context_id, n, id, body, legacy) VALUES (?, ?, ?, ?, ?)",
        contextId,
        n,
        ++last,
        body,
        Number(isLegacy),
      );
    const dropped = this.#sql.exec(
      "DELETE FROM push_event WHERE context_id = ? AND n = ? AND id <= ?",
      contextId,
      n,
      last - most,
    );
    return dropped.rowsWritten;
  }

  /** The configs for which events wait. */
  waiting(): Waiting[] {
    if (!this.#isThere) return [];
    // From the events on: they are few, while configs stay.
    return this.#sql
      .exec<{ context_id: string; n: number; id: string; event: number; due_at: number }>(
        `SELECT c.context_id, c.n, c.id, MIN(e.id) AS event, c.due_at
         FROM push_event e CROSS JOIN push_config c ON ${WAITS} GROUP BY c.context_id, c.n, c.id`,
      )
      .toArray()
      .map(({ context_id: contextId, n, id, event, due_at: dueAt }) => ({ contextId, n, id, event, dueAt }));
  }

  /** The oldest event that waits for a config; undefined where none does, or there is no such config. */
  next({ contextId, n, id }: ConfigRef): NextEvent | undefined {
    const [row] = this.#sql
      .exec<ConfigColumns & { event: number; body: string; tries: number; due_at: number }>(
        `SELECT e.id AS event, e.body, c.tries, c.due_at,
           c.id, c.url, c.token, c.scheme, c.credentials, c.legacy
         FROM push_config c JOIN push_event e ON ${WAITS}
         WHERE c.context_id = ? AND c.n = ? AND c.id = ? ORDER BY e.id LIMIT 1`,
        contextId,
        n,
        id,
      )
      .toArray();
    if (!row) return undefined;
    const { event, body, tries, due_at: dueAt } = row;
    return { contextId, n, id, event, dueAt, config: toConfig(row), body, tries };
  }

  /** The event was delivered or given up: the next one is due. */
  settle({ contextId, n, id, event }: Waiting): void {
    this.#sql.exec(
      "UPDATE push_config SET sent = ?, tries = 0, due_at = 0 WHERE context_id = ? AND n = ? AND id = ? AND sent < ?",
      event,
      contextId,
      n,
      id,
      event,
    );
    this.#forgetSent({ contextId, n });
  }

  /** The event is sent again at `dueAt`. */
  putOff({ contextId, n, id }: ConfigRef, tries: number, dueAt: number): void {
    this.#sql.exec(
      "UPDATE push_config SET tries = ?, due_at = ? WHERE context_id = ? AND n = ? AND id = ?",
      tries,
      dueAt,
      contextId,
      n,
      id,
    );
  }

  /** Removes the events that no config of the task waits for any more. */
  #forgetSent({ contextId, n }: TaskRef): void {
    this.#sql.exec(
      `DELETE FROM push_event AS e WHERE context_id = ? AND n = ? AND NOT EXISTS (SELECT 1 FROM push_config c WHERE ${WAITS})`,
      contextId,
      n,
    );
  }

  /** Numbers are not given again while anybody knows them: a config must not take a new event for one that it has had. */
  #lastEvent({ contextId, n }: TaskRef): number {
    return this.#sql
      .exec<{ last: number }>(
        `SELECT MAX(IFNULL((SELECT MAX(id) FROM push_event WHERE context_id = ?1 AND n = ?2), 0),
                    IFNULL((SELECT MAX(sent) FROM push_config WHERE context_id = ?1 AND n = ?2), 0)) AS last`,
        contextId,
        n,
      )
      .one().last;
  }

  /** Whether the tables can be read. Brings those of an older version up to date, and creates none. */
  get #isThere(): boolean {
    if (this.#exists === undefined) {
      this.#exists = readVersion(this.#sql, VIEW) > 0;
      if (this.#exists) migrate(this.#sql, MIGRATIONS, { view: VIEW });
    }
    return this.#exists;
  }
}

type ConfigColumns = {
  id: string;
  url: string;
  token: string;
  scheme: string;
  credentials: string;
  legacy: number;
};

function toConfig({ id, url, token, scheme, credentials, legacy }: ConfigColumns): PushConfig {
  return { id, url, token, scheme, credentials, isLegacy: legacy === 1 };
}
