// What the logs, the recorder and the clients have to say to each other after any number of kills. Pure: logs in, faults in words out.
import { isDeepStrictEqual } from "node:util";

import { TaskState } from "@a2a-js/sdk";

import { isTerminal } from "#shared/a2a/message.ts";
import { CUT_OFF, type Step } from "#shared/loop/log/step.ts";
import type { Query } from "./client.ts";
import type { LoggedSession, LoggedTask, Logs } from "./logs.ts";
import type { Run } from "./recorder.ts";

export interface Evidence {
  readonly logs: Logs;
  readonly runs: readonly Run[];
  readonly queries: readonly Query[];
  /** Tools that are not idempotent. */
  readonly once: ReadonlySet<string>;
  /** The tool that is asked about. */
  readonly asked: string;
  /** What a task may say that failed. */
  readonly excused: RegExp | undefined;
}

type Of<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

/** What is wrong, in words; empty when nothing is. */
export function faultsIn(evidence: Evidence): string[] {
  const { logs, queries } = evidence;
  return [
    ...logs.sessions.flatMap(gaps),
    ...logs.tasks.flatMap((task) =>
      [...shapeOf(task, evidence), ...callsOf(task, evidence)].map((fault) => `${nameOf(task)}: ${fault}`),
    ),
    ...strangers(evidence),
    ...doubles(logs.tasks),
    ...queries.flatMap((query) => answersOf(query, logs.tasks)),
  ];
}

function nameOf({ agent, contextId, n }: LoggedTask): string {
  return `${agent} ${contextId}.${n}`;
}

export function stepsOf<Kind extends Step["kind"]>({ steps }: LoggedTask, kind: Kind): Of<Kind>[] {
  return steps.filter((step): step is Of<Kind> => step.kind === kind);
}

function gaps({ agent, file, ids }: LoggedSession): string[] {
  const at = ids.findIndex((id, index) => id !== index + 1);
  return at === -1 ? [] : [`${agent} ${file}: entry ${at + 1} of the session is numbered ${ids[at]}`];
}

/** A task begins with its message, ends, and no answer of its model stands twice. */
function shapeOf(task: LoggedTask, evidence: Evidence): string[] {
  const { steps, state, answer, problem } = task;
  const faults: string[] = [];
  if (!isTerminal(state)) faults.push(`has not ended (${TaskState[state]})`);
  const isDone = state === TaskState.TASK_STATE_COMPLETED;
  if (!isDone && !isExcused(task, evidence)) faults.push(`ended as ${TaskState[state]}: ${problem}`);
  if (steps[0]?.kind !== "user" || stepsOf(task, "user").length !== 1)
    faults.push("does not begin with its one message");
  const answers = steps.flatMap((step, index) => (step.kind === "assistant" ? [{ step, index }] : []));
  for (const [at, { step, index }] of answers.entries()) {
    const isLast = at === answers.length - 1;
    const calls = step.content.filter(({ type }) => type === "tool_use").length;
    if (!isLast && calls === 0) faults.push(`step ${index} is an answer, and yet another one follows`);
    if (!isDone || !isLast) continue;
    if (calls > 0) faults.push("its last answer calls tools");
    if (!step.content.some((block) => block.type === "text" && block.text === answer))
      faults.push("its last answer is not what the task answers");
  }
  return faults;
}

/** It failed for want of what was killed, or its caller had waited long enough and canceled it. */
function isExcused({ state, problem, messageId }: LoggedTask, { excused, logs }: Evidence): boolean {
  if (state === TaskState.TASK_STATE_FAILED) return excused?.test(problem ?? "") === true;
  const caller = logs.tasks.find((task) => stepsOf(task, "peer_call").some((call) => call.messageId === messageId));
  const call = caller && stepsOf(caller, "peer_call").find((step) => step.messageId === messageId);
  if (!caller || state !== TaskState.TASK_STATE_CANCELED) return false;
  const result = stepsOf(caller, "tool_result").find(({ toolUseId }) => toolUseId === call?.toolUseId);
  return result?.isError === true && result.content.includes("did not answer");
}

/** Each call has one result and at most one beginning, and ran as often as it may. */
function callsOf(task: LoggedTask, { runs, once, asked, queries }: Evidence): string[] {
  const faults: string[] = [];
  const own = runs.filter(({ taskId }) => taskId === task.id);
  const calls = stepsOf(task, "assistant").flatMap(({ content }) =>
    content.filter((block) => block.type === "tool_use"),
  );
  const ids = calls.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) faults.push("two calls have one id");
  for (const step of task.steps)
    if ("toolUseId" in step && !ids.includes(step.toolUseId)) faults.push(`${step.kind} of a call that is none`);
  for (const { id, name, input } of calls) {
    const results = stepsOf(task, "tool_result").filter(({ toolUseId }) => toolUseId === id);
    const [result] = results;
    const ran = own.filter(({ toolUseId }) => toolUseId === id);
    const about = `the call ${id} of ${name}`;
    // Of calls that were under way when a task was canceled, the model is told that they were cut off.
    const isOpen = task.state === TaskState.TASK_STATE_CANCELED && results.length === 0;
    if (results.length !== 1 && !isOpen) faults.push(`${about} has ${results.length} results`);
    if (stepsOf(task, "tool_start").filter(({ toolUseId }) => toolUseId === id).length > 1)
      faults.push(`${about} began twice`);
    if (new Set(ran.map(({ key }) => key)).size > 1) faults.push(`${about} ran under two keys`);
    const began = stepsOf(task, "tool_start").some(({ toolUseId }) => toolUseId === id);
    if (once.has(name) && ran.length > 0 && !began) faults.push(`${about} ran, and the log does not say that it began`);
    const wanted = approvedInput(task, id) ?? input;
    if (!ran.every((each) => isDeepStrictEqual(each.input, wanted))) faults.push(`${about} ran with another input`);
    if (once.has(name) && ran.length > 1) faults.push(`${about} may not run twice, and ran ${ran.length} times`);
    if (!once.has(name) && result?.content === CUT_OFF) faults.push(`${about} may be repeated, and was cut off`);
    if (result?.isError === false && isRecorded(name) && ran.length === 0)
      faults.push(`${about} has a result, and never ran`);
    if (name === asked) faults.push(...approvalOf(task, id, ran.length, queries).map((fault) => `${about} ${fault}`));
  }
  return faults;
}

/** What a person was shown. */
function approvedInput(task: LoggedTask, toolUseId: string): unknown {
  return stepsOf(task, "approval").find((step) => step.toolUseId === toolUseId)?.approval.input;
}

function isRecorded(tool: string): boolean {
  return tool !== "query_agent" && tool !== "find_agents";
}

/** Asked once, answered once, as the client said; run only after a yes. */
function approvalOf(task: LoggedTask, toolUseId: string, runs: number, queries: readonly Query[]): string[] {
  const approvals = stepsOf(task, "approval").filter((step) => step.toolUseId === toolUseId);
  const [asked] = approvals;
  if (!asked || approvals.length !== 1) return [`was asked about ${approvals.length} times`];
  const answers = stepsOf(task, "approval_answer").filter(({ id }) => id === asked.approval.id);
  const [answer] = answers;
  if (!answer || answers.length !== 1) return [`was answered ${answers.length} times`];
  const faults: string[] = [];
  if (task.state === TaskState.TASK_STATE_CANCELED && answer.by === "message" && answer.decision === "deny")
    return runs > 0 ? ["ran although its task was canceled before it was answered"] : [];
  const said = queries.find(({ taskId }) => taskId === task.asker.query)?.answered.get(answer.id);
  if (answer.by !== "client") faults.push(`was answered by ${answer.by}`);
  if (said !== answer.decision) faults.push(`was answered with ${answer.decision}, and the client said ${said}`);
  if (answer.decision !== "allow" && runs > 0) faults.push("ran although it was denied");
  if (task.steps.indexOf(answer) < task.steps.indexOf(asked)) faults.push("was answered before it was asked");
  return faults;
}

/** Whatever ran outside is in a log. */
function strangers({ logs, runs }: Evidence): string[] {
  return runs.flatMap(({ taskId, toolUseId, tool, agent }) => {
    const task = logs.tasks.find(({ id }) => id === taskId);
    const isCalled = task?.steps.some(
      (step) =>
        step.kind === "assistant" && step.content.some((block) => block.type === "tool_use" && block.id === toolUseId),
    );
    return isCalled ? [] : [`${agent} ran ${tool}, and no log says so`];
  });
}

/** A peer was asked once for each call: a repetition led to the same task. */
function doubles(tasks: readonly LoggedTask[]): string[] {
  const faults: string[] = [];
  for (const task of tasks.filter(({ asker }) => asker.chain.length > 0)) {
    const calls = tasks.flatMap((other) =>
      stepsOf(other, "peer_call").filter(({ messageId }) => messageId === task.messageId),
    );
    if (calls.length !== 1) faults.push(`${nameOf(task)}: was asked for by ${calls.length} calls`);
    const same = tasks.filter(({ agent, messageId }) => agent === task.agent && messageId === task.messageId);
    if (same.length !== 1) faults.push(`${nameOf(task)}: ${same.length} tasks have its message`);
  }
  return faults;
}

/** What the client was told is what is kept. */
function answersOf(
  { taskId, text, end, streamed, forgedTaken, messageId }: Query,
  tasks: readonly LoggedTask[],
): string[] {
  const task = tasks.find(({ id }) => id === taskId);
  const faults: string[] = [];
  if (!end) faults.push("has not ended");
  if (!task) return [`query ${text}: its task is in no log`];
  if (end?.status?.state !== task.state)
    faults.push(`the client was told ${end?.status?.state}, and ${task.state} is kept`);
  if (streamed !== (task.answer ?? streamed)) faults.push("what was streamed is not the answer");
  if (forgedTaken > 0) faults.push(`${forgedTaken} forged answers were taken`);
  if (tasks.filter((other) => other.messageId === messageId).length !== 1)
    faults.push("its message opened more than one task");
  return faults.map((fault) => `query ${taskId}: ${fault}`);
}
