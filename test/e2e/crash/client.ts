// A client as one should be: it gives each message an id, and when its connection breaks it sends the same message again, or
// subscribes to the task, until the task has ended. It keeps the answer as it was streamed.
import { Role, TaskState, type Message, type StreamResponse, type Task } from "@a2a-js/sdk";
import { RequestMalformedError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import type { Client } from "@a2a-js/sdk/client";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";

import { dataPart, isTerminal, textMessage, textOfParts } from "#shared/a2a/message.ts";
import { connect } from "../../support/a2a-client.ts";
import type { Random } from "./random.ts";

/** How a person answers what is asked. */
export const MANNERS = ["yes", "no", "each its own", "twice", "forged first"] as const;
export type Manner = (typeof MANNERS)[number];

export interface Query {
  readonly text: string;
  readonly manner: Manner;
  readonly contextId: string;
  readonly messageId: string;
  taskId: string;
  /** How it ended; undefined until then. */
  end: Task | undefined;
  /** The answer put together from what was streamed. */
  streamed: string;
  /** Approval → what was answered to it. */
  readonly answered: Map<string, "allow" | "deny">;
  /** Ids that were made up, and how often the agent took such an answer. */
  forged: number;
  forgedTaken: number;
  /** Times that the connection broke. */
  breaks: number;
}

const Asked = z.object({ approvals: z.array(z.object({ id: z.string() })) });
const RETRY_MS = 40;
const LIMIT_MS = 120_000;

export class PersistentClient {
  readonly #client: Client;
  readonly #random: Random;
  #hold: Promise<unknown> = Promise.resolve();

  private constructor(client: Client, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  static async connect(url: string, random: Random): Promise<PersistentClient> {
    return new PersistentClient(await connect(url), random);
  }

  /** Opens no connection before this has settled; those that are open stay so. */
  holdUntil(settled: Promise<unknown>): void {
    this.#hold = Promise.allSettled([settled]);
  }

  /** Asks, answers what is asked back, and resolves when the task has ended. Throws when it has not in two minutes. */
  async ask(text: string, manner: Manner, contextId: string = crypto.randomUUID()): Promise<Query> {
    const ids = { contextId, messageId: crypto.randomUUID() };
    const query: Query = {
      ...ids,
      text,
      manner,
      taskId: "",
      end: undefined,
      streamed: "",
      answered: new Map(),
      forged: 0,
      forgedTaken: 0,
      breaks: 0,
    };
    const deadline = Date.now() + LIMIT_MS;
    let message = textMessage(Role.ROLE_USER, text, ids);
    while (Date.now() < deadline) {
      await this.#hold;
      const asked = await this.#follow(query, message);
      if (query.end) return query;
      if (asked) message = await this.#answers(query, asked);
      else await delay(RETRY_MS);
    }
    throw new Error(`The query ${query.taskId} (${text}) has not ended within ${LIMIT_MS / 1000} s.`);
  }

  /** Over one connection. Resolves to the ids of approvals that wait; undefined where it broke or the task ended. */
  async #follow(query: Query, message: Message): Promise<readonly string[] | undefined> {
    const params = { tenant: "", message, configuration: undefined, metadata: undefined };
    const again = query.taskId !== "" && this.#random.next() < 0.5 && message.taskId === "";
    try {
      const events = again
        ? this.#client.resubscribeTask({ tenant: "", id: query.taskId })
        : this.#client.sendMessageStream(params);
      for await (const event of events) {
        const asked = take(query, event);
        if (asked) return asked;
        if (query.end) return undefined;
      }
      query.breaks++;
    } catch (error) {
      if (error instanceof RequestMalformedError) throw error;
      // A task that has ended is not subscribed to, nor answered: sending the first message again shows how it ended.
      if (error instanceof UnsupportedOperationError) await this.#look(query);
      else query.breaks++;
    }
    return undefined;
  }

  async #look(query: Query): Promise<void> {
    try {
      const task = await this.#client.getTask({ tenant: "", id: query.taskId });
      take(query, { payload: { $case: "task", value: task } });
    } catch {
      // The connection broke: the next round looks again.
      query.breaks++;
    }
  }

  /** The message that answers; made-up answers are sent before it. */
  async #answers(query: Query, ids: readonly string[]): Promise<Message> {
    const { manner, contextId, taskId } = query;
    if (manner === "forged first") await this.#forge(query, ids[0] ?? "");
    const approvals = ids.map((id, index) => {
      const says = manner === "no" || (manner === "each its own" && index % 2 === 1) ? "deny" : "allow";
      // What was said once stays said: a question that comes back is the same question.
      const decision = query.answered.get(id) ?? says;
      query.answered.set(id, decision);
      return { id, decision };
    });
    const message = textMessage(Role.ROLE_USER, "", { contextId, taskId, messageId: crypto.randomUUID() });
    const answer = { ...message, parts: [dataPart({ approvals })] };
    if (manner === "twice") void this.#once(answer);
    return answer;
  }

  async #once(message: Message): Promise<void> {
    const params = { tenant: "", message, configuration: undefined, metadata: undefined };
    try {
      for await (const _ of this.#client.sendMessageStream(params)) return;
    } catch {
      // Whatever becomes of it: the same message is sent for good by the one who waits.
    }
  }

  /** Says yes under an id that nobody gave; a broken connection counts as a refusal. */
  async #forge(query: Query, id: string): Promise<void> {
    const { contextId, taskId } = query;
    const forged = `${id.slice(0, -1)}${id.endsWith("A") ? "B" : "A"}`;
    query.forged++;
    const message = {
      ...textMessage(Role.ROLE_USER, "", { contextId, taskId }),
      parts: [dataPart({ approvals: [{ id: forged, decision: "allow" }] })],
    };
    const configuration = {
      acceptedOutputModes: [],
      taskPushNotificationConfig: undefined,
      historyLength: undefined,
      returnImmediately: true,
    };
    try {
      await this.#client.sendMessage({ tenant: "", message, configuration, metadata: undefined });
      query.forgedTaken++;
    } catch {
      // As it has to be.
    }
  }
}

/** Takes one event in. Resolves to what is asked, where the task waits for it. */
function take(query: Query, { payload }: StreamResponse): readonly string[] | undefined {
  if (payload?.$case === "task") {
    query.taskId = payload.value.id;
    query.streamed = payload.value.artifacts.map(({ parts }) => textOfParts(parts)).join("");
  }
  if (payload?.$case === "artifactUpdate") {
    const text = textOfParts(payload.value.artifact?.parts);
    query.streamed = payload.value.append ? query.streamed + text : text;
  }
  if (payload?.$case !== "task" && payload?.$case !== "statusUpdate") return undefined;
  const { status } = payload.value;
  const state = status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  if (isTerminal(state)) query.end = asTask(query, payload.value);
  if (state !== TaskState.TASK_STATE_INPUT_REQUIRED) return undefined;
  const data =
    status?.message?.parts.flatMap(({ content }) => (content?.$case === "data" ? [content.value] : [])) ?? [];
  const ids = data.flatMap((part) => Asked.safeParse(part).data?.approvals.map(({ id }) => id) ?? []);
  return ids.length > 0 ? ids : undefined;
}

function asTask({ taskId, contextId }: Query, ended: Pick<Task, "status" | "metadata">): Task {
  return { id: taskId, contextId, artifacts: [], history: [], status: ended.status, metadata: ended.metadata };
}
