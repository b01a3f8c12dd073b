// Asks one agent of a deployed job about its sessions, with the command line's own token.
import type * as z from "zod";

import {
  CopiedThread,
  type CopyThread,
  DeletedSession,
  SESSIONS_PATH,
  type ListTurns,
  type SessionPart,
  SessionsPage,
  type TurnRecord,
  TurnsPage,
} from "#shared/control-plane/sessions.ts";
import { Problem } from "#shared/http/problem.ts";
import { parseJson } from "#shared/text/parse-json.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { ownFetch } from "../project/own-fetch.ts";
import { troupeHome } from "../project/project.ts";
import { commandLineFetch } from "../targets/command-line.ts";
import { CliError } from "../terminal/cli-error.ts";

const TIMEOUT_MS = 30_000;
/** A copy of many thousand turns takes some seconds, more on a busy machine. */
const COPY_TIMEOUT_MS = 300_000;
/** Message ids of one request. */
const MESSAGES_AT_ONCE = 2_000;
/** Whose sessions the command line shows. */
const PRINCIPAL = "local";

/** The agent does not answer, or not as one that knows these operations. */
export class Unreached extends CliError {
  readonly agent: string;

  constructor(agent: string, why: string) {
    super("failed", `The agent ${agent} cannot be reached: ${why}.`);
    this.agent = agent;
  }
}

export type TurnsWanted = Omit<z.input<typeof ListTurns>, "principal" | "session" | "after">;

export class Operator {
  readonly job: string;
  readonly agent: string;
  readonly #url: string;
  readonly #signal: AbortSignal;
  #signing: Promise<typeof fetch> | undefined;

  constructor(job: string, agent: { readonly id: string; readonly url: string }, signal: AbortSignal) {
    this.job = job;
    this.agent = agent.id;
    this.#url = agent.url;
    this.#signal = signal;
  }

  /** All sessions that the agent has a part of. */
  async sessions(): Promise<{ readonly parts: SessionPart[]; readonly ofOthers: number }> {
    const parts: SessionPart[] = [];
    for (let pageToken = ""; ;) {
      const page = await this.#ask("list", { pageToken }, SessionsPage);
      parts.push(...page.sessions);
      if (page.nextPageToken === "") return { parts, ofOthers: page.ofOthers };
      pageToken = page.nextPageToken;
    }
  }

  /** The turns of a session that fit, page by page. */
  async *turns(session: string, wanted: TurnsWanted): AsyncGenerator<TurnRecord> {
    for (let after: number | null = 0; after !== null;) {
      const page: TurnsPage = await this.#ask("turns", { session, ...wanted, after }, TurnsPage);
      yield* page.turns;
      after = page.next;
    }
  }

  /** The turns that these messages have opened, in one thread or in any. */
  async turnsOf(session: string, messageIds: readonly string[], contextId?: string): Promise<TurnRecord[]> {
    const found: TurnRecord[] = [];
    for (let start = 0; start < messageIds.length; start += MESSAGES_AT_ONCE) {
      const some = messageIds.slice(start, start + MESSAGES_AT_ONCE);
      for await (const turn of this.turns(session, { messageIds: [...some], contextId })) found.push(turn);
    }
    return found;
  }

  async delete(session: string): Promise<DeletedSession> {
    return this.#ask("delete", { session }, DeletedSession);
  }

  /** Has the agent send the spans that it still has. Does nothing where it does not answer. */
  async flushSpans(): Promise<void> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
    await ownFetch(`${this.#url}/health?flush`, { signal }).catch(() => undefined);
  }

  async copy(request: Omit<CopyThread, "principal">): Promise<CopiedThread> {
    return this.#ask("copy", request, CopiedThread, COPY_TIMEOUT_MS);
  }

  /** Throws Unreached, or CliError where the agent refuses. */
  async #ask<Schema extends z.ZodType>(
    operation: string,
    body: object,
    schema: Schema,
    limitMs = TIMEOUT_MS,
  ): Promise<z.output<Schema>> {
    this.#signal.throwIfAborted();
    const { status, text } = await this.#post(`${this.#url}${SESSIONS_PATH}/${operation}`, body, limitMs);
    const value = parseJson(text);
    if (status === 200) {
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
    }
    if (status === 401 || status === 404)
      throw new Unreached(
        this.agent,
        `it does not take requests of this command line (${status}), so deploy the job again`,
      );
    const refusal = Problem.safeParse(value);
    if (!refusal.success || status >= 500) {
      const said = refusal.success ? `: ${refusal.data.detail}` : "";
      throw new Unreached(this.agent, `it answered ${status}${said.replace(/\.$/, "")}`);
    }
    throw new CliError("failed", `The agent ${this.agent} refuses: ${refusal.data.detail}`);
  }

  async #post(url: string, body: object, limitMs: number): Promise<{ readonly status: number; readonly text: string }> {
    this.#signing ??= commandLineFetch(troupeHome(), this.job, this.#url);
    const signing = await this.#signing;
    try {
      const response = await signing(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ principal: PRINCIPAL, ...body }),
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(limitMs)]),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      this.#signal.throwIfAborted();
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new Unreached(this.agent, reasonOf(cause));
    }
  }
}
