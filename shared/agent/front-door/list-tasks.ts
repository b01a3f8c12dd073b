// ListTasks over all sessions: the index names the tasks, their Sessions have the rest.
import { ListTasksRequest } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import * as z from "zod";
import { formatTaskId, sessionOf, type TaskRef } from "../../a2a/task-id.ts";
import { configOf, sessionIndexStub, sessionStub, type AgentEnv } from "../env.ts";
import type { Operation, Reply } from "../rpc.ts";
import type { Caller } from "../caller.ts";
import { replyTo } from "../reply.ts";
import { log } from "../log.ts";
import { flushReports } from "../session-index/reports.ts";
import { reasonOf } from "../../text/reason.ts";

const TaskJson = z.record(z.string(), z.unknown());

/** Throws RequestMalformed. A task that the index knows and its Session does not, or cannot read, is left out. */
export async function listAcrossSessions(env: AgentEnv, operation: Operation, caller: Caller): Promise<Reply> {
  const request = ListTasksRequest.fromJSON(operation.params);
  await flushReports();
  const listed = await sessionIndexStub(env).list(caller.principal, ListTasksRequest.toJSON(request));
  if ("malformed" in listed) throw new RequestMalformedError(listed.malformed);
  const { tasks: refs, ...page } = listed.page;
  const looks = await Promise.allSettled(refs.map((ref) => taskOf(env, caller, ref, request)));
  const failures = looks.flatMap((look) => (look.status === "rejected" ? [reasonOf(look.reason)] : []));
  if (failures.length > 0)
    log(env, "error", `${failures.length} of ${refs.length} listed tasks cannot be read: ${failures[0] ?? ""}`);
  const tasks = looks.flatMap((look) => (look.status === "fulfilled" ? [look.value] : []));
  return replyTo(operation, {
    jsonrpc: "2.0",
    id: operation.id,
    result: { tasks: tasks.filter((task) => task !== undefined), ...page },
  });
}

async function taskOf(
  env: AgentEnv,
  caller: Caller,
  ref: TaskRef,
  { historyLength = 0, includeArtifacts }: ListTasksRequest,
): Promise<Record<string, unknown> | undefined> {
  const owner = { agent: configOf(env).id, principal: caller.principal };
  const params = { id: formatTaskId(env.TROUPE_KEY, owner, ref), historyLength };
  const get = { binding: "HTTP+JSON", id: null, method: "GetTask", params } as const;
  const reply = await sessionStub(env, caller.principal, sessionOf(ref.contextId)).call(get, caller);
  if (reply.status !== 200) return undefined;
  const task = TaskJson.parse(JSON.parse(reply.body));
  // Artifacts are present, even if empty, when they were asked for; else they are left out (A2A 1.0, section 3.1.4).
  const { artifacts = [], ...rest } = task;
  return includeArtifacts ? { ...rest, artifacts } : rest;
}
