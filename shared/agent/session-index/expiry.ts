// Deletes sessions in which nothing has happened for long, where the job says so. The index's alarm looks for them.
import { reasonOf } from "../../text/reason.ts";
import { deleteSession } from "../delete-session.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { log } from "../log.ts";
import { forgetSession, type Owned, unusedSince } from "./sessions.ts";

/** Time between two looks: as short as the time of expiry asks for, within these limits. */
const MOST_MS = 3_600_000;
const LEAST_MS = 1_000;
/** Sessions that one look deletes; the next follows at once where there are more. */
const AT_ONCE = 100;

export class Expiry {
  readonly #storage: DurableObjectStorage;
  readonly #env: AgentEnv;
  #hasBegun = false;

  constructor(storage: DurableObjectStorage, env: AgentEnv) {
    this.#storage = storage;
    this.#env = env;
  }

  /** Sets the alarm unless it is set. Does nothing when it is called again in a life. */
  async begin(): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { sessionExpireMs } = configOf(this.#env);
    if (sessionExpireMs !== undefined && (await this.#storage.getAlarm()) === null)
      await this.#storage.setAlarm(Date.now() + pauseOf(sessionExpireMs));
  }

  /** The alarm has rung: deletes, and sets it again. A setting that is gone ends that. */
  async run(): Promise<void> {
    const { sessionExpireMs } = configOf(this.#env);
    if (sessionExpireMs === undefined) return;
    const since = Date.now() - sessionExpireMs;
    const expired = unusedSince(this.#storage.sql, since, AT_ONCE);
    const deleted = await Promise.all(expired.map(async (owned) => this.#delete(owned, since)));
    const isMore = deleted.length === AT_ONCE && deleted.includes(true);
    await this.#storage.setAlarm(Date.now() + (isMore ? LEAST_MS : pauseOf(sessionExpireMs)));
  }

  async #delete({ principal, session }: Owned, since: number): Promise<boolean> {
    try {
      const isDeleted = await deleteSession(this.#env, principal, session, since);
      if (isDeleted) forgetSession(this.#storage.sql, principal, session);
      return isDeleted;
    } catch (error) {
      // One session must not keep the others. The next look tries it again.
      log(this.#env, "warn", `the session ${session} has expired and cannot be deleted: ${reasonOf(error)}`);
      return false;
    }
  }
}

function pauseOf(expireMs: number): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, Math.round(expireMs / 4)));
}
