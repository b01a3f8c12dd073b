// The push notifications of a Session (A2A 1.0, section 4.3): configs of its tasks, and the delivery of events to each config, one after
// the other. An event is stored in the commit of the change that it tells of. The object sends it soon after; the alarm sends it again.
import {
  Artifact,
  type StreamResponse,
  TaskState,
  type ListTaskPushNotificationConfigsRequest,
  type ListTaskPushNotificationConfigsResponse,
  type TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import { RequestMalformedError, TaskNotFoundError } from "@a2a-js/sdk/errors";
import type { TaskRef } from "../../../a2a/task-id.ts";
import { pendingApprovals, pendingQuestion } from "../../../loop/log/ledger.ts";
import type { Step } from "../../../loop/log/step.ts";
import { configOf } from "../../env.ts";
import { log } from "../../log.ts";
import { answerEvent, artifactEvent, replyOf, statusEvent, taskEvent, type TaskView } from "../tasks/task-view.ts";
import type { TaskRow } from "../tasks/task-row.ts";
import type { Tasks } from "../tasks/tasks.ts";
import { pauseAfter } from "./back-off.ts";
import { checkConfig } from "./check-config.ts";
import { encodeEvents, encodeLegacy } from "./encode-events.ts";
import { ATTEMPT_MS, deliver, type Outcome } from "./deliver.ts";
import { listConfigs } from "./list-configs.ts";
import { PushStore, type ConfigRef, type NextEvent, type PushConfig } from "./push-store.ts";

/** Configs of one task. */
export const MOST_CONFIGS = 10;
/** Events of one task that wait; older ones are dropped. */
export const MOST_EVENTS = 100;
/** Bytes of an event. A row of SQLite holds 2 MB. */
const MAX_EVENT = 2_000_000;
/** Configs to which events are sent side by side. */
const AT_ONCE = 8;
const SENDING = "sending push notifications";
/** An attempt is over by then, unless the object has ended. */
const LOST_MS = ATTEMPT_MS + 5_000;

/** The id that the SDK gives a 0.3 request without one. */
const LEGACY_ID = "default";

export class PushNotifications {
  readonly #tasks: Tasks;
  readonly #store: PushStore;
  /** The configs to which events are being sent, by their names. */
  readonly #sending = new Map<string, AbortController>();
  #begins = false;

  constructor(tasks: Tasks, sql: SqlStorage) {
    this.#tasks = tasks;
    this.#store = new PushStore(sql);
    tasks.store.listen({ changed: (row) => this.#changed(row), added: (ref, step) => this.#added(ref, step) });
    tasks.shareAlarm(() => this.#store.waiting().length > 0);
  }

  /** `isLegacy`: the client speaks A2A 0.3. Throws RequestMalformed. */
  check(config: TaskPushNotificationConfig, isLegacy: boolean): PushConfig {
    // Clients of 0.3 may leave the id out when they read the config, too.
    const named = isLegacy && config.id === "" ? { ...config, id: LEGACY_ID } : config;
    return { ...checkConfig(named, this.#allowed), isLegacy };
  }

  /** Adds or replaces a config of a task. Throws RequestMalformed where the task has too many. */
  save(row: TaskRow, config: PushConfig): TaskPushNotificationConfig {
    const known = this.#store.configs(row);
    if (known.length >= MOST_CONFIGS && !known.some(({ id }) => id === config.id))
      throw new RequestMalformedError(
        `The task has ${MOST_CONFIGS} push configs, and may have no more: delete one, or replace it by its id.`,
      );
    this.#store.save(row, config);
    this.#stop({ ...row, id: config.id });
    this.#begin();
    return this.#toA2a(row, config);
  }

  /** Sends a new task as it begins, and what becomes of it. */
  open(view: TaskView, config: PushConfig): void {
    this.save(view.row, config);
    // An agent's own code may answer without a task: then there is none to show before.
    if (!this.#tasks.definition.run) this.#add(view, [taskEvent(view)]);
  }

  get(row: TaskRow, id: string): TaskPushNotificationConfig {
    const config = this.#store.configs(row).find((other) => other.id === id);
    if (!config) throw new TaskNotFoundError(`The task has no push config ${id.slice(0, 200)}.`);
    return this.#toA2a(row, config);
  }

  /** Throws RequestMalformed. */
  list(row: TaskRow, request: ListTaskPushNotificationConfigsRequest): ListTaskPushNotificationConfigsResponse {
    const { page, nextPageToken } = listConfigs(this.#store.configs(row), request);
    return { configs: page.map((config) => this.#toA2a(row, config)), nextPageToken };
  }

  /** Stops at once what is being sent. May be repeated. */
  delete(row: TaskRow, id: string): void {
    this.#store.delete({ ...row, id });
    this.#stop({ ...row, id });
  }

  /** Sends what waits and is due, and sets the alarm for the rest. To be called when a life begins, and when the alarm has rung. */
  resume(): void {
    const at = this.#ringsAt();
    if (at === undefined) return;
    // An earlier life may have set the alarm for something that this one does not know of.
    this.#tasks.afterwards(this.#tasks.alarm.keepOrRingBy(at), "setting the alarm for push notifications");
    this.#begin();
  }

  /** Stores what a change tells, with the change. */
  #changed(row: TaskRow): void {
    if (this.#store.configs(row).length === 0) return;
    const view = this.#view(row);
    const reply = replyOf(view);
    if (reply) return this.#add(view, [{ payload: { $case: "message", value: reply } }]);
    const answer = row.answer === null ? [] : [answerEvent(view.id, row, row.answer, "whole")];
    this.#add(view, [...answer, statusEvent(view)]);
  }

  #added(ref: TaskRef, step: Step): void {
    if (step.kind !== "artifact" || this.#store.configs(ref).length === 0) return;
    const row = this.#tasks.store.task(ref);
    if (!row) return;
    const view = this.#view(row);
    this.#add(view, [artifactEvent(view.id, row, Artifact.fromJSON(step.artifact), false, true)]);
  }

  #view(row: TaskRow): TaskView {
    const { store } = this.#tasks;
    const id = this.#tasks.idOf(row);
    const own = row.state === TaskState.TASK_STATE_INPUT_REQUIRED ? store.ownSteps(row) : [];
    const [history, artifacts] = [() => store.history(id, row), () => store.artifacts(row)];
    return { id, row, history, artifacts, approvals: pendingApprovals(own), question: pendingQuestion(own) };
  }

  #add(view: TaskView, events: readonly StreamResponse[]): void {
    const { row } = view;
    const forms = new Set(this.#store.configs(row).map(({ isLegacy }) => isLegacy));
    const all = [
      ...(forms.has(false) ? encodeEvents(events) : []),
      ...(forms.has(true) ? [encodeLegacy(view, events)] : []),
    ];
    const kept = all.filter(({ body }) => new TextEncoder().encode(body).byteLength <= MAX_EVENT);
    if (kept.length < all.length) this.#warn(row, "an event of it is too large to be sent: get the task with GetTask");
    const dropped = this.#store.add(row, kept, MOST_EVENTS);
    if (dropped > 0) this.#warn(row, `${dropped} events are given up, since more than ${MOST_EVENTS} wait`);
    const at = this.#ringsAt();
    if (at !== undefined) this.#tasks.alarm.ringBy(at);
    this.#begin();
  }

  /** When the next attempt is due, or when this life has ended before it has made those that are; undefined where nothing waits. */
  #ringsAt(): number | undefined {
    const now = Date.now();
    const times = this.#store.waiting().map(({ dueAt }) => (dueAt > now ? dueAt : now + LOST_MS));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Sends what is due, once the caller has written what it has to write. */
  #begin(): void {
    if (this.#begins) return;
    this.#begins = true;
    const begun = async (): Promise<void> => {
      await Promise.resolve();
      this.#begins = false;
      this.#sendDue();
    };
    this.#tasks.afterwards(begun(), SENDING);
  }

  #sendDue(): void {
    const now = Date.now();
    for (const waiting of this.#store.waiting()) {
      if (this.#sending.size >= AT_ONCE) return;
      const name = nameOf(waiting);
      if (waiting.dueAt > now || this.#sending.has(name)) continue;
      const stop = new AbortController();
      this.#sending.set(name, stop);
      this.#tasks.afterwards(this.#sendTo(waiting, stop.signal), SENDING);
    }
  }

  /** Sends to one config, in order, until nothing is due; then to those that waited for that. */
  async #sendTo(ref: ConfigRef, stop: AbortSignal): Promise<void> {
    try {
      for (let next = this.#store.next(ref); isDue(next) && !stop.aborted; next = this.#store.next(ref)) {
        const outcome = await deliver(next, this.#tasks.env, this.#allowed, stop);
        // Else it was deleted or replaced meanwhile.
        if (!stop.aborted) this.#conclude(next, outcome);
      }
    } finally {
      this.#sending.delete(nameOf(ref));
    }
    this.#sendDue();
  }

  #conclude(next: NextEvent, outcome: Outcome): void {
    if (outcome.is === "delivered") return this.#store.settle(next);
    const tries = next.tries + 1;
    const pauseMs = outcome.is === "again" ? pauseAfter(tries, outcome.afterMs) : undefined;
    if (pauseMs === undefined) {
      // The rest of an address may be a secret.
      const { origin } = new URL(next.config.url);
      const attempts = tries === 1 ? "1 attempt" : `${tries} attempts`;
      this.#warn(next, `an event is given up after ${attempts} to send it to ${origin}: ${outcome.why}`);
      return this.#store.settle(next);
    }
    const dueAt = Date.now() + pauseMs;
    this.#store.putOff(next, tries, dueAt);
    this.#tasks.alarm.ringBy(dueAt);
  }

  #stop(ref: ConfigRef): void {
    this.#sending.get(nameOf(ref))?.abort();
  }

  #toA2a(row: TaskRow, { id, url, token, scheme, credentials }: PushConfig): TaskPushNotificationConfig {
    const authentication = scheme === "" ? undefined : { scheme, credentials };
    return { tenant: "", id, taskId: this.#tasks.idOf(row), url, token, authentication };
  }

  get #allowed(): readonly string[] {
    return configOf(this.#tasks.env).pushAllow;
  }

  #warn(ref: TaskRef, message: string): void {
    const row = this.#tasks.store.task(ref);
    if (row) log(this.#tasks.env, "warn", `push notifications of task ${this.#tasks.idOf(row)}: ${message}`);
  }
}

function isDue(next: NextEvent | undefined): next is NextEvent {
  return next !== undefined && next.dueAt <= Date.now();
}

function nameOf({ contextId, n, id }: ConfigRef): string {
  return JSON.stringify([contextId, n, id]);
}
